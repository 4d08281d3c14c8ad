"""A few affine maps in place of a network's many: k-means of the dual points (article 4, section 2.4.1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, matmul, widest
from lggkit.regions._runs import finite
from lggkit.regions.maps import dual_outputs
from lggkit.similarity._scale import unit_of


@dataclass(frozen=True)
class MapClusters:
    """``centers`` (k, c, m + 1): c affine maps for each of k outputs."""

    centers: Tensor

    def nearest(self, points: Tensor) -> Tensor:
        """For points (n, k, m + 1) the number of the nearest centre of their output, (n, k).

        Raises:
            ValueError: the points are of other outputs or of another width, or one is not finite.
        """
        points = _checked(points)
        if points.shape[1:] != (len(self.centers), self.centers.shape[2]):
            raise ValueError(
                f"points have shape {tuple(points.shape)}; the centres are {tuple(self.centers.shape)}"
            )
        return torch.stack([_nearest(points[:, j], own) for j, own in enumerate(self.centers)], dim=1)

    def outputs(self, points: Tensor, x: Tensor) -> Tensor:
        """What the nearest centres give at the inputs (n, ...) that the points are from, (n, k)."""
        chosen = self.nearest(points)
        outputs = torch.arange(len(self.centers), device=chosen.device)
        return dual_outputs(self.centers[outputs, chosen], x)


def cluster_maps(points: Tensor, clusters: int, seed: int = 0) -> MapClusters:
    """``clusters`` centres of the dual points of each output, by k-means in small batches.

    One centre is the mean map, and n centres are the points. Else scikit-learn's
    ``MiniBatchKMeans`` with ``init_size = max(300, 3 c)`` and the rest at its defaults, as the authors have
    it; on the processor.

    Args:
        points: dual points (n, k, m + 1), of training inputs.
        clusters: c, from 1 to n.
        seed: of the first centres and the batches.

    Raises:
        ValueError: the points have another shape, are not finite, or are fewer than the centres.
    """
    points = _checked(points)
    if integer(clusters, "clusters") > len(points):
        raise ValueError(f"{len(points)} points have no {clusters} centres; take as many at most")
    if clusters == 1:
        return MapClusters(points.mean(0)[:, None])
    if clusters == len(points):
        return MapClusters(points.transpose(0, 1).contiguous())
    from sklearn.cluster import MiniBatchKMeans

    size, centres = min(len(points), max(300, 3 * clusters)), []
    for cloud in points.detach().cpu().unbind(1):
        kmeans = MiniBatchKMeans(clusters, init_size=size, random_state=seed).fit(cloud.numpy())
        centres.append(torch.from_numpy(kmeans.cluster_centers_))
    return MapClusters(torch.stack(centres).to(points))


def _checked(points: Tensor) -> Tensor:
    points = accumulating(points, "points")
    if points.ndim != 3 or not points.numel():
        raise ValueError(f"points have shape {tuple(points.shape)}; give dual points (n, k, m + 1), n >= 1")
    return finite(points, "points")


def _nearest(cloud: Tensor, centers: Tensor) -> Tensor:
    """Which centre is the nearest, seen from their middle: far from it float32 would not tell."""
    dtype = torch.promote_types(cloud.dtype, centers.dtype)
    middle = centers.to(widest(centers)).mean(0)
    cloud, centers = ((one.to(middle.dtype) - middle).to(dtype) for one in (cloud, centers))
    unit = unit_of(centers, (0, 1))
    cloud, centers = cloud / unit, centers / unit
    return (centers.square().sum(1) - 2 * matmul(cloud, centers.T)).argmin(1)
