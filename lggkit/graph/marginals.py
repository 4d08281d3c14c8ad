"""Neighbours at a temperature: how probable it is that one point is among the nearest of another."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lggkit.graph._precision import integer, one_of
from lggkit.graph.distances import median_bandwidth, pairwise_distance
from lggkit.graph.neighbors import knn_mask, off_diagonal

SCALES = ("none", "sqrt_dim", "median")
NEVER = -1e9
"""The logarithm of a weight that is none."""


def knn_marginals(x: Tensor, k: int = 1, temperature: float | None = 0.1, scale: str = "none") -> Tensor:
    """How probable it is that j is among the k nearest neighbours of i, at a temperature.

    Sets S of k other vertices have probability proportional to ``exp(-Σ_{j in S} ‖x_i - x_j‖ / λ)``; for k =
    1 that is a softmax of ``-‖x_i - x_j‖ / λ`` over j. A temperature of None is the hard graph.

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
    distance = pairwise_distance(x)
    n, k = distance.shape[-1], integer(k, "k")
    if k >= n:
        raise ValueError(f"k is {k}, but there are {n} vertices; choose k from 1 to {n - 1}.")
    if temperature is None:
        return knn_mask(-distance, k).to(distance.dtype)
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}; give a positive number, or None for hard edges.")
    if scale != "none":
        by = x.shape[-1] ** 0.5 if scale == "sqrt_dim" else median_bandwidth(x)[..., None, None]
        distance = distance / by
    logits = (-distance / temperature).masked_fill(~off_diagonal(n, x.device), -torch.inf)
    return logits.softmax(-1) if k == 1 else _of_sets(logits, k)


def _of_sets(logits: Tensor, k: int) -> Tensor:
    """Marginals of sets of k, from the elementary symmetric polynomials of all but one weight, as logarithms.

    Those of the first j weights and of the last n - j are kept for every j, and joined around each weight.
    """
    logits = (logits - logits.amax(-1, keepdim=True)).clamp(min=NEVER)
    first, last = _polynomials(logits, k), _polynomials(logits.flip(-1), k).flip(-2)
    without = torch.stack([first[..., :-1, a] + last[..., 1:, k - 1 - a] for a in range(k)]).logsumexp(0)
    return (logits + without - first[..., -1:, k]).exp()


def _polynomials(logits: Tensor, k: int) -> Tensor:
    """Logarithms of the polynomials of degree 0 to k of the first j weights, (..., n, n + 1, k + 1)."""
    row = torch.full((*logits.shape[:-1], k + 1), NEVER, dtype=logits.dtype, device=logits.device)
    row = torch.cat((torch.zeros_like(row[..., :1]), row[..., 1:]), -1)
    rows = [row]
    for weight in logits.unbind(-1):
        longer = torch.logaddexp(row[..., 1:], row[..., :-1] + weight[..., None])
        row = torch.cat((row[..., :1], longer), -1)
        rows.append(row)
    return torch.stack(rows, -2)
