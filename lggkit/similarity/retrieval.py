"""How well two spaces agree on the same samples: does a sample find itself, and the same neighbours?"""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer
from lggkit.similarity.overlap import shares
from lggkit.similarity.relative import relative_map


def mean_reciprocal_rank(x: Tensor, y: Tensor) -> Tensor:
    """Mean of ``1/rank`` of ``y_i`` among all of ``y``, by cosine to ``x_i``; equal cosines share their rank.

    Args:
        x, y: the same samples in two spaces of one width, floating point (n, d).

    Returns:
        A scalar in (0, 1]: 1 where every sample finds itself first. Chance is ``H_n / n``. Of r cosines that
        are as large as the own, half of the others count as before it. NaN of latents that are not finite.

    Raises:
        ValueError: shapes differ.
        TypeError: a side is no tensor or not floating point.
    """
    cosines = relative_map(*_paired(x, y))
    own = cosines.diagonal().unsqueeze(1)
    before, equal = (cosines > own).sum(1), (cosines == own).sum(1) - 1
    return _known((1 / (1 + before + equal / 2)).mean(), cosines)


def paired_cosine(x: Tensor, y: Tensor) -> Tensor:
    """Mean cosine of ``x_i`` and ``y_i``, in [-1, 1].

    Args:
        x, y: as for `mean_reciprocal_rank`.

    Raises:
        ValueError, TypeError: as there.
    """
    x, y = _paired(x, y)
    return relative_map(x.unsqueeze(1), y.unsqueeze(1)).mean()


def neighbour_jaccard(x: Tensor, y: Tensor, k: int = 10) -> Tensor:
    """Mean Jaccard index ``|N_x ∩ N_y| / |N_x ∪ N_y|`` of the k nearest neighbours by cosine, in [0, 1].

    Samples that are equally near share the places that are left to them, as in `neighbor_overlap`. NaN of
    latents that are not finite.

    Args:
        x, y: the same samples in two spaces, (n, d) and (n, d'), widths of any kind.
        k: neighbours of a sample, itself left out, 1 <= k < n.

    Raises:
        ValueError: there are not as many samples on both sides, or too few for k neighbours.
        TypeError: a side is no tensor or not floating point.
    """
    x, y = accumulating(x), accumulating(y, "y")
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise ValueError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; give the same samples, (n, d) and (n, d')"
        )
    if integer(k, "k") >= len(x):
        raise ValueError(f"k is {k} of {len(x)} samples; ask for fewer neighbours than there are others")
    ours, theirs = relative_map(x, x), relative_map(y, y)
    shared = (shares(ours, k) * shares(theirs, k)).sum(1)
    return _known((shared / (2 * k - shared)).mean(), ours, theirs)


def _known(value: Tensor, *cosines: Tensor) -> Tensor:
    """The value, or NaN where a cosine is none: comparisons with NaN would count as no."""
    return value.masked_fill(sum(c.isnan().any() for c in cosines) > 0, torch.nan)


def _paired(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = accumulating(x), accumulating(y, "y")
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and y {tuple(y.shape)}; give the same samples (n, d) in two spaces"
        )
    return x, y
