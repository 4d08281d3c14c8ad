"""What is measured of cells, against the wing called by hand; rules of steps; who is misclassified."""

import pytest
import torch
from torch import nn

from lggkit.evaluation import pieces
from lggkit.evaluation.measured_cells import facets_that_differ, measured_cells, split_by_answer
from lggkit.regions import Cells, Polyhedron

BOXES = {"near": Polyhedron.box(-4, 4, 5), "wide": Polyhedron.box(-9, 9, 5)}


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = [nn.Linear(5, 9), nn.ReLU(), nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 3)]
    return nn.Sequential(*layers).requires_grad_(False)


def test_a_cell_is_measured_as_the_wing_does_it(network):
    x = torch.randn(6, 5)
    for point, found in zip(x, measured_cells(network, x, BOXES), strict=True):
        cell = Cells(network, (5,)).at(point)
        assert found.facets == int(cell.facets("lp").sum()) == len(found.polyhedron.normals)
        assert found.bounded == cell.is_bounded()
        assert found.radii["near"] == pytest.approx(cell.within(BOXES["near"]).chebyshev().radius)
        assert found.radii["near"] <= found.radii["wide"] + 1e-9
        assert 0 <= found.room <= found.radii["wide"] + 1e-9
    assert facets_that_differ(network, x, BOXES["near"]) == 0


def test_nobody_counts_where_it_is_not_asked(network):
    counted, bare = (measured_cells(network, torch.ones(1, 5), BOXES, count)[0] for count in (True, False))
    assert bare.facets is None and bare.bounded is None and counted.radii == pytest.approx(bare.radii)


@pytest.mark.parametrize("rule", pieces.RULES)
def test_every_rule_gives_a_step_and_longer_ones_change_more(network, rule):
    x, source = torch.randn(200, 5), torch.Generator().manual_seed(0)
    assert (pieces.RULES[rule](x, source).norm(dim=1) > 0).all()
    near, far = (
        pieces.hamming_response(network, x, d, torch.Generator().manual_seed(0), rule) for d in (0.1, 3)
    )
    assert 0 <= near < far <= 18


def test_steps_towards_others_lead_to_inputs_each_once():
    x = torch.arange(7.0)[:, None]
    reached = x + pieces.RULES["toward"](x, torch.Generator().manual_seed(1))
    assert sorted(reached[:, 0].tolist()) == x[:, 0].tolist() and (reached != x).all()


def test_right_and_wrong_are_apart(network):
    x = torch.randn(20, 5)
    right, wrong = split_by_answer(network, x, network(x).argmax(1) * (torch.arange(20) < 12))
    assert (right ^ wrong).all() and right[:12].all()
