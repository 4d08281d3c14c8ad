"""Cells, balls, facets and partitions of very small and very large networks, in any mode; what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.regions import (
    Cells,
    Plane,
    Polyhedron,
    enclosed_parts,
    enumerate_cells,
    local_affine_maps,
    planar_partition,
    square,
)


def shrunk(network, scale):
    """The same network about 0 at another scale: its biases, and with them its cells, shrink."""
    for part in network[::2]:
        part.bias.data.mul_(scale)
    return network


def rows_of(patterns):
    return {row.numpy().tobytes() for row in patterns}


@pytest.mark.parametrize("scale", [1e-12, 1e-8])
@pytest.mark.parametrize("boxed", [True, False])
@pytest.mark.parametrize("method", ["qhull", "lp"])
def test_small_networks_have_the_cells_of_ordinary_ones(mlp, scale, boxed, method):
    def cells(size):
        torch.manual_seed(3)
        box = Polyhedron.box(-2 * size, 2 * size, 2) if boxed else None
        return enumerate_cells(Cells(shrunk(mlp(2, 4, 3, 1), size), (2,)), torch.zeros(2), box, method=method)

    found, expected = cells(scale), cells(1.0)
    assert rows_of(found.patterns) == rows_of(expected.patterns) and found.complete
    assert int(found.bounded.sum()) == int(expected.bounded.sum())


@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1e9])
def test_balls_of_any_size_are_the_largest(scale):
    place = torch.tensor([3.0, -1.0], dtype=torch.float64) * min(scale * 1e3, 1e3)
    corner = Polyhedron(torch.cat([-torch.eye(2), torch.ones(1, 2)]).double(), torch.tensor([0.0, 0, 1]))
    moved = Polyhedron(corner.normals, corner.offsets * scale + corner.normals @ place)
    ball = moved.chebyshev()
    assert ball.radius == pytest.approx(scale / (2 + 2**0.5), rel=1e-6)
    torch.testing.assert_close((ball.center - place) / scale, torch.full((2,), 1 / (2 + 2**0.5)).double())


def test_what_is_empty_by_little_is_empty():
    gap = Polyhedron(torch.tensor([[1.0], [-1.0]]), torch.tensor([0.0, -1e-9], dtype=torch.float64))
    with pytest.raises(ValueError, match="the polyhedron is empty"):
        gap.chebyshev()


@pytest.mark.parametrize("method", ["lp", "qhull", "cone"])
def test_cells_far_out_and_rows_of_nothing_have_their_facets(method):
    far = Polyhedron.box(5e8, 5e8 + 3, 2)
    more = far.within(Polyhedron(torch.ones(1, 2), torch.tensor([2e9], dtype=torch.float64)))
    assert more.facets(method).tolist() == [True] * 4 + [False]
    assert Polyhedron(torch.zeros(2, 3), torch.ones(2)).facets(method).tolist() == [False, False]
    assert Polyhedron(torch.zeros(0, 3), torch.ones(0)).facets(method).shape == (0,)


def test_a_unit_of_tiny_weights_is_cut_along(mlp):
    cells = Cells(mlp(2, 6, 1), (2,))
    expected = {piece.pattern.tobytes(): piece.area for piece in planar_partition(cells, square(2.0))}
    for scale in (1e-11, 1e11):
        first = cells.runner.module[0]
        first.weight.data[2] *= scale
        first.bias.data[2] *= scale
        found = {piece.pattern.tobytes(): piece.area for piece in planar_partition(cells, square(2.0))}
        assert found.keys() == expected.keys()
        assert all(found[key] == pytest.approx(area, abs=1e-7) for key, area in expected.items())


@pytest.mark.parametrize("most", [1, 2, 5, 21, 22, 100])
def test_a_stopped_walk_has_so_many_cells_and_their_own_flags(mlp, most):
    cells = Cells(mlp(2, 6, 1), (2,))
    whole = enumerate_cells(cells, torch.zeros(2))
    flags = dict(zip(map(bytes, whole.patterns.numpy()), whole.bounded.tolist(), strict=True))
    part = enumerate_cells(cells, torch.zeros(2), most=most)
    assert len(part.patterns) == min(most, len(flags)) == len(part.bounded)
    assert part.complete == (most >= len(flags))
    for pattern, bounded in zip(part.patterns.numpy(), part.bounded.tolist(), strict=True):
        assert flags[bytes(pattern)] == bounded
    assert not len(part.edges) or int(part.edges[:, :2].max()) < len(part.patterns)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_maps_are_found_in_any_mode(mlp, mode):
    network, x = mlp(4, 6, 2), torch.randn(5, 4).double()
    expected = local_affine_maps(network, x)
    with mode():
        found = local_affine_maps(network, x.clone())
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_corners_may_lie_in_memory_as_they_like(mlp):
    cells = Cells(mlp(2, 6, 1), (2,))
    found, expected = (len(planar_partition(cells, c)) for c in (square(2.0)[::-1], square(2.0)))
    assert found == expected


A, B, C = torch.eye(3, dtype=torch.float64)
REFUSED = {
    "equal": (lambda cells: Plane.through(A, A, C), "equal or lie on one line"),
    "equal ends": (lambda cells: Plane.through(A, B, B.clone()), "equal or lie on one line"),
    "collinear": (
        lambda cells: Plane.through(A.float(), B.float(), (0.3 * A + 0.7 * B).float()),
        "on one line",
    ),
    "shapes": (lambda cells: Plane.through(A, B, C[:2]), r"shapes \(3,\), \(3,\), \(2,\); give three"),
    "no corners": (lambda cells: planar_partition(cells, np.zeros((0, 2))), r"shape \(0, 2\); give \(k, 2\)"),
    "no pieces": (lambda cells: enclosed_parts([], np.zeros(0), square(1.0)), "there are no pieces"),
    "none": (lambda cells: enumerate_cells(cells, torch.zeros(2), most=0), "most must be at least 1, got 0"),
    "outside": (
        lambda cells: enumerate_cells(cells, 3 * torch.ones(2), Polyhedron.box(-1, 1, 2)),
        "start lies outside the box",
    ),
    "NaN": (lambda cells: Polyhedron.box(0, 1, 2).contains(A[:2] * torch.nan), "entries of x are NaN"),
    "no input": (lambda cells: local_affine_maps(nn.Linear(2, 2), torch.zeros(0, 2)), "at least one input"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_values_are_refused(mlp, case):
    work, said = REFUSED[case]
    with pytest.raises(ValueError, match=said):
        work(Cells(mlp(2, 3, 1), (2,)))


def test_a_fraction_of_a_cell_is_refused(mlp):
    with pytest.raises(TypeError, match="most must be an int"):
        enumerate_cells(Cells(mlp(2, 3, 1), (2,)), torch.zeros(2), most=2.5)
