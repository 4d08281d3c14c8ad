"""The benchmark of pieces of ReLU networks, with small ones."""

import pytest
import torch

from lggkit.study.records.bench_rows import check_rows


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_regions")
    for name, value in {"ROUNDS": 1, "BITS": 40}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_both_sides_agree(bench):
    rows = [
        bench.walked((2, 4, 1)),
        bench.wide((2, 5, 5, 1)),
        bench.maps((6, 5, 5, 3), 4),
        bench.bits(12),
        bench.all_bits(20),
    ]
    check_rows(rows)
    assert all(row["equal"] for row in rows)
    assert [row["ratio"] is None for row in rows] == [False, True, False, False, True]


def test_other_maps_are_told_apart(bench, monkeypatch):
    monkeypatch.setattr(bench, "one_by_one", lambda made, x: torch.zeros(len(x), 3, 6))
    assert not bench.maps((6, 5, 5, 3), 4)["equal"]


def test_slopes_one_by_one_are_those_of_a_layer(bench):
    made = bench.network((3, 2))
    assert torch.equal(bench.one_by_one(made, torch.randn(4, 3)), made[0].weight.expand(4, 2, 3))
