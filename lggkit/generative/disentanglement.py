"""How much each number of a code tells of each factor, and four scores made of it.

Codes are cut into bins of equal width; information is in bits.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, tensor
from lggkit.similarity._scale import in_own_unit


def binned(codes: Tensor, bins: int = 10) -> Tensor:
    """Codes (n, m) as integers 0 to bins - 1: equal widths from the least to the largest of each column.

    A column of one value lies in bin 0.

    Raises:
        ValueError: codes are no finite (n, m), or ``bins`` is below 2.
        TypeError: they are no floating point tensor, or ``bins`` is no int.
    """
    codes, bins = accumulating(codes, "codes"), integer(bins, "bins", 2)
    if codes.ndim != 2 or not codes.numel() or not bool(codes.isfinite().all()):
        raise ValueError(f"codes have shape {tuple(codes.shape)}; give finite numbers (n, m), n and m >= 1")
    codes = in_own_unit(codes, 0)
    low, high = codes.aminmax(dim=0)
    width = torch.where(high > low, high - low, 1.0)
    return ((codes - low) / width * bins).long().clamp(max=bins - 1)


def mutual_information_matrix(codes: Tensor, factors: Tensor, bins: int = 10) -> Tensor:
    """Bits that each factor and each binned number of the code share, float64 (f, m).

    Args:
        codes: floating point (n, m).
        factors: integers (n, f), from 0 on.
        bins: of the codes.

    Raises:
        ValueError: as `binned`; factors are not (n, f) of the same n, or negative.
        TypeError: as `binned`; factors are no integers.
    """
    cut = binned(codes, bins)
    return _information(_joint(cut, _levels(factors, len(cut)), bins))


def _information(joint: Tensor) -> Tensor:
    rows, columns = joint.sum(-1), joint.sum(-2)
    return (_entropy(rows) + _entropy(columns) - _entropy(joint.flatten(-2))).clamp(min=0)


def mig(codes: Tensor, factors: Tensor, bins: int = 10) -> float:
    """Mutual information gap: the mean over factors of ``(I_1 - I_2) / H(v_f)``, the two best codes'.

    In [0, 1]; a factor that two codes share has 0. Factors of one value are left out.
    """
    information, entropies = _scored(codes, factors, bins)
    best = _two_best(information)
    return ((best[:, 0] - best[:, 1]) / entropies).mean().item()


def mig_sup(codes: Tensor, factors: Tensor, bins: int = 10) -> float:
    """The mean over codes of the gap between their two best factors, of ``I / H(v_f)``.

    In [0, 1]; a code that tells of two factors has 0.
    """
    information, entropies = _scored(codes, factors, bins)
    best = _two_best((information / entropies[:, None]).T)
    return (best[:, 0] - best[:, 1]).mean().item()


def dcimig(codes: Tensor, factors: Tensor, bins: int = 10) -> float:
    """``Σ_f gap_f / Σ_f H(v_f)``, where gap_f is the largest gap of the codes that tell most of factor f.

    The gap of a code is the information about its best factor less that about its second. In [0, 1].
    """
    information, entropies = _scored(codes, factors, bins)
    best, owner = _two_best(information.T), information.argmax(0)
    gaps = torch.zeros_like(entropies).scatter_reduce(0, owner, best[:, 0] - best[:, 1], "amax")
    return (gaps.sum() / entropies.sum()).item()


def jemmig(codes: Tensor, factors: Tensor, bins: int = 10, normalized: bool = True) -> float:
    """The joint entropy minus mutual information gap, in either reading.

    ``JEMMIG_f = H(z*, v_f) - I(z*; v_f) + I(z°; v_f)`` with the best code z* and the second best z° of a
    factor. ``normalized`` gives the mean of ``1 - JEMMIG_f / (H(v_f) + log2 bins)``, in [0, 1], higher being
    better, as in public code; else the mean of ``JEMMIG_f`` in bits, lower being better.
    """
    joint, information, entropies = _whole(codes, factors, bins)
    best, place = _two_best(information), information.argmax(1)
    own = joint[torch.arange(len(place)), place]
    gaps = _entropy(own.flatten(-2)) - best[:, 0] + best[:, 1]
    return (1 - gaps / (entropies + math.log2(bins)) if normalized else gaps).mean().item()


def _scored(codes: Tensor, factors: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    return _whole(codes, factors, bins)[1:]


def _whole(codes: Tensor, factors: Tensor, bins: int) -> tuple[Tensor, Tensor, Tensor]:
    """Joint shares, information and the factors' entropies, of factors that have more than one value."""
    cut = binned(codes, bins)
    levels = _levels(factors, len(cut))
    varied = levels.amax(0) > 0
    if not bool(varied.any()):
        raise ValueError("every factor has one value; give factors that vary")
    joint = _joint(cut, levels[:, varied], bins)
    return joint, _information(joint), _entropy(joint[:, 0].sum(-1))


def _joint(cut: Tensor, levels: Tensor, bins: int) -> Tensor:
    """The share of samples of each value and each bin, float64 (f, m, values, bins)."""
    values = int(levels.max()) + 1
    shape = (levels.shape[1], cut.shape[1], values, bins)
    places = levels.T[:, None] * bins + cut.T[None]
    counts = torch.zeros(*shape[:2], values * bins, dtype=torch.float64, device=cut.device)
    ones = torch.ones((), dtype=torch.float64, device=cut.device).expand(places.shape)
    return (counts.scatter_add(-1, places, ones) / len(cut)).view(shape)


def _levels(factors: Tensor, n: int) -> Tensor:
    """Factors (n, f) with the values that occur numbered from 0 on, one factor at a time."""
    kind = tensor(factors, "factors").dtype
    if kind.is_floating_point or kind.is_complex or kind == torch.bool:
        raise TypeError(f"factors are {kind}; give integers, such as the number of each value")
    factors = factors.long()
    if factors.ndim != 2 or len(factors) != n or not factors.numel() or int(factors.min()) < 0:
        raise ValueError(
            f"factors have shape {tuple(factors.shape)} beside {n} codes; give integers (n, f) from 0 on"
        )
    return torch.stack([values.unique(return_inverse=True)[1] for values in factors.unbind(1)], 1)


def _two_best(information: Tensor) -> Tensor:
    """The two largest of each row, the second being 0 where there is only one."""
    largest = information.topk(min(2, information.shape[1]), dim=1).values
    return torch.nn.functional.pad(largest, (0, 2 - largest.shape[1]))


def _entropy(shares: Tensor) -> Tensor:
    """``-Σ p log2 p`` over the last dimension."""
    return -torch.special.xlogy(shares, shares).sum(-1) / math.log(2)
