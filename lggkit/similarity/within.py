"""How alike two RDMs are beyond a grouping of their pairs, such as into equal and different categories."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import one_of, tensor
from lggkit.similarity._scale import in_own_unit
from lggkit.similarity.comparison import ranks
from lggkit.similarity.rdm import rdm_vector, square

WITHIN = ("spearman", "pearson")


def compare_within(first: Tensor, second: Tensor, groups: Tensor, method: str = "spearman") -> Tensor:
    """The partial correlation of two RDMs given groups of pairs, in [-1, 1].

    Of each pair's dissimilarity (or its rank among all pairs) the mean of its group is taken away, and what
    is left is correlated: ``r(x - E[x | g], y - E[y | g])``. With two groups, as those of equal and of
    different categories, it is the partial correlation given the category RDM. With one group for each pair
    of classes only what tells images of equal classes apart is left.

    Args:
        first, second: RDMs (m, m) without NaN.
        groups: integers (m, m), symmetric; which group each pair is in. The diagonal does not matter.
        method: ``"spearman"`` (mean ranks of ties) or ``"pearson"``, which is differentiable.

    Returns:
        A scalar; NaN where a side has no spread inside the groups.

    Raises:
        ValueError: shapes do not fit, a pair is missing, groups are not symmetric, or the method is unknown.
        TypeError: a side is not floating point, or groups are no integers.
    """
    one_of(method, WITHIN, "The method")
    first, second = _whole("The first RDM", first), _whole("The second RDM", second)
    members = _numbered(groups, first.shape)
    if first.shape != second.shape:
        raise ValueError(f"the RDMs are of {len(first)} and {len(second)} stimuli; give those of the same.")
    left, right = (_beyond(in_own_unit(rdm_vector(rdm), -1), members, method) for rdm in (first, second))
    left, right = in_own_unit(left, -1), in_own_unit(right, -1)
    scale = left.square().sum().sqrt() * right.square().sum().sqrt()
    return torch.where(scale > 0, (left * right).sum() / scale, torch.nan).clamp(-1, 1)


def _whole(name: str, rdm: Tensor) -> Tensor:
    rdm = square(name, rdm)
    if rdm.ndim != 2 or bool(rdm.detach().isnan().any()):
        raise ValueError(f"{name} has shape {tuple(rdm.shape)} or misses pairs; give one (m, m) without NaN.")
    return rdm


def _numbered(groups: Tensor, shape: torch.Size) -> Tensor:
    """The group of each pair, numbered from 0 on."""
    if tensor(groups, "groups").is_floating_point() or groups.is_complex():
        raise TypeError(f"groups are {groups.dtype}; give integers, one for each pair.")
    if groups.shape != shape or not bool((groups == groups.mT).all()):
        raise ValueError(f"groups have shape {tuple(groups.shape)}; give symmetric ones as the RDM, {shape}.")
    row, column = torch.triu_indices(*shape, offset=1, device=groups.device)
    return groups[row, column].unique(return_inverse=True)[1]


def _beyond(x: Tensor, members: Tensor, method: str) -> Tensor:
    """What is left of pairs, or of their ranks, without the mean of each group; rounding is nothing."""
    if method == "spearman":
        x = ranks(x, torch.ones_like(x, dtype=torch.bool))
    x = x - x.mean()
    sums = torch.zeros(int(members.max()) + 1, dtype=x.dtype, device=x.device)
    means = sums.index_add(0, members, x) / torch.bincount(members)
    left, least = x - means[members], 8 * torch.finfo(x.dtype).eps * x.detach().abs().max()
    return torch.where(left.detach().abs() > least, left, torch.zeros_like(left))
