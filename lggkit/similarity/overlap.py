"""Mutual nearest neighbours: how far two representations agree on who is near (Huh et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph import cosine_similarity, pairwise_distance
from lggkit.graph._precision import integer, matmul, one_of, tensor
from lggkit.similarity.null import Null, permutations

METRICS = ("cosine", "euclidean")


def neighbor_overlap(x: Tensor, y: Tensor, k: int = 10, metric: str = "cosine") -> Tensor:
    """``mean_i |N_x(i) ∩ N_y(i)| / k``: the share of nearest neighbours that two representations share.

    Unrelated representations share ``k / (n - 1)`` on average. Samples that are equally near share the places
    that are left to them, as if each side drew lots: two dead layers agree by chance alone. No gradient. It
    waits for a GPU, to look for entries that are not finite.

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
    first, second = _shares(x, y, k, metric)
    return (first * second).sum() / (k * len(x))


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
    first, second = _shares(x, y, k, metric)
    count = k * len(x)
    drawn = [(first * second[p][:, p]).sum() / count for p in permutations(len(x), draws, generator)]
    return Null(float((first * second).sum()) / count, torch.stack(drawn).cpu())


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
    for depth in (*first, *second):
        _check(depth, first[0], k, metric)
    mine, theirs = (torch.stack([_near(x, k, metric) for x in side]) for side in (first, second))
    n = mine.shape[-1]
    drawn = [theirs[:, p][:, :, p] for p in permutations(n, draws, generator)]
    shared = [matmul(mine.flatten(1), other.flatten(1).T) for other in (theirs, *drawn)]
    value, *permuted = [one.double() / (k * n) for one in shared]
    return value, torch.stack(permuted)


def shares(similarity: Tensor, k: int) -> Tensor:
    """What each sample's neighbours count (n, n): 1, and where several are as near as the k-th, their share.

    Each row has sum k, and the diagonal is 0; of similarities (n, n) without NaN.
    """
    ranked = similarity.detach().clone().fill_diagonal_(-torch.inf)
    kth = ranked.topk(k, dim=1).values[:, -1:]
    nearer, tied = ranked > kth, ranked == kth
    left = k - nearer.sum(1, keepdim=True)
    return nearer + tied * (left / tied.sum(1, keepdim=True))


def _shares(x: Tensor, y: Tensor, k: int, metric: str) -> tuple[Tensor, Tensor]:
    _check(x, y, k, metric)
    return _near(x, k, metric).double(), _near(y, k, metric).double()


def _near(x: Tensor, k: int, metric: str) -> Tensor:
    x = x.detach().flatten(1)
    return shares(cosine_similarity(x) if metric == "cosine" else -pairwise_distance(x), k)


def _check(x: Tensor, y: Tensor, k: int, metric: str) -> None:
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
