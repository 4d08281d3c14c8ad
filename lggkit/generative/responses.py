"""Which factor moves which block, and how straight a path of images is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.generative.disentanglement import _levels
from lggkit.graph._precision import accumulating, may_look
from lggkit.similarity._scale import in_own_unit, spread


def factor_response_matrix(blocks: Sequence[Tensor], factors: Tensor) -> Tensor:
    """The share of each block's variance that each factor explains alone, float64 (k, f).

    ``R_jf = Var_v(E[c_j | v_f = v]) / Var(c_j)``, variances summed over the numbers of block j: Sobol's first
    order. On a complete grid rows sum to one at most, and what is missing is due to factors that act
    together. A block that does not vary has 0.

    Args:
        blocks: codes of the blocks, floating point (n, m_j) each.
        factors: integers (n, f), from 0 on.

    Raises:
        ValueError: there is no block, shapes do not fit, or a code is not finite.
        TypeError: codes are not floating point, or factors no integers.
    """
    if isinstance(blocks, Tensor) or not len(blocks):
        raise ValueError("blocks are one tensor or none; give a list with the codes of each block")
    levels = _levels(factors, len(blocks[0]))
    return torch.stack([_shares(accumulating(block, "a block").double(), levels) for block in blocks])


def _shares(codes: Tensor, levels: Tensor) -> Tensor:
    if codes.ndim != 2 or len(codes) != len(levels):
        raise ValueError(f"a block has shape {tuple(codes.shape)}; give ({len(levels)}, m) beside factors")
    if not bool(codes.isfinite().all()):
        raise ValueError("a block has codes that are NaN or infinite; leave these samples out of all blocks")
    codes = in_own_unit(codes, (0, 1))
    centred = spread(codes - codes.mean(0), codes, 0)
    total = centred.square().sum()
    explained = []
    for values in levels.unbind(1):
        sums = centred.new_zeros(int(values.max()) + 1, codes.shape[1]).index_add(0, values, centred)
        counts = values.bincount(minlength=len(sums)).clamp(min=1).to(sums)
        explained.append((sums.square().sum(1) / counts).sum())
    return torch.where(total > 0, torch.stack(explained) / torch.where(total > 0, total, 1.0), 0.0)


def matched_share(response: Tensor) -> float:
    """The mean share of its response that a block gives to the factor it is matched with, in [0, 1].

    Rows are divided by their sums, and blocks are matched one to one with factors so that the mean is
    largest. 1 where each block moves one factor and no other; one over the number of factors where all
    blocks move all alike.

    Args:
        response: (k, f), nonnegative.

    Raises:
        ValueError: an entry is negative or not finite, or there is none.
    """
    from scipy.optimize import linear_sum_assignment

    rows = accumulating(response, "response").detach().double().cpu()
    if rows.ndim != 2 or not rows.numel() or not bool((rows >= 0).all() and rows.isfinite().all()):
        raise ValueError("a response is no finite matrix (k, f) of numbers from 0 on; give shares or counts")
    rows = in_own_unit(rows, 1)
    shares = (rows / rows.sum(1, keepdim=True).clamp(min=1e-300)).numpy()
    return float(shares[linear_sum_assignment(-shares)].mean())


def path_roughness(images: Tensor) -> Tensor:
    """How uneven the steps of a path are: ``Σ ‖x_{t+1} - 2 x_t + x_{t-1}‖ / Σ ‖x_{t+1} - x_t‖``.

    0 on a straight line at equal steps, below 2, and near it where each step undoes the last.

    Args:
        images: floating point (..., t, c, h, w), t >= 3 images in order.

    Returns:
        One a path, shape (...); 0 where nothing moves.

    Raises:
        ValueError: there are fewer than three images, or one is not finite (seen on the CPU only; elsewhere
            its path has NaN).
        TypeError: they are no floating point tensor.
    """
    x = accumulating(images, "images")
    if x.ndim < 4 or x.shape[-4] < 3:
        raise ValueError(f"a path has shape {tuple(x.shape)}; give (..., t, c, h, w), three images or more")
    if may_look(x) and not bool(x.isfinite().all()):
        raise ValueError("a path has images with entries that are NaN or infinite; give numbers only")
    steps = in_own_unit(in_own_unit(x.flatten(-3), (-2, -1)).diff(dim=-2), (-2, -1))
    length, bends = (torch.linalg.vector_norm(one, dim=-1).sum(-1) for one in (steps, steps.diff(dim=-2)))
    still = length == 0
    return torch.where(still, 0.0, bends / torch.where(still, 1.0, length))
