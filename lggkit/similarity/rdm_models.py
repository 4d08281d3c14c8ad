"""Weighted models: an RDM as a sum of others, with weights from data (article 6, section 2.4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.similarity.rdm import rdm_matrix, rdm_vector, square


@dataclass(frozen=True)
class WeightedRDM:
    """``R = b + Σ_c w_c R_c``: weights w (c,), the intercept b, and the RDM (m, m) that they predict."""

    weights: Tensor
    intercept: float
    prediction: Tensor


def fit_weighted_rdm(
    basis: Tensor, targets: Tensor, nonnegative: bool = True, intercept: bool = True
) -> WeightedRDM:
    """The weights that bring ``b + Σ_c w_c R_c`` nearest, in least squares, to the mean of the targets.

    With ``nonnegative``, w >= 0 (the intercept may have any sign): Lawson and Hanson's algorithm, in float64
    on the CPU. Pairs that no target has are left out.

    Args:
        basis: the RDMs R_c, (c, m, m), without NaN.
        targets: one (m, m) or several (s, m, m).
        nonnegative: whether weights below zero are excluded.
        intercept: whether there is b; without, it is 0.

    Returns:
        The fit, in float64.

    Raises:
        ValueError: shapes do not fit, a pair is missing in the basis or infinite, or there are fewer pairs
            than weights.
        TypeError: a side is no tensor or not floating point.
    """
    design, wanted, known = _problem(basis, targets)
    if len(wanted) <= len(basis):
        raise ValueError(f"{len(wanted)} pairs decide no {len(basis)} weights; give more stimuli or fewer.")
    middle = (design.mean(0), wanted.mean()) if intercept else (0 * design[0], 0 * wanted[0])
    weights = _solved(design - middle[0], wanted - middle[1], nonnegative)
    constant = float(middle[1] - middle[0] @ weights)
    return WeightedRDM(weights, constant, rdm_matrix(constant + weights @ known))


def _problem(basis: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    basis, targets = (
        square(n, r).detach().cpu().double() for n, r in (("The basis", basis), ("The target", targets))
    )
    if basis.ndim != 3 or not len(basis) or basis.shape[-1] != targets.shape[-1]:
        raise ValueError(
            f"the basis has shape {tuple(basis.shape)} and the target {tuple(targets.shape)}; give (c, m, m) "
            "and (m, m) or (s, m, m)."
        )
    if not bool(basis.isfinite().all()) or bool(targets.isinf().any()):
        raise ValueError(
            "the basis has entries that are not finite, or the target infinite ones; leave those stimuli out"
        )
    columns, wanted = rdm_vector(basis), rdm_vector(targets.reshape(-1, *targets.shape[-2:])).nanmean(0)
    known = ~wanted.isnan()
    return columns[:, known].T, wanted[known], columns


def _solved(design: Tensor, wanted: Tensor, nonnegative: bool) -> Tensor:
    if not nonnegative:
        return torch.linalg.lstsq(design, wanted[:, None], driver="gelsd").solution[:, 0]
    from scipy.optimize import nnls

    return torch.from_numpy(nnls(design.numpy(), wanted.numpy())[0])
