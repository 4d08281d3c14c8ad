"""The benchmark of the regulariser, with four images and a network of width four."""

from functools import partial

import pytest
import torch

from lggkit.objectives import variation_smoothness


@pytest.fixture
def bench(monkeypatch, load):
    module = load("bench_regularizer")
    small = {"BATCH": 4, "WIDTH": 4, "ROUNDS": 1, "STEP_ROUNDS": 1}
    for name, value in (small | {"STEP_WIDTH": {"cpu": 4}, "STEPS": {"cpu": 1}}).items():
        monkeypatch.setattr(module, name, value)
    return module


def test_the_maps_are_those_behind_the_relus(bench):
    depths = bench.maps("cpu")
    shapes = [(4, 32, 32)] * 5 + [(8, 16, 16)] * 4 + [(16, 8, 8)] * 4 + [(32, 4, 4)] * 4
    assert [tuple(x.shape) for x in depths] == [(4, *shape) for shape in shapes]
    assert all(x.min() == 0 and x.requires_grad and x.is_leaf for x in depths)


def test_there_is_a_row_a_power_and_both_sides_agree(bench):
    rows = bench.alone("cpu")
    assert [row["power"] for row in rows] == [1, 2, 3] and all(row["equal"] for row in rows)
    assert all(row["smallest_ratio"] == 1.4 and row["n"] == 4 for row in rows)
    assert rows[0]["ratio"] == rows[0]["reference_seconds"] / rows[0]["ours_seconds"]


@pytest.mark.parametrize(
    "wrong", [{"reduction": "sum"}, {"normalized": True}, {"k": 2}, {"power": 1}], ids=str
)
def test_another_regulariser_is_not_taken_for_the_same(bench, wrong):
    def other(depths, labels, power):
        return variation_smoothness(depths, labels, **{"power": power} | wrong)

    depths, labels = bench.maps("cpu"), torch.arange(4) % 3
    expected = bench.measured(partial(bench.straightforward, depths, labels, 2), depths)
    assert bench.same(bench.measured(partial(bench.ours, depths, labels, 2), depths), expected)
    assert not bench.same(bench.measured(partial(other, depths, labels, 2), depths), expected)


def test_a_step_is_timed_with_either_regulariser_and_without(bench, monkeypatch):
    monkeypatch.setattr(bench, "alternate", lambda sides, rounds: [3.0, 6.0, 2.0])
    step, plain = bench.in_a_step("cpu")
    assert step["equal"] and (step["ratio"], step["share"]) == (2.0, 0.5)
    assert step["name"].endswith("which adds 50 %") and "width 4" in step["name"]
    assert (plain["ours_seconds"], plain["reference_seconds"], plain["ratio"]) == (2.0, None, None)


def test_the_regulariser_is_in_the_step(bench, monkeypatch):
    depths, seen = [], []
    monkeypatch.setattr(bench, "alternate", lambda sides, rounds: [1.0, 1.0, 1.0])
    inside = bench.regularized

    def watched(regularizer, latents, logits, labels):
        depths.append(len(latents))
        seen.append(regularizer)
        return inside(regularizer, latents, logits, labels)

    monkeypatch.setattr(bench, "regularized", watched)
    bench.in_a_step("cpu")
    assert depths == [17, 17] and seen == [bench.ours, bench.straightforward]
    monkeypatch.setattr(bench, "WEIGHT", 1e3)
    monkeypatch.setattr(bench, "straightforward", lambda *given: 2 * bench.ours(*given))
    step, _ = bench.in_a_step("cpu")
    assert not step["equal"]
