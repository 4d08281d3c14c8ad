"""Balls, facets and boundaries: known answers, invariances, qhull and brute force beside linear programs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import HalfspaceIntersection
from torch import nn

from lggkit.regions import Cells, Polyhedron

dimensions = pytest.mark.parametrize("m", [1, 2, 3, 7])
METHODS = ("lp", "qhull", "cone")
quick = settings(max_examples=20, deadline=None)


def simplex(m):
    normals = torch.cat([-torch.eye(m), torch.ones(1, m)]).double()
    return Polyhedron(normals, torch.tensor([0.0] * m + [1.0]))


@dimensions
def test_the_ball_in_a_cube_and_in_a_simplex(m):
    ball = Polyhedron.box(-1, 1, m).chebyshev()
    assert ball.bounded and ball.radius == pytest.approx(1)
    assert ball.center.abs().max() < 1e-9
    assert simplex(m).chebyshev().radius == pytest.approx(1 / (m + math.sqrt(m)))


@dimensions
def test_scaled_and_superfluous_rows_leave_the_ball(m):
    one = simplex(m)
    size = torch.rand(m + 1, dtype=torch.float64) + 0.1
    more = Polyhedron(one.normals * size[:, None], one.offsets * size).within(Polyhedron.box(-9, 9, m))
    assert more.chebyshev().radius == pytest.approx(one.chebyshev().radius)


def test_a_rigid_motion_moves_the_center_and_keeps_the_radius():
    one, turn = simplex(3), torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    shift = torch.randn(3, dtype=torch.float64)
    moved = Polyhedron(one.normals @ turn.T, one.offsets + one.normals @ turn.T @ shift)
    ball = moved.chebyshev()
    assert ball.radius == pytest.approx(one.chebyshev().radius)
    torch.testing.assert_close(ball.center, turn @ one.chebyshev().center + shift)


def test_an_unbounded_polyhedron_has_no_largest_ball_where_it_widens():
    orthant = Polyhedron(-torch.eye(2), torch.zeros(2))
    assert not orthant.chebyshev().bounded and orthant.chebyshev().radius == math.inf
    slab = Polyhedron(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), torch.ones(2))
    assert slab.chebyshev().radius == pytest.approx(1) and not slab.is_bounded()
    assert not orthant.is_bounded() and Polyhedron.box(0, 1, 3).is_bounded() and simplex(4).is_bounded()


@quick
@given(seed=st.integers(0, 10**6), m=st.integers(2, 4), rows=st.integers(3, 25))
def test_facets_by_programs_and_by_qhull_agree_with_removing_a_row(seed, m, rows):
    g = torch.Generator().manual_seed(seed)
    normals = torch.randn(rows, m, generator=g, dtype=torch.float64)
    offsets = normals.norm(dim=1) * (0.2 + torch.rand(rows, generator=g, dtype=torch.float64))
    one = Polyhedron(normals, offsets).within(Polyhedron.box(-2, 2, m))
    inside = torch.zeros(m, dtype=torch.float64)
    found = one.facets("lp", inside)
    assert all(torch.equal(found, one.facets(method, inside)) for method in ("qhull", "cone"))
    assert torch.equal(found, one.facets("lp"))
    halves = np.hstack([one.normals.numpy(), -one.offsets.numpy()[:, None]])
    met = HalfspaceIntersection(halves, inside.numpy())
    corners = met.intersections
    touching = np.isclose(corners @ one.normals.numpy().T, one.offsets.numpy(), atol=1e-8).sum(0) >= m
    assert (touching == found.numpy()).all()
    kept = Polyhedron(one.normals[found], one.offsets[found])
    points = 4 * torch.rand(300, m, generator=g, dtype=torch.float64) - 2
    assert torch.equal(kept.contains(points), one.contains(points))


def test_duplicates_and_implied_rows_are_no_facets():
    box = Polyhedron.box(0, 1, 2)
    rows = torch.tensor([[2.0, 0.0], [1.0, 1.0], [0.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    more = box.within(Polyhedron(rows, torch.tensor([2.0, 5.0, 0.0, 6.0])))
    for method in METHODS:
        assert more.facets(method).tolist() == [True] * 4 + [False] * 4


def test_unbounded_and_thin_polyhedra_have_their_facets():
    orthant = Polyhedron(torch.cat([-torch.eye(3), -torch.ones(1, 3)]), torch.zeros(4))
    for method in METHODS:
        assert orthant.facets(method).tolist() == [True, True, True, False]
        slab = Polyhedron(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]]), torch.tensor([1e-7, 0.0, 1.0]))
        inside = torch.tensor([5e-8, 0.0], dtype=torch.float64)
        assert slab.facets(method, inside).tolist() == [True, True, False]
        line = Polyhedron(torch.tensor([[1.0], [-1.0], [2.0]]), torch.tensor([1.0, 0.0, 3.0]))
        assert line.facets(method).tolist() == [True, True, False]


@quick
@given(seed=st.integers(0, 10**6))
def test_cones_and_programs_agree_on_cells_of_networks(seed):
    torch.manual_seed(seed)
    cells = Cells(nn.Sequential(nn.Linear(9, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU()), (9,))
    cell = cells.at(torch.randn(9))
    inside = cell.within(Polyhedron.box(-5, 5, 9)).chebyshev().center
    assert torch.equal(cell.facets("cone", inside), cell.facets("lp", inside))


@dimensions
def test_the_distance_of_boxes_and_of_a_cell_and_its_neighbour(m, mlp):
    one, other = Polyhedron.box(-1, 1, m), Polyhedron.box(1.5, 4, m)
    assert one.distance(other) == pytest.approx(0.5) == other.distance(one)
    assert one.distance(Polyhedron.box(0, 9, m)) == 0
    cells, x = Cells(mlp(m, 8, 6, 1), (m,)), torch.randn(2, m, dtype=torch.float64)
    first, second = (cells.at(point) for point in x)
    assert first.distance(second) <= (x[0] - x[1]).abs().max() + 1e-9
    beyond = cells.neighbours(first, first.facets("lp", x[0]))
    assert all(first.distance(cells.of(pattern)) < 1e-8 for pattern in beyond)


def test_distance_to_the_boundary(mlp):
    box = Polyhedron.box(0, 1, 2)
    x = torch.tensor([[0.5, 0.5], [0.1, 0.4], [1.0, 0.3], [2.0, 0.5]], dtype=torch.float64)
    torch.testing.assert_close(box.distance_to_boundary(x), torch.tensor([0.5, 0.1, 0.0, -1.0]).double())
    cells, points = Cells(mlp(2, 8, 6, 1), (2,)), torch.randn(20, 2, dtype=torch.float64)
    for point in points:
        cell = cells.at(point).within(Polyhedron.box(-50, 50, 2))
        assert cell.chebyshev().radius >= cell.distance_to_boundary(point) - 1e-9


def test_the_center_has_the_pattern_and_a_facet_crossed_flips_its_bit(mlp):
    cells = Cells(mlp(3, 7, 6, 2), (3,))
    for point in torch.randn(12, 3, dtype=torch.float64):
        cell = cells.at(point)
        cut = cell.within(Polyhedron.box(-20, 20, 3))
        ball = cut.chebyshev()
        assert torch.equal(cells.patterns(ball.center[None])[0], cell.pattern)
        samples = ball.center + ball.radius * 0.57 * (2 * torch.rand(20, 3, dtype=torch.float64) - 1)
        assert (cells.patterns(samples) == cell.pattern).all() and cell.contains(samples).all()
        outputs = cells.runner.seen(samples)[1]
        torch.testing.assert_close(samples @ cell.weight.T + cell.bias, outputs)
        for other in cells.neighbours(cell, cut.facets("lp")[:13])[:4]:
            beyond = cells.of(other).within(Polyhedron.box(-20, 20, 3))
            back = cells.neighbours(cells.of(other), beyond.facets("lp")[:13])
            assert any(torch.equal(one, cell.pattern) for one in back)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Polyhedron(torch.rand(3, 2), torch.rand(2)), r"shapes \(\(3, 2\), \(2,\)\); give"),
        (lambda: Polyhedron(torch.rand(3, 2) / 0, torch.rand(3)), "are not finite"),
        (lambda: Polyhedron.box(1, 1, 2), "the box is empty or flat"),
        (lambda: Polyhedron.box(0, 1, 2).distance(Polyhedron.box(0, 1, 3)), "2 and 3 dimensions; give"),
        (lambda: Polyhedron.box(0, 1, 2).facets("guess"), "method must be one of lp, qhull, cone"),
        (lambda: Polyhedron.box(0, 1, 2).facets("lp", torch.ones(2)), "no interior about that point"),
        (
            lambda: Polyhedron(torch.tensor([[1.0], [-1.0]]), torch.tensor([0.0, -1.0])).chebyshev(),
            "is empty",
        ),
        (lambda: Polyhedron(torch.zeros(1, 2), -torch.ones(1)).chebyshev(), "a row 0 x <= c has c < 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
