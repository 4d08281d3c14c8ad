"""Neighbours at a temperature: how probable it is that one point is among the nearest of another."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lggkit.graph._precision import accumulating, integer, one_of, widest
from lggkit.graph.distances import median_bandwidth, pairwise_distance
from lggkit.graph.neighbors import off_diagonal

SCALES = ("none", "sqrt_dim", "median")
NEVER = -1e9
"""The logarithm of a sum of no sets."""
COLD = 1e-20
"""Temperatures below which distances are divided in the widest type also for k = 1."""
SLACK = {torch.float32: 2.0**-23, torch.float64: 2.0**-36}
"""Shares by which two distances may differ and be one and the same, for points given in either type."""


def knn_marginals(x: Tensor, k: int = 1, temperature: float | None = 0.1, scale: str = "none") -> Tensor:
    """How probable it is that j is among the k nearest neighbours of i, at a temperature.

    Sets S of k other vertices have probability proportional to ``exp(-Σ_{j in S} ‖x_i - x_j‖ / λ)``; for k =
    1 that is a softmax of ``-‖x_i - x_j‖ / λ`` over j. A temperature of None is the hard graph, the limit of
    λ to 0: vertices that tie for the last places have equal shares of them, whatever their order.

    Args:
        x: floating point (..., n, d), n > k.
        k: neighbours.
        temperature: λ > 0 in the unit of the scaled distances, or None.
        scale: what distances are divided by: nothing (the paper), the root of d, or their median, which is a
            constant for gradients.

    Returns:
        Marginals in [0, 1], (..., n, n); rows sum to k, the diagonal is 0.

    Raises:
        ValueError: k is not below n, the temperature is not positive, or there is no such scale.
        TypeError: ``x`` is no floating point tensor, or k no int.

    Source: equation 3 of article 10 for k = 1; Djolonga and Krause (2017), section 4, for any k.
    """
    one_of(scale, SCALES, "The scale")
    soft = temperature is not None
    x = accumulating(x)
    own_type = k == 1 and soft and temperature >= COLD
    distance = pairwise_distance(x if own_type else x.to(widest(x)))
    n, k = distance.shape[-1], integer(k, "k")
    if k >= n:
        raise ValueError(f"k is {k}, but there are {n} vertices; choose k from 1 to {n - 1}.")
    if not soft:
        return _shared(distance.detach(), k, SLACK[x.dtype]).to(x.dtype)
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}; give a positive number, or None for hard edges.")
    if scale != "none":
        by = x.shape[-1] ** 0.5 if scale == "sqrt_dim" else median_bandwidth(x)[..., None, None]
        distance = distance / by
    if own_type:
        logits = (-distance / temperature).masked_fill(~off_diagonal(n, x.device), -torch.inf)
        return logits.softmax(-1)
    return _diagonal_put(_of_sets(_diagonal_left(distance), k, temperature)).to(x.dtype)


def _shared(distance: Tensor, k: int, slack: float) -> Tensor:
    """The hard graph: 1 for who is nearer than the k-th, what is left in equal shares for who is as near."""
    others = off_diagonal(distance.shape[-1], distance.device)
    # NaN counts as near, so that it reaches the graph.
    ranked = torch.where(distance.isnan(), -1.0, distance).masked_fill(~others, torch.inf)
    kth = ranked.topk(k, largest=False).values[..., -1:]
    margin = slack * kth.abs()
    nearer = ranked < kth - margin
    tied = (ranked <= kth + margin) & others & ~nearer
    return nearer + tied * ((k - nearer.sum(-1, keepdim=True)) / tied.sum(-1, keepdim=True))


def _of_sets(distance: Tensor, k: int, temperature: float) -> Tensor:
    """Marginals of sets of k of the m given distances (..., n, m), by elementary symmetric polynomials.

    With e_k of all weights but the one of j, ``μ_j = w_j e_{k-1} / (w_j e_{k-1} + e_k)``. Polynomials of the
    first j weights and of the last m - j are kept as logarithms for every j, and joined around each weight.
    """
    if distance.shape[-1] == k:
        return 1 + 0 * distance
    limits = torch.finfo(distance.dtype)
    # Differences to the k-th nearest beyond the range of exp decide who is in: they need not be told apart.
    gap = distance.topk(k, largest=False).values[..., -1:].detach() - distance
    logits = (gap / max(temperature, 4 * limits.tiny)).clamp(math.log(limits.tiny), -math.log(limits.tiny))
    first, last = _polynomials(logits, k), _polynomials(logits.flip(-1), k).flip(-2)
    return (logits + _joined(first, last, k - 1) - _joined(first, last, k)).sigmoid()


def _joined(first: Tensor, last: Tensor, degree: int) -> Tensor:
    """Logarithms of the polynomials of a degree of all weights but one, (..., n, m)."""
    parts = [first[..., :-1, a] + last[..., 1:, degree - a] for a in range(degree + 1)]
    return torch.stack(parts).logsumexp(0)


def _polynomials(logits: Tensor, k: int) -> Tensor:
    """Logarithms of the polynomials of degree 0 to k of the first j weights, (..., n, m + 1, k + 1)."""
    row = torch.full((*logits.shape[:-1], k + 1), NEVER, dtype=logits.dtype, device=logits.device)
    row = torch.cat((torch.zeros_like(row[..., :1]), row[..., 1:]), -1)
    rows = [row]
    for weight in logits.unbind(-1):
        # No logaddexp: its second derivative overflows.
        longer = torch.stack((row[..., 1:], row[..., :-1] + weight[..., None])).logsumexp(0)
        row = torch.cat((row[..., :1], longer), -1)
        rows.append(row)
    return torch.stack(rows, -2)


def _diagonal_left(square: Tensor) -> Tensor:
    """The entries (..., n, n - 1) of a matrix (..., n, n) beside its diagonal."""
    n = square.shape[-1]
    rows = square.flatten(-2)[..., 1:].unflatten(-1, (n - 1, n + 1))[..., :-1]
    return rows.reshape(*square.shape[:-1], n - 1)


def _diagonal_put(others: Tensor) -> Tensor:
    """The matrix (..., n, n) of a zero diagonal and these entries (..., n, n - 1) beside it."""
    n = others.shape[-2]
    rows = F.pad(others.reshape(*others.shape[:-2], n - 1, n), (0, 1))
    return F.pad(rows.flatten(-2), (1, 0)).unflatten(-1, (n, n))
