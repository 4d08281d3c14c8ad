"""A compiled forward pass that is tried, with its backward pass, before it is trusted."""

from __future__ import annotations

from time import perf_counter

import torch
from torch import Tensor, nn

from lggkit.training.processor import CodePath, first_line
from lggkit.training.run import Run
from lggkit.training.seeds import drops
from lggkit.training.step import Forward, Latents

TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 5e-2}
STEPS_TIMED = 5


def compile_forward(run: Run, slow: dict[tuple, str]) -> None:
    """Compile the forward pass of a run whose path asks for it, where it works; the path says so.

    Where a CPU is free to choose it is timed. ``slow`` says by kind why a network is not compiled, nothing
    where it is; it is added to.
    """
    kind, free = kind_of(run), run.config.compile == "auto" and run.path.device.type == "cpu"
    if free and slow.get(kind):
        run.path = run.path.eager(slow[kind])
        return
    inputs, timed = run.stream.full(run.step).inputs, free and kind not in slow
    run.forward, run.path = choose_forward(run.model, run.forward, inputs, run.path, timed)
    slow[kind] = "" if run.path.compile else run.path.reasons[-1]


def kind_of(run: Run) -> tuple:
    """What networks have in common that are compiled alike: the shapes of their parameters."""
    return tuple(tuple(parameter.shape) for parameter in run.model.parameters())


def choose_forward(
    model: nn.Module, forward: Forward, inputs: Tensor, path: CodePath, timed: bool = False
) -> tuple[Forward, CodePath]:
    """The compiled ``forward`` where it works and agrees with the plain one, else the plain one.

    ``timed``: and where it is faster. The path says which. Both are run on ``inputs`` with a backward pass;
    buffers and gradients are as before afterwards.
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    try:
        compiled = torch.compile(forward, dynamic=False)
        off = _disagreement(compiled, forward, inputs, path, model, buffers)
        ratio = _speed(compiled, forward, inputs, path) if timed and off <= TOLERANCE[path.dtype] else None
    except Exception as error:
        return forward, path.eager(f"compilation failed ({first_line(error)})")
    finally:
        _restore(model, buffers)
    if off > TOLERANCE[path.dtype]:
        return forward, path.eager(f"compiled and eager outputs differ by {off:.1e} of their size")
    chosen = _for_batches_of(len(inputs), compiled, forward)
    if ratio is None:
        return chosen, path
    if ratio > 1:
        return chosen, path.because(f"compiled is {ratio:.2f}x eager over {STEPS_TIMED} steps")
    return forward, path.eager(f"compiled is no faster ({ratio:.2f}x eager over {STEPS_TIMED} steps)")


def _for_batches_of(size: int, compiled: Forward, forward: Forward) -> Forward:
    """``compiled`` for batches of this size, else ``forward``: a short batch repays no compilation."""

    def either(inputs: Tensor) -> tuple[Latents, Tensor]:
        return (compiled if len(inputs) == size else forward)(inputs)

    return either


def _disagreement(
    compiled: Forward,
    forward: Forward,
    inputs: Tensor,
    path: CodePath,
    model: nn.Module,
    buffers: dict[str, Tensor],
) -> float:
    theirs = _try(compiled, inputs, path)
    _restore(model, buffers)
    ours = _try(forward, inputs, path)
    if drops(model):
        return 0.0 if theirs.isfinite().all() else float("inf")
    off = float((theirs - ours).norm() / ours.norm().clamp_min(1e-12))
    return off if off == off else float("inf")


def _speed(compiled: Forward, forward: Forward, inputs: Tensor, path: CodePath) -> float:
    """How many times as fast as the plain pass the compiled one is, each at its best of several turns."""
    seconds: dict[Forward, list[float]] = {compiled: [], forward: []}
    for _ in range(STEPS_TIMED):
        for way, taken in seconds.items():
            start = perf_counter()
            _try(way, inputs, path)
            taken.append(perf_counter() - start)
    return min(seconds[forward]) / min(seconds[compiled])


def _try(forward: Forward, inputs: Tensor, path: CodePath) -> Tensor:
    with path.autocast():
        latents, output = forward(inputs)
    values = [output, *(value for value in latents.values() if value.requires_grad)]
    sum(value.float().square().mean() for value in values).backward()
    return output.detach().float()


def _restore(model: nn.Module, buffers: dict[str, Tensor]) -> None:
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
