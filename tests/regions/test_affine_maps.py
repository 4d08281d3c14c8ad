"""Maps as points, their clusters and alignments, and what a decision encloses: known answers, properties."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import nn

from lggkit.regions import (
    Cells,
    Plane,
    align_maps,
    cluster_maps,
    dual_outputs,
    dual_points,
    enclosed_parts,
    local_affine_maps,
    piece_maps,
    planar_partition,
    square,
)

quick = settings(max_examples=15, deadline=None)


def points_of(network, x):
    return dual_points(*local_affine_maps(network, x))


def test_points_give_back_the_network(mlp):
    network, x = mlp(4, 6, 5, 3), torch.randn(9, 4).double()
    points = points_of(network, x)
    assert points.shape == (9, 3, 5)
    torch.testing.assert_close(dual_outputs(points, x), network(x))
    bare = dual_outputs(points[..., :-1], x)
    torch.testing.assert_close(bare + points[..., -1], network(x))


def test_a_network_without_biases_has_no_offset(mlp):
    network, x = mlp(4, 6, 3), torch.randn(9, 4).double()
    for part in network[::2]:
        part.bias.data.zero_()
    assert points_of(network, x)[..., -1].abs().max() < 1e-12


def test_rescaled_and_permuted_units_leave_the_points_and_the_alignment_is_the_identity(mlp):
    network, x = mlp(3, 20, 2), torch.randn(200, 3).double()
    before = points_of(network, x)
    order, size = torch.randperm(20), torch.rand(20).double() + 0.5
    with torch.no_grad():
        network[0].weight.copy_((size[:, None] * network[0].weight)[order])
        network[0].bias.copy_((size * network[0].bias)[order])
        network[2].weight.copy_((network[2].weight / size)[:, order])
    after = points_of(network, x)
    torch.testing.assert_close(before, after)
    found = align_maps(before, after, ridge=0.0)
    for one in found.maps:
        torch.testing.assert_close(one.weight, torch.eye(4).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(found.r2(before, after), torch.ones(2).double())


def test_a_turned_network_is_aligned_by_the_turn(mlp):
    """f₂(x) = f₁(Q x), at matched inputs."""
    network, x = mlp(3, 20, 2), torch.randn(300, 3).double()
    turn = torch.linalg.qr(torch.randn(3, 3).double())[0]
    turned = nn.Sequential(nn.Linear(3, 3, bias=False).double(), *network)
    turned[0].weight.data.copy_(turn)
    source, target = points_of(network, x @ turn.T), points_of(turned, x)
    expected = torch.block_diag(turn, torch.ones(1, 1).double())
    for one in align_maps(source, target).maps:
        torch.testing.assert_close(one.weight, expected, atol=1e-4, rtol=0)


def test_clouds_of_low_rank_are_aligned_by_the_map_of_least_norm(mlp):
    network, x = mlp(12, 4, 2), torch.randn(300, 12).double()
    cloud, other = points_of(network, x), points_of(mlp(12, 30, 2), x)
    with pytest.raises(ValueError, match="depend on each other"):
        align_maps(cloud, other, ridge=0.0)
    for j, one in enumerate(align_maps(cloud, other).maps):
        expected = torch.linalg.lstsq(cloud[:, j], other[:, j], driver="gelsd").solution
        torch.testing.assert_close(one.weight, expected, atol=1e-3, rtol=1e-3)


def test_a_linear_network_is_one_map(mlp):
    network, x = mlp(4, 3), torch.randn(40, 4).double()
    points = points_of(network, x)
    torch.testing.assert_close(cluster_maps(points, 1).outputs(points, x), network(x))


def test_one_cluster_is_the_mean_and_as_many_as_points_are_the_network(mlp):
    network, x = mlp(4, 30, 3), torch.randn(25, 4).double()
    points = points_of(network, x)
    torch.testing.assert_close(cluster_maps(points, 1).centers[:, 0], points.mean(0))
    clusters = cluster_maps(points, 25)
    torch.testing.assert_close(clusters.outputs(points, x), network(x))


def test_the_nearest_centre_is_a_plain_loops(mlp):
    points = points_of(mlp(4, 8, 3), torch.randn(60, 4).double())
    clusters = cluster_maps(points, 5, seed=1)
    found = clusters.nearest(points)
    for i, row in enumerate(points):
        for j, point in enumerate(row):
            far = [(point - center).norm().item() for center in clusters.centers[j]]
            assert far[found[i, j]] == pytest.approx(min(far))


def test_inputs_of_one_pattern_have_one_map(mlp):
    network, x = mlp(2, 5, 2), torch.randn(300, 2).double()
    points, patterns = points_of(network, x), Cells(network, (2,)).patterns(x)
    _, names = patterns.unique(dim=0, return_inverse=True)
    for name in names.unique():
        assert (points[names == name] - points[names == name][0]).abs().max() < 1e-9


def decided(network, size=8.0):
    """Pieces of a square with the decision's bit of each; the network ends with a ReLU on one output."""
    pieces = planar_partition(Cells(network, (2,)), square(size))
    return pieces, np.array([piece.pattern[-1] for piece in pieces]), square(size)


