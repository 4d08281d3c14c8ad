"""Centres and alignments of maps in float32, far from the origin, at any scale, and what is refused."""

import pytest
import torch

from lggkit.regions import MapClusters, align_maps, cluster_maps


def cloud(shift, scale, dtype=torch.float32):
    source = torch.Generator().manual_seed(0)
    points, centers = (torch.randn(n, 2, 5, generator=source, dtype=torch.float64) for n in (200, 6))
    points, centers = (((z + shift) * scale).to(dtype) for z in (points, centers))
    return points, MapClusters(centers.transpose(0, 1).contiguous())


@pytest.mark.parametrize(
    ("shift", "scale"), [(0, 1), (1e3, 1), (-1e4, 1), (0, 1e-25), (1, 1e25), (1e3, 1e-30)]
)
def test_the_nearest_centre_in_float32_is_that_of_a_loop_in_float64(shift, scale):
    points, clusters = cloud(shift, scale)
    apart = points.double()[:, :, None] - clusters.centers.double()
    assert torch.equal(clusters.nearest(points), (apart / scale).norm(dim=-1).argmin(-1))


def test_half_precision_is_clustered_in_float32():
    points, _ = cloud(0, 1, torch.bfloat16)
    torch.testing.assert_close(cluster_maps(points, 4).centers, cluster_maps(points.float(), 4).centers)


def test_a_source_of_zeros_is_carried_to_zeros():
    points, _ = cloud(0, 1)
    (first, _) = align_maps(0 * points, points).maps
    assert (first.weight == 0).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: cluster_maps(x * torch.nan, 3), "entries of points are NaN"),
        (lambda x: cluster_maps(x, 3).nearest(x * torch.nan), "entries of points are NaN"),
        (lambda x: cluster_maps(x[:, :0], 3), "give dual points"),
        (lambda x: align_maps(x, x, -1), "ridge is -1; give 0"),
        (lambda x: align_maps(x, x, float("nan")), "ridge is nan; give 0"),
        (lambda x: align_maps(x, x, "a"), "ridge is 'a'; give 0"),
        (lambda x: align_maps(x * torch.nan, x), "entries of source are NaN"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call(cloud(0, 1)[0])
