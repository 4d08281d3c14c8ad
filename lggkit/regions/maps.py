"""The affine map of a network at many inputs at once, by autograd."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lggkit.graph._precision import accumulating
from lggkit.regions._runs import Runner


def local_affine_maps(network: nn.Module, x: Tensor, batch: int = 256) -> tuple[Tensor, Tensor]:
    """``W(x), b(x)`` with ``network(y) = W(x) y + b(x)`` for all y in the piece of x.

    One backward pass an output and batch, not one an image. Units at exactly 0 count as 0.

    Args:
        network: see `activation_patterns`; it is run in evaluation mode, in the type of ``x``.
        x: inputs, floating point (n, ...).

    Returns:
        W (n, k, m) for k outputs and m entries of an input, and b (n, k).

    Raises:
        TypeError: the network has a part that is not piecewise linear, by name, or ``x`` is no float tensor.
    """
    x, weights, biases = accumulating(x, "x"), [], []
    runner = Runner(network, x.dtype)
    for part in x.split(batch):
        part = part.detach().clone().requires_grad_()
        _, outputs = runner.seen(part)
        outputs = outputs.flatten(1)
        rows = [torch.autograd.grad(o.sum(), part, retain_graph=True)[0] for o in outputs.unbind(1)]
        weight = torch.stack([row.flatten(1) for row in rows], dim=1)
        weights.append(weight)
        biases.append((outputs - (weight @ part.flatten(1).unsqueeze(2)).squeeze(2)).detach())
    return torch.cat(weights), torch.cat(biases)
