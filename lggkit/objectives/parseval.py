"""Parseval training: weights that are kept near orthonormal (Cisse et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def parseval_step(model: nn.Module, beta: float = 0.01) -> None:
    """``W <- (1 + β) W - β W Wᵀ W`` for every parameter with more than one dimension."""
    if not 0 < beta < 1:
        raise ValueError(f"beta is {beta!r}; give a number between 0 and 1")
    for parameter in model.parameters():
        if parameter.dim() > 1:
            w = parameter.flatten(1)
            product = (w @ w.T) @ w if w.shape[0] <= w.shape[1] else w @ (w.T @ w)
            parameter.copy_(((1 + beta) * w - beta * product).view_as(parameter))


@torch.no_grad()
def spectral_norms(model: nn.Module) -> dict[str, Tensor]:
    """The largest singular value of every parameter with more than one dimension, by name."""
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            w = parameter.flatten(1)
            gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
            found[name] = torch.linalg.eigvalsh(gram)[-1].clamp(min=0).sqrt()
    return found
