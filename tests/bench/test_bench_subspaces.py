"""The benchmark of subspaces, with a few small sets."""

import pytest

from lggkit.study.records.bench_rows import check_rows


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_subspaces")
    sizes = {"SPACE": 30, "STEPS": 200, "GROWTH": {"n": (20, 40), "k": (2,)}}
    for name, value in sizes.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_ours_is_no_worse_than_adam(bench):
    row = bench.against_adam()
    check_rows([row])
    assert row["equal"] and row["smallest_ratio"] == 100.0


def test_one_size_grows_at_a_time(bench, monkeypatch):
    sets = bench.sets
    monkeypatch.setattr(bench, "sets", lambda r, n, l, k: sets(4, min(n, 50), min(l, 2), min(k, 3)))
    monkeypatch.setattr(bench, "SchubertBestFit", lambda k, **o: bench_fit(min(k, 3), **o))
    rows = bench.growth()
    check_rows(rows)
    assert len(rows) == 3 and all(row["equal"] for row in rows)
    assert [(row["grown"], row["size"]) for row in rows] == [("n", 20), ("n", 40), ("k", 2)]


def bench_fit(k, **options):
    from lggkit.subspaces import SchubertBestFit

    return SchubertBestFit(k, **options)
