"""Counts of pieces, Euler's formula, traversal against polygon splitting, and crossings of segments."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.networks import small_net
from lggkit.regions import (
    Cells,
    Plane,
    Polyhedron,
    bisection_crossings,
    enumerate_cells,
    planar_partition,
    segment_crossings,
    square,
)


@pytest.mark.parametrize(("k", "m"), [(10, 2), (5, 3), (6, 1)])
def test_generic_units_make_as_many_pieces_as_they_can(mlp, k, m):
    found = enumerate_cells(Cells(mlp(m, k, 1), (m,)), torch.zeros(m))
    assert len(found.patterns) == sum(math.comb(k, j) for j in range(m + 1))
    assert int(found.bounded.sum()) == math.comb(k - 1, m) and found.complete
    stopped = enumerate_cells(Cells(mlp(m, k, 1), (m,)), torch.zeros(m), most=2)
    assert not stopped.complete


def test_coordinates_make_orthants():
    network = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(3))
        network[0].bias.zero_()
    found = enumerate_cells(Cells(network, (3,)), torch.ones(3))
    assert len(found.patterns) == 8 and not found.bounded.any() and len(found.edges) == 12


@pytest.mark.parametrize("widths", [(2, 6, 1), (2, 5, 4, 3, 1)])
def test_walking_and_cutting_find_the_same(mlp, widths):
    cells = Cells(mlp(*widths), (2,))
    pieces = planar_partition(cells, square(2.0))
    cut = {piece.pattern.tobytes() for piece in pieces}
    box = Polyhedron.box(-2, 2, 2)
    for start in (torch.zeros(2), torch.tensor([1.5, -1.2])):
        walked = enumerate_cells(cells, start, box, method="lp")
        assert {pattern.numpy().tobytes() for pattern in walked.patterns} == cut
        assert walked.bounded.all()
    assert len(cut) == len(pieces) and sum(p.area for p in pieces) == pytest.approx(16)
    grid = torch.cartesian_prod(*[torch.linspace(-1.99, 1.99, 23, dtype=torch.float64)] * 2)
    assert {bits.numpy().tobytes() for bits in cells.patterns(grid)} <= cut
    for piece in pieces:
        middle = torch.from_numpy(piece.vertices.mean(0))
        assert (cells.patterns(middle[None])[0].numpy() == piece.pattern).all()


def test_eulers_formula(mlp):
    pieces = planar_partition(Cells(mlp(2, 8, 7, 1), (2,)), square(3.0))
    corners = np.unique(np.round(np.concatenate([p.vertices for p in pieces]), 7), axis=0)
    sides = set()
    for piece in pieces:
        for a, b in zip(piece.vertices, np.roll(piece.vertices, -1, axis=0), strict=True):
            along = (b - a) / max(np.linalg.norm(b - a), 1e-12)
            between = (corners - a) @ along
            off = np.abs((corners - a) @ np.array([-along[1], along[0]]))
            on = (off < 1e-6) & (between > -1e-6) & (between < np.linalg.norm(b - a) + 1e-6)
            places = np.flatnonzero(on)[np.argsort(between[on])]
            sides |= {tuple(sorted(pair)) for pair in pairwise(places)}
    assert len(corners) - len(sides) + len(pieces) == 1


def test_any_network_is_looked_at_on_a_plane_through_three_inputs():
    cells = Cells(small_net(width=2), (1, 6, 6))
    a, b, c = torch.rand(3, 1, 6, 6, dtype=torch.float64)
    pieces = planar_partition(cells, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), Plane.through(a, b, c))
    assert sum(p.area for p in pieces) == pytest.approx(0.5) and len(pieces) > 3
    largest = max(pieces, key=lambda p: p.area)
    u, v = largest.vertices.mean(0)
    assert (cells.patterns((a + u * (b - a) + v * (c - a))[None])[0].numpy() == largest.pattern).all()


@pytest.mark.parametrize("seed", range(5))
def test_crossings_of_a_segment(mlp, seed):
    torch.manual_seed(seed)
    cells = Cells(mlp(4, 12, 11, 10, 2), (4,))
    a, middle, b = 3 * torch.randn(3, 4, dtype=torch.float64)
    middle = a + 0.37 * (b - a)
    found = segment_crossings(cells, a, b)
    assert torch.equal(found.ends, cells.patterns(torch.stack([a, b])))
    odd = torch.bincount(found.unit, minlength=33) % 2 == 1
    apart = found.ends[0] ^ found.ends[1]
    assert torch.equal(odd, apart) and len(found.t) >= int(apart.sum())
    back = segment_crossings(cells, b, a)
    torch.testing.assert_close(back.t, (1 - found.t).flip(0))
    assert torch.equal(back.unit, found.unit.flip(0))
    halves = [len(segment_crossings(cells, *ends).t) for ends in ((a, middle), (middle, b))]
    assert sum(halves) == len(found.t)
    between = torch.cat([torch.zeros(1), found.t, torch.ones(1)]).double()
    midpoints = (between[:-1] + between[1:]) / 2
    walked = cells.patterns(a + midpoints[:, None] * (b - a))
    assert ((walked[1:] ^ walked[:-1]).sum(1) == 1).all()
    assert int(apart.sum()) <= len(bisection_crossings(cells, a, b)) <= len(found.t)


def test_one_layer_is_crossed_once_a_bit(mlp):
    cells = Cells(mlp(3, 20, 1), (3,))
    a, b = torch.randn(2, 3, dtype=torch.float64)
    found = segment_crossings(cells, a, b)
    assert len(found.t) == int((found.ends[0] ^ found.ends[1]).sum())
    assert len(bisection_crossings(cells, a, b)) == len(found.t)
    assert len(segment_crossings(cells, a, a).t) == len(bisection_crossings(cells, a, a)) == 0


def test_facets_nearer_than_the_shortest_step_end_the_bisection():
    network = nn.Sequential(nn.Linear(1, 3), nn.ReLU())
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        network[0].bias.copy_(torch.tensor([-0.3, -0.3, -0.3]))
    cells = Cells(network, (1,))
    assert 1 <= len(bisection_crossings(cells, torch.zeros(1), torch.ones(1))) <= 3
    assert len(segment_crossings(cells, torch.zeros(1), torch.ones(1)).t) == 3


def test_bad_input(mlp):
    cells = Cells(mlp(3, 4, 1), (3,))
    with pytest.raises(ValueError, match="the network has 3 inputs; give the plane"):
        planar_partition(cells, square(1.0))
    with pytest.raises(ValueError, match=r"corners have shape \(2, 2\); give \(k, 2\)"):
        planar_partition(cells, np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"the ends have shapes \(3,\) and \(2,\)"):
        segment_crossings(cells, torch.zeros(3), torch.zeros(2))
