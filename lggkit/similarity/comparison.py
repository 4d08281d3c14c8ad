"""How alike two RDMs are, over the pairs of stimuli that both have (article 6, eq. 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import one_of
from lggkit.similarity._scale import in_own_unit, spread
from lggkit.similarity.rdm import rdm_vector, square

BLOCK = 1 << 22
"""Pairs of pairs that Kendall's correlation looks at together."""
METHODS = ("pearson", "spearman", "kendall", "cosine")


def compare_rdms(first: Tensor, second: Tensor, method: str = "pearson") -> Tensor:
    """The correlation of the pairs of two RDMs, in [-1, 1]; NaN in either leaves a pair out.

    Args:
        first, second: (..., m, m); leading dimensions broadcast.
        method: ``"pearson"``, ``"spearman"`` (mean ranks of ties), ``"kendall"``, τ_a, to which a tie adds
            nothing and under which categorical models are not favoured, or ``"cosine"``. Pearson and cosine
            are differentiable. Kendall takes time of the square of the pairs.

    Returns:
        (...); NaN where fewer than three pairs are left, or one side has no spread in them (Kendall: 0).

    Raises:
        ValueError: the RDMs are not square, differ in stimuli, or the method is unknown.
        TypeError: a side is no tensor or not floating point.
    """
    one_of(method, METHODS, "The method")
    x, y = _paired(first, second)
    known = ~(x.isnan() | y.isnan())
    x, y = (z.masked_fill(~known, 0.0) for z in (x, y))
    correlations = _METHODS[method](x, y, known)
    return torch.where(known.sum(-1) > 2, correlations, torch.nan)


def _paired(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    first, second = square("The first RDM", first), square("The second RDM", second)
    if first.shape[-1] != second.shape[-1]:
        raise ValueError(
            f"the RDMs are of {first.shape[-1]} and {second.shape[-1]} stimuli; give those of the same ones."
        )
    dtype = torch.promote_types(first.dtype, second.dtype)
    x, y = torch.broadcast_tensors(rdm_vector(first.to(dtype)), rdm_vector(second.to(dtype)))
    return x, y


def _cosine(x: Tensor, y: Tensor, known: Tensor) -> Tensor:
    x, y = in_own_unit(x, -1), in_own_unit(y, -1)
    lengths = x.square().sum(-1).sqrt() * y.square().sum(-1).sqrt()
    return ((x * y).sum(-1) / lengths).clamp(-1, 1)


def _pearson(x: Tensor, y: Tensor, known: Tensor) -> Tensor:
    count = known.sum(-1, keepdim=True).clamp(min=1)
    sides = (in_own_unit(x, -1), in_own_unit(y, -1))
    centred = (spread((z - z.sum(-1, keepdim=True) / count) * known, z, -1) for z in sides)
    return _cosine(*centred, known)


def _spearman(x: Tensor, y: Tensor, known: Tensor) -> Tensor:
    return _pearson(*(ranks(z, known) * known for z in (x, y)), known)


def ranks(x: Tensor, known: Tensor) -> Tensor:
    """Mean ranks among those that are known, (..., p)."""
    filled = x.detach().masked_fill(~known, torch.inf)
    ordered = filled.sort(-1).values.contiguous()
    low = torch.searchsorted(ordered, filled.contiguous())
    high = torch.searchsorted(ordered, filled.contiguous(), right=True)
    return ((low + high + 1) / 2).to(x.dtype)


def _kendall(x: Tensor, y: Tensor, known: Tensor) -> Tensor:
    """τ_a = (concordant - discordant) / all pairs of pairs."""
    x, y, count = x.detach(), y.detach(), known.sum(-1)
    total, size = torch.zeros_like(count), max(1, BLOCK // max(1, x.numel()))
    for start in range(0, x.shape[-1], size):
        rows = slice(start, start + size)
        signs = _order(x, rows).mul_(_order(y, rows)).mul_(known[..., rows, None]).mul_(known[..., None, :])
        total += signs.sum((-2, -1))
    return total.to(x.dtype) / (count * (count - 1)).clamp(min=1)


def _order(x: Tensor, rows: slice) -> Tensor:
    """1, 0 or -1 where a value of some rows is larger than, equal to or smaller than another of all."""
    some, every = x[..., rows, None], x[..., None, :]
    return (some > every).to(torch.int8) - (some < every).to(torch.int8)


_METHODS = {"pearson": _pearson, "spearman": _spearman, "kendall": _kendall, "cosine": _cosine}