def test_a_diamond_is_enclosed():
    network = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), nn.ReLU())
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        network[0].bias.zero_()
        network[2].weight.fill_(-1.0)
        network[2].bias.fill_(1.0)
    assert enclosed_parts(*decided(network)) == 1
    pieces, marks, _ = decided(network, 0.9)
    assert enclosed_parts(pieces, marks, square(0.9)) == 0, "in a smaller square it touches the rim"


@quick
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 5), width=st.integers(1, 2))
def test_networks_of_at_most_two_units_a_layer_enclose_nothing(seed, depth, width):
    torch.manual_seed(seed)
    widths = (2, *[width] * depth, 1)
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    assert enclosed_parts(*decided(nn.Sequential(*layers))) == 0


@pytest.mark.parametrize("seed", range(12))
def test_enclosed_parts_are_those_that_a_fine_grid_shows(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 1), nn.ReLU())
    network[2].weight.data.mul_(3)
    network[2].bias.data = -network[:3](torch.zeros(1, 2))[0].detach() + 0.2 * torch.randn(1)
    pieces, marks, corners = decided(network, 3.0)
    ticks = torch.linspace(-3, 3, 801)
    grid = torch.cartesian_prod(ticks, ticks)
    on = (network(grid)[:, 0] > 0).view(801, 801).numpy()
    found = 0
    for side in (on, ~on):
        labels, count = ndimage.label(side, np.ones((3, 3)))
        rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        found += count - len(set(rim) - {0})
    assert enclosed_parts(pieces, marks, corners) == found


def test_bad_input(mlp):
    points = points_of(mlp(4, 8, 3), torch.randn(10, 4).double())
    with pytest.raises(ValueError, match=r"weight has shape \(2, 3\)"):
        dual_points(torch.rand(2, 3), torch.rand(2))
    with pytest.raises(ValueError, match=r"points have shape \(10, 3, 5\) and x \(10, 3\)"):
        dual_outputs(points, torch.rand(10, 3))
    with pytest.raises(ValueError, match="10 points have no 11 centres"):
        cluster_maps(points, 11)
    with pytest.raises(ValueError, match="give dual points"):
        cluster_maps(points[0], 2)
    with pytest.raises(ValueError, match=r"points have shape \(10, 2, 5\); the centres are"):
        cluster_maps(points, 2).nearest(points[:, :2])
    with pytest.raises(
        ValueError, match=r"target has shape \(10, 2, 5\); give dual points \(n, k, d\), k = 3"
    ):
        align_maps(points, points[:, :2])
    with pytest.raises(ValueError, match="source has shape"):
        align_maps(points, points)(points[:, :1])
    with pytest.raises(ValueError, match="marks have shape"):
        enclosed_parts(planar_partition(Cells(mlp(2, 3, 1), (2,)), square(1.0)), np.zeros(1), square(1.0))


@pytest.mark.parametrize("outputs", [1, 3])
def test_maps_of_pieces_are_the_cells(mlp, outputs):
    cells = Cells(mlp(2, 7, 5, outputs), (2,))
    pieces = planar_partition(cells, square(1.5))
    weight, bias = piece_maps(cells, pieces)
    for i, piece in enumerate(pieces):
        if piece.area > 1e-6:
            cell = cells.of(torch.from_numpy(piece.pattern))
            torch.testing.assert_close(weight[i], cell.weight, atol=1e-6, rtol=0)
            torch.testing.assert_close(bias[i], cell.bias, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match="there are no pieces"):
        piece_maps(cells, [])


def test_maps_in_a_plane_are_those_along_it(mlp):
    network = mlp(5, 7, 2)
    plane = Plane.through(*torch.randn(3, 5).double())
    cells = Cells(network, (5,))
    pieces = planar_partition(cells, square(1.0), plane)
    weight, bias = piece_maps(cells, pieces, plane)
    middles = np.stack([piece.vertices.mean(0) for piece in pieces])
    inside = torch.from_numpy(middles)
    expected = network(plane.points(middles))
    torch.testing.assert_close((weight @ inside[..., None])[..., 0] + bias, expected)
