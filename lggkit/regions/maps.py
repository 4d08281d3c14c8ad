"""The affine map of a network at many inputs at once, by autograd; such maps as points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.graph._precision import accumulating
from lggkit.regions._bends import check_bends
from lggkit.regions._runs import Runner, finite


def local_affine_maps(network: nn.Module, x: Tensor, batch: int = 256) -> tuple[Tensor, Tensor]:
    """``W(x), b(x)`` with ``network(y) = W(x) y + b(x)`` for all y in the piece of x.

    One backward pass an output and batch, not one an image. Units at exactly 0 count as 0. It waits for a
    GPU, to look for entries that are not finite; bends outside ReLUs are looked for on the CPU alone.

    Args:
        network: see `activation_patterns`; it is run in evaluation mode, in the type of ``x``.
        x: inputs, floating point (n, ...).

    Returns:
        W (n, k, m) for k outputs and m entries of an input, and b (n, k).

    Raises:
        TypeError: the network has a part that is not piecewise linear, by name, or bends elsewhere than in
            its ReLUs; or ``x`` is no float tensor.
        ValueError: ``x`` holds no input or an entry that is not finite.
    """
    x = finite(x, "x")
    if x.ndim < 2 or not len(x):
        raise ValueError(f"x has shape {tuple(x.shape)}; give at least one input, (n, ...)")
    with torch.inference_mode(False), torch.enable_grad():
        runner = Runner(network, x.dtype)
        check_bends(runner, x)
        weights, biases = zip(*(_maps(runner, part.clone().detach()) for part in x.split(batch)), strict=True)
        return _joined(weights), _joined(biases)


def _maps(runner: Runner, x: Tensor) -> tuple[Tensor, Tensor]:
    outputs = runner.seen(x.requires_grad_())[1].flatten(1)
    weight = _slopes(outputs, x)
    return weight, outputs.detach() - (weight @ x.detach().flatten(1).unsqueeze(2)).squeeze(2)


def _slopes(outputs: Tensor, x: Tensor) -> Tensor:
    """Derivatives (n, k, m) of outputs (n, k), one output of all inputs at a time."""
    slopes = x.new_empty(*outputs.shape, x[:1].numel())
    for output, place in zip(outputs.unbind(1), slopes.unbind(1), strict=True):
        place.copy_(torch.autograd.grad(output.sum(), x, retain_graph=True)[0].flatten(1))
    return slopes


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def dual_points(weight: Tensor, bias: Tensor) -> Tensor:
    """``(w_{i,j}, b_{i,j})`` of every input i and output j: affine maps as points (n, k, m + 1).

    The cloud of one output is ``points[:, j]``. Sattelberg et al. (2023), eqs. 5 and 7.

    Args:
        weight, bias: (n, k, m) and (n, k), as `local_affine_maps` gives them.

    Raises:
        ValueError: the shapes do not belong together.
        TypeError: one is no tensor or not floating point.
    """
    weight, bias = accumulating(weight, "weight"), accumulating(bias, "bias")
    if weight.ndim != 3 or bias.shape != weight.shape[:2]:
        raise ValueError(
            f"weight has shape {tuple(weight.shape)} and bias {tuple(bias.shape)}; give (n, k, m) and (n, k)"
        )
    return torch.cat([weight, bias[..., None]], dim=2)


def dual_outputs(points: Tensor, x: Tensor) -> Tensor:
    """``⟨p_{i,j}, (x_i, 1)⟩``: what affine maps (n, k, m + 1) give at inputs of m entries, (n, k).

    Points of width m have no offset, and their outputs are ``⟨p_{i,j}, x_i⟩``.

    Raises:
        ValueError: as many maps as inputs are needed, and their widths do not belong together.
    """
    points, x = accumulating(points, "points"), accumulating(x, "x")
    x = (x.flatten(1) if x.ndim > 1 else x).to(points.dtype)
    if points.ndim != 3 or x.ndim != 2 or len(points) != len(x) or points.shape[2] - x.shape[1] not in (0, 1):
        raise ValueError(
            f"points have shape {tuple(points.shape)} and x {tuple(x.shape)}; give (n, k, m + 1) and (n, m)"
        )
    linear = (points[..., : x.shape[1]] @ x[..., None])[..., 0]
    return linear + points[..., x.shape[1] :].sum(2)
