"""What a graph does with negative weights: they are no edges, or kept where that is asked for."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph._precision import as_adjacency, may_look, one_of

NEGATIVES = ("zero", "keep")
ROUNDING = 1e-5
"""Weights above minus this share of the largest count as zero that was rounded."""


def without_negatives(weights: Tensor, negative: str) -> Tensor:
    """The weights with 0 for negative ones, through which no gradient flows, or as they are; NaN stays.

    A weight of exactly 0 has its gradient in every version of torch, which `torch.clamp` does not give it.
    """
    one_of(negative, NEGATIVES, "negative")
    return weights.masked_fill(weights < 0, 0.0) if negative == "zero" else weights


def nonnegative(a: Tensor, wait: bool = False) -> Tensor:
    """``a`` as an adjacency (..., n, n), if no weight is below zero by more than rounding; else ValueError.

    It looks where nothing waits for that, on the CPU and neither in compiled code nor under vmap; with
    ``wait`` everywhere.
    """
    a = as_adjacency(a)
    check_weights(a, wait)
    return a


def check_weights(weights: Tensor, wait: bool = False) -> None:
    """Raises ValueError as `nonnegative` does, of weights of any shape."""
    if not weights.numel() or not (wait or may_look(weights)):
        return
    weights = weights.detach()
    least = float(weights.amin())
    if least < 0 and least < -ROUNDING * float(weights.abs().amax()):
        raise ValueError(
            f"The adjacency has negative weights (least {least:.3g}), of which degrees, Laplacians and "
            "variations make no sense: clamp(min=0) them, or build the graph with negative='zero'."
        )
