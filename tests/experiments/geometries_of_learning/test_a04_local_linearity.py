import numpy as np
import pytest
import torch

from lggkit.experiments.geometries_of_learning.a04_local_linearity import EXPERIMENT, PAPER
from lggkit.experiments.recipes import map_networks, toy_maps
from lggkit.regions import Cells


def test_xor_by_hand_is_exact(records):
    metrics = records["xor", 0].metrics
    assert metrics["corner_error"] == metrics["band_error"] == metrics["phantom_cell"] == 0
    cells = Cells(toy_maps.by_hand(), (2,))
    cell = cells.at(torch.tensor([0.5, 0.5]))
    assert cell.weight.tolist() == [[-2.0, -2.0]] and cell.bias.tolist() == [1.0]


def test_narrow_networks_enclose_nothing(records):
    assert records["narrow", 0].metrics["enclosing_narrow"] == 0
    assert records["circle_2", 0].metrics["enclosing"] == 0


@pytest.mark.parametrize("arm", ["circle_3", "circle_888", "four_888"])
def test_shares_are_of_the_restarts_and_drawn_pieces_fill_the_square(records, arm):
    record = records[arm, 0]
    best, side = record.arrays["best"], 4 if arm == "four_888" else 2
    assert record.metrics["failed"] == 100 * np.mean(best < PAPER.enough)
    assert record.metrics["best"] == pytest.approx(best.max())
    pieces = np.split(record.arrays["corners_0"], np.cumsum(record.arrays["counts_0"])[:-1])
    turned = [(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1)).sum() / 2 for p in pieces]
    assert np.abs(turned).sum() == pytest.approx(side**2, rel=1e-4)
    assert len(record.arrays["maps_0"]) == len(record.arrays["decisions_0"]) == len(pieces)


def test_discs_and_rings_are_where_they_should_be():
    x, labels = toy_maps.disc_and_ring(500, 0, four=False)
    square = x.square().sum(1)
    assert len(x) == 500 and (square[labels == 1] < 0.25).all()
    assert ((square[labels == 0] > 0.5) & (square[labels == 0] < 0.75)).all()
    x, labels = toy_maps.disc_and_ring(500, 0, four=True)
    inside = (x - x.sign()).square().sum(1) < 0.25
    assert torch.equal(labels == 1, inside ^ (x[:, 0] * x[:, 1] < 0))


def test_a_restart_is_what_it_is_alone():
    x, labels = toy_maps.disc_and_ring(300, 0, four=False)
    many, one = map_networks.restarts((2, 3, 2), 0, 3), map_networks.restarts((2, 3, 2), 0, 3)[1:2]
    ends = []
    for networks, place in ((many, 1), (one, 0)):
        *_, stacked = map_networks.fit_together(networks, x, labels, (0.1, 0.9, 1e-4), 2, 100, 0)
        ends.append(map_networks.unstacked(stacked, place)(x))
    torch.testing.assert_close(*ends, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("arm", ["images-digits", "images-fashion"])
def test_tables_are_complete_and_maps_give_back_the_outputs(records, arm):
    metrics = records[arm, 0].metrics
    assert metrics["map_error"] < 1e-4
    for kind in map_networks.KINDS:
        assert metrics[f"r2_{kind}_{kind}"] > 0.3, "a network is carried to itself as far as its rank allows"
        for k in PAPER.clusters:
            assert 0 <= metrics[f"clustered_{kind}_{k}"] <= 100
        for source in (*map_networks.KINDS, "input", "untrained"):
            assert metrics[f"r2_{source}_{kind}"] <= 1 + 1e-9
    assert metrics["least_other_1"] == min(metrics[f"clustered_{k}_1"] for k in ("dense", "conv1", "conv2"))


def test_kinds_start_from_weights_of_their_own():
    one, two = (map_networks.built(kind, PAPER, 14, 3) for kind in ("conv1", "conv2"))
    assert not torch.equal(one[0].weight, two[0].weight)
    again = map_networks.built("conv1", PAPER, 14, 3)
    assert torch.equal(one[0].weight, again[0].weight)


def test_the_protocol_is_the_authors_where_they_state_one():
    assert (PAPER.samples, PAPER.rate, PAPER.momentum, PAPER.decay, PAPER.batch) == (
        100_000,
        0.1,
        0.9,
        1e-4,
        100,
    )
    assert PAPER.sgd == (0.01, 0.5, 0.01) and PAPER.clusters[:3] == (1, 10, 100)
    assert EXPERIMENT.spec("four_888", "paper").protocol.epochs == 4
