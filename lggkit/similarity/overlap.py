"""Mutual nearest neighbours: how far two representations agree on who is near (Huh et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph import cosine_similarity, knn_mask, pairwise_distance
from lggkit.graph._precision import integer, matmul, one_of, tensor
from lggkit.similarity.null import Null, permutations

METRICS = ("cosine", "euclidean")


def neighbor_overlap(x: Tensor, y: Tensor, k: int = 10, metric: str = "cosine") -> Tensor:
    """``mean_i |N_x(i) ∩ N_y(i)| / k``: the share of nearest neighbours that two representations share.

    Unrelated representations share ``k / (n - 1)`` on average. No gradient. It waits for a GPU, to look for
    entries that are not finite.

    Args:
        x, y: floating point (n, d) and (n, d'), the same n samples.
        k: neighbours of each, 1 <= k < n - 1.
        metric: by which they are near, ``"cosine"`` or ``"euclidean"``.

    Returns:
        A scalar in [0, 1], float64.

    Raises:
        ValueError: the samples differ in number or are not finite, k does not fit, or the metric is unknown.
        TypeError: a side is no tensor or not floating point, or k is no int.
    """
    first, second = _masks(x, y, k, metric)
    return (first & second).sum().double() / (k * len(x))


def overlap_with_null(
    x: Tensor,
    y: Tensor,
    k: int = 10,
    metric: str = "cosine",
    draws: int = 200,
    generator: torch.Generator | None = None,
) -> Null:
    """`neighbor_overlap` beside what it is when the samples of one side are permuted.

    Raises:
        ValueError, TypeError: as `neighbor_overlap`; ``draws`` is below 1 or no int.
    """
    first, second = _masks(x, y, k, metric)
    count = k * len(x)
    drawn = [(first & second[p][:, p]).sum().double() / count for p in permutations(len(x), draws, generator)]
    return Null(float((first & second).sum()) / count, torch.stack(drawn).cpu())


def overlap_of_depths(
    first: Sequence[Tensor],
    second: Sequence[Tensor],
    k: int = 10,
    metric: str = "cosine",
    draws: int = 20,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """`neighbor_overlap` of every depth of one network with every depth of another, each depth ranked once.

    It waits for a GPU.

    Args:
        first, second: the latents (n, ...) of either network's depths, the same n samples everywhere.
        k, metric, draws, generator: as of `overlap_with_null`.

    Returns:
        Overlaps (depths, depths'), and with the second network's samples permuted (draws, depths, depths'),
        float64.

    Raises:
        ValueError, TypeError: as `overlap_with_null`; a network has no depth.
    """
    if not (len(first) and len(second)):
        raise ValueError("there are no depths; give the latents of one at least")
    mine = torch.stack([_masks(x, second[0], k, metric)[0] for x in first]).float()
    theirs = torch.stack([_masks(y, first[0], k, metric)[0] for y in second]).float()
    n = mine.shape[-1]
    drawn = [theirs[:, p][:, :, p] for p in permutations(n, draws, generator)]
    shared = [matmul(mine.flatten(1), other.flatten(1).T) for other in (theirs, *drawn)]
    value, *permuted = [one.double() / (k * n) for one in shared]
    return value, torch.stack(permuted)


def _masks(x: Tensor, y: Tensor, k: int, metric: str) -> tuple[Tensor, Tensor]:
    one_of(metric, METRICS, "The metric")
    for name, side in (("x", x), ("y", y)):
        if tensor(side, name).ndim < 2:
            raise ValueError(f"{name} has shape {tuple(side.shape)}; give samples (n, d)")
        if not bool(side.isfinite().all()):
            raise ValueError(f"{name} has entries that are not finite; leave those samples out")
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples and y {len(y)}; give the same samples to both")
    if integer(k, "k") >= len(x) - 1:
        raise ValueError(f"k is {k} of {len(x)} samples; give fewer than {len(x) - 1}, or all share all")
    near = cosine_similarity if metric == "cosine" else lambda z: -pairwise_distance(z)
    first, second = (knn_mask(near(side.detach().flatten(1)), k) for side in (x, y))
    return first, second
