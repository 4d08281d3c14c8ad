"""The benchmark of warm starts, with layers of a few neurons."""

import pytest

from lggkit.study.records.bench_rows import check_rows


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_transport_start")
    for name, value in {"NEURONS": 16, "STEPS": 4, "ITERATIONS": (1, 20)}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_rows_have_gaps_and_times_of_both_starts(bench):
    rows = bench.run()
    check_rows(rows)
    first, last, *others = (row for row in rows if row["device"].startswith("cpu"))
    assert (first["iterations"], last["iterations"], len(others)) == (1, 20, 2)
    assert {row["partners"] for row in (first, *others)} == set(bench.NOISES)
    for side in ("relative_gap", "reference_relative_gap"):
        assert first[side] > last[side] >= bench.LEAST
    assert all(row["equal"] and row["ours_seconds"] > 0 for row in rows)


def test_batches_change_and_the_first_layer_moves(bench):
    (a, t), (later, other) = bench.layers(0.5, "cpu")[:2]
    assert a.shape == t.shape == (16, bench.BATCH)
    assert not a.equal(later) and not t.equal(other)


def test_with_clear_partners_one_iteration_from_the_plan_before_is_nearer(bench):
    (_, warm), (_, cold) = (bench.trained(0.5, 1, "cpu", begun) for begun in (True, False))
    assert warm < cold
