"""The benchmark of similarities, with a few depths."""

import pytest
import torch

from lggkit.study.records.bench_rows import check_rows


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_similarity")
    small = {"DEPTHS": 3, "BATCH": 8, "BATCHES": 2, "WIDTH": 5, "STIMULI": 6, "FEATURES": 20, "ROUNDS": 1}
    for name, value in small.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_both_sides_agree(bench):
    rows = bench.run()
    check_rows(rows)
    assert all(row["equal"] for row in rows)
    assert [row["smallest_ratio"] for row in rows] == [10.0, 1.2]


def test_another_alignment_is_told_apart(bench, monkeypatch):
    monkeypatch.setattr(bench, "in_one_pass", lambda batches: 0.5 * bench.pair_by_pair(batches))
    assert not bench.all_depths()["equal"]


def test_a_network_is_aligned_with_itself(bench):
    batches = [(first, first) for first, _ in bench.latents()]
    assert torch.allclose(torch.diagonal(bench.pair_by_pair(batches)), torch.ones(3), atol=1e-5)
