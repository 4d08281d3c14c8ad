"""Float32 or bfloat16 on a CPU: decided by timing some steps of the training itself."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import perf_counter

import torch
from torch import Tensor

from lggkit.training.memory import is_out_of_memory
from lggkit.training.processor import DTYPES, CodePath, first_line
from lggkit.training.run import Run
from lggkit.training.seeds import drops, seed_noise
from lggkit.training.selfcheck import TOLERANCE, apart_from, undone
from lggkit.training.step import loss_on
from lggkit.training.stream import Batch

MARGIN = 1.1
"""How many times as fast as float32 bfloat16 must be."""
TURNS = 10
SECONDS_FOR_TURNS = 20.0
ROWS = 256


def adopt_precision(run: Run, other: torch.dtype | None) -> None:
    """Where the settings leave it open: what the run was begun in, else that of ``other`` runs, if any."""
    if run.config.precision == "auto" and run.begun_as is not None:
        dtype = DTYPES[run.begun_as.precision]
        run.path = run.path.computed_in(dtype, "in the precision that it was begun in")
    elif run.path.undecided and other is not None:
        run.path = run.path.computed_in(other, "in the precision of those trained with it")


def try_bfloat16(run: Run) -> CodePath:
    """The run's path: in bfloat16 where steps are faster by a margin and give the same loss, else in float32.

    A step is a forward and a backward pass on a batch of the full size, of the run's objective, compiled or
    not as the run is. Parameters, buffers and gradients are as before afterwards. A processor that gains
    nothing from bfloat16 in a small product is not tried further.
    """
    gain = gain_in_products()
    if gain <= 1:
        return run.path.computed_in(
            torch.float32, f"products in bfloat16 are no faster ({gain:.2f}x float32)"
        )
    with undone(run):
        try:
            dtype, reason = _compared(run)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            dtype, reason = torch.float32, f"bfloat16 failed ({first_line(error)})"
    return run.path.computed_in(dtype, reason)


@functools.cache
def gain_in_products() -> float:
    """How many times as fast as in float32 a product of matrices is in bfloat16; takes milliseconds."""
    wide = torch.ones(ROWS, ROWS)
    times = [[_seconds(lambda x=x: x @ x) for x in (wide, wide.bfloat16())] for _ in range(4)]
    single, half = zip(*times[1:], strict=True)
    return min(single) / min(half)


def _compared(run: Run) -> tuple[torch.dtype, str]:
    batch = run.stream.full(run.step)
    paths = [replace(run.path, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)]
    ours, theirs = (_loss(run, path, batch) for path in paths)
    off = apart_from([ours], [theirs])
    if off > TOLERANCE and not drops(run.model):
        return torch.float32, f"losses in bfloat16 and float32 differ by {off:.1e}"
    if not theirs.isfinite():
        return torch.float32, f"the loss in bfloat16 is {float(theirs)}"
    turns = list(_turns(run, paths, batch))
    single, half = (min(times) for times in zip(*turns, strict=True))
    told = f"{single / half:.2f}x float32 over {len(turns)} steps"
    if single < MARGIN * half:
        return torch.float32, f"bfloat16 gains too little ({told})"
    return torch.bfloat16, f"bfloat16 is {told}"


def _turns(run: Run, paths: Sequence[CodePath], batch: Batch) -> Iterator[list[float]]:
    """Seconds of a step on each path, turn by turn."""
    began = perf_counter()
    for turn in range(TURNS):
        if turn > 1 and perf_counter() - began > SECONDS_FOR_TURNS:
            return
        yield [_seconds(lambda path=path: _loss(run, path, batch)) for path in paths]


def _loss(run: Run, path: CodePath, batch: Batch) -> Tensor:
    """The loss of a forward and backward pass, a detached scalar."""
    seed_noise(path.device, run.stream.seed, run.step)
    run.model.zero_grad(set_to_none=True)
    loss, _ = loss_on(run.forward, run.loss, batch, path.autocast())
    loss.backward()
    if run.taps is not None:
        run.taps.clear()
    return loss.detach().float()


def _seconds(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
