"""A compiled forward pass that is tried, with its backward pass, before it is trusted."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lggkit.training.processor import CodePath, first_line
from lggkit.training.step import Forward

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2}


def choose_forward(
    model: nn.Module, forward: Forward, images: Tensor, path: CodePath
) -> tuple[Forward, CodePath]:
    """The compiled ``forward`` where it works and agrees with the plain one, else the plain one.

    The path says which. Both are run on ``images`` with a backward pass; buffers and gradients are as before
    afterwards.
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        compiled = torch.compile(forward, dynamic=False)
        off = _disagreement(compiled, forward, images, path, model, buffers)
    except Exception as error:
        return forward, path.eager(f"compilation failed ({first_line(error)})")
    finally:
        _restore(model, buffers)
    if off > TOLERANCE[path.dtype]:
        return forward, path.eager(f"compiled and eager outputs differ by {off:.1e} of their size")
    return compiled, path


def _disagreement(
    compiled: Forward,
    forward: Forward,
    images: Tensor,
    path: CodePath,
    model: nn.Module,
    buffers: dict[str, Tensor],
) -> float:
    theirs = _try(compiled, images, path)
    _restore(model, buffers)
    ours = _try(forward, images, path)
    if any(_draws(module) for module in model.modules()):
        return 0.0 if theirs.isfinite().all() else float("inf")
    off = float((theirs - ours).norm() / ours.norm().clamp_min(1e-12))
    return off if off == off else float("inf")


def _try(forward: Forward, images: Tensor, path: CodePath) -> Tensor:
    with path.autocast():
        latents, output = forward(images)
    kept = [output, *(value for value in latents.values() if value.requires_grad)]
    sum(value.float().square().mean() for value in kept).backward()
    return output.detach().float()


def _draws(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0


def _restore(model: nn.Module, buffers: dict[str, Tensor]) -> None:
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
