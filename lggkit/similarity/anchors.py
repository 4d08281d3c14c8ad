"""Which samples are anchors: at random, far apart, or nearest to the centres of k-means."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, one_of, tensor
from lggkit.similarity._scale import in_own_unit

HOW = ("random", "far", "kmeans")
ROUNDS = 20
"""Rounds of Lloyd's algorithm at most."""
BY_DIFFERENCES = "donot_use_mm_for_euclid_dist"
"""The mode of torch.cdist that keeps its digits far from the origin, whatever the number of rows."""


def choose_anchors(
    x: Tensor, k: int, how: str = "random", generator: torch.Generator | None = None
) -> Tensor:
    """Places of ``k`` distinct samples that serve as anchors.

    Choose once, in one space, and take the same places in every other: anchors are then parallel.

    Args:
        x: samples, floating point (n, d).
        k: how many, 1 <= k <= n.
        how: ``"random"``, without replacement; ``"far"``, each next one farthest from those before it, the
            first at random; ``"kmeans"``, the samples nearest to the centres that Lloyd's algorithm finds
            from a random start, a sample taken once.
        generator: of all draws; torch's own by default.

    Returns:
        int64 (k,), in the order of choice.

    Raises:
        ValueError: there are fewer samples than anchors, entries are not finite, or ``how`` is none of these.
        TypeError: ``x`` is no tensor or not floating point.
    """
    one_of(how, HOW, "how")
    if tensor(x, "x").ndim != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; give samples (n, d)")
    x, k = accumulating(x.detach()), integer(k, "k")
    if k > len(x):
        raise ValueError(f"{k} anchors were asked for among {len(x)} samples; ask for fewer, or give more")
    if not bool(x.isfinite().all()):
        raise ValueError("x has entries that are not finite; leave those samples out")
    x = in_own_unit(x, (0, 1))
    order = torch.randperm(len(x), generator=generator).to(x.device)
    return {"random": lambda *_: order[:k], "far": _far, "kmeans": _kmeans}[how](x, k, order)


def _far(x: Tensor, k: int, order: Tensor) -> Tensor:
    chosen, least = [order[0]], torch.full((len(x),), torch.inf, dtype=x.dtype, device=x.device)
    for _ in range(k - 1):
        least = torch.minimum(least, (x - x[chosen[-1]]).square().sum(1))
        least[chosen[-1]] = -1.0
        chosen.append(least.argmax())
    return torch.stack(chosen)


def _kmeans(x: Tensor, k: int, order: Tensor) -> Tensor:
    centres = x[order[:k]]
    for _ in range(ROUNDS):
        nearest = torch.cdist(x, centres, compute_mode=BY_DIFFERENCES).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, x)
        counts = torch.bincount(nearest, minlength=k)[:, None]
        moved = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return _nearest_once(torch.cdist(centres, x, compute_mode=BY_DIFFERENCES))


def _nearest_once(distances: Tensor) -> Tensor:
    """For each centre the nearest sample that no centre before it has taken."""
    taken, chosen = torch.zeros(distances.shape[1], dtype=torch.bool, device=distances.device), []
    for row in distances:
        chosen.append(torch.where(taken, torch.inf, row).argmin())
        taken[chosen[-1]] = True
    return torch.stack(chosen)
