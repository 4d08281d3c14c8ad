"""Parseval training: weights that are drawn towards orthonormal ones (Cisse et al., 2017)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lggkit.graph._precision import accumulating, in_memory_order, matmul


@torch.no_grad()
def parseval_step(model: nn.Module, beta: float = 0.01) -> None:
    """``W <- (1 + β) W - β W Wᵀ W``, in place, for every trained parameter with more than one dimension.

    A weight counts as the matrix (outputs, all the rest). Its singular vectors stay, and every singular value
    becomes ``(1 + β) s - β s³``: it goes to 1 if it begins below √(1 + 1/β), ten at β = 0.01, and away
    beyond √(1 + 2/β). Wide matrices go to orthonormal rows, ``W Wᵀ = I``, tall ones to orthonormal columns.
    The authors of paper 1 call it after every update of the optimiser, on convolutions and linear layers
    alike, with the network ``preact_resnet18(parseval=True)`` of `lggkit.networks`:
    ``train(..., after_step=partial(parseval_step, beta=0.01))`` in `lggkit.training`. Nothing waits for the
    device. It takes ``4 min(rows, columns) · rows · columns`` operations a weight, whatever the batch.

    Args:
        model: any module; frozen parameters stay as they are.
        beta: β, in (0, 1).

    Raises:
        ValueError: ``beta`` is not in (0, 1).

    Source: Cisse et al., "Parseval networks: improving robustness to adversarial examples" (2017), section
    4; paper 1, Table 3.
    """
    if not 0 < beta < 1:
        raise ValueError(f"beta is {beta!r}; give a number between 0 and 1, such as 0.01")
    for parameter in model.parameters():
        if parameter.dim() > 1 and parameter.requires_grad:
            weight = in_memory_order(parameter)
            w = accumulating(weight.flatten(1))
            weight.copy_(((1 + beta) * w - beta * _cube(w)).view_as(weight))


@torch.no_grad()
def spectral_norms(model: nn.Module) -> dict[str, Tensor]:
    """The largest singular value of every parameter with more than one dimension, taken as (outputs, rest).

    How much a linear layer can lengthen its input. A convolution can do it up to k times as much, k being
    its kernel's side. It is for measurement: on CUDA it waits for the device.

    Args:
        model: any module, for instance in training.

    Returns:
        Name of the parameter -> its spectral norm >= 0, a scalar on its device, at least float32; NaN where
        an entry is not finite.
    """
    weights = {name: p for name, p in model.named_parameters() if p.dim() > 1}
    return {name: _spectral_norm(in_memory_order(p).flatten(1)) for name, p in weights.items()}


def _cube(w: Tensor) -> Tensor:
    """``W Wᵀ W``, by the smaller of the Gram matrices."""
    gram = _smaller_gram(w)
    return matmul(gram, w) if w.shape[0] <= w.shape[1] else matmul(w, gram)


def _spectral_norm(w: Tensor) -> Tensor:
    w = accumulating(w)
    largest = w.abs().amax()
    if not bool(largest.isfinite()):
        return largest.new_tensor(torch.nan)
    scale = torch.where(largest == 0, 1.0, largest)
    return torch.linalg.eigvalsh(_smaller_gram(w / scale))[-1].clamp(min=0).sqrt() * scale


def _smaller_gram(w: Tensor) -> Tensor:
    return matmul(w, w.mT) if w.shape[0] <= w.shape[1] else matmul(w.mT, w)
