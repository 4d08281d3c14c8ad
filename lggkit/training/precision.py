"""Float32 or bfloat16 on a CPU: decided by timing some steps of the training itself."""

from __future__ import annotations

import functools
from dataclasses import replace

import torch

from lggkit.training.memory import is_out_of_memory
from lggkit.training.processor import DTYPES, CodePath, first_line
from lggkit.training.run import Run
from lggkit.training.seeds import drops
from lggkit.training.selfcheck import TOLERANCE, apart_from, undone
from lggkit.training.turns import seconds, trial_loss, turns

MARGIN = 1.1
"""How many times as fast as float32 bfloat16 must be."""
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
    times = [[seconds(lambda x=x: x @ x) for x in (wide, wide.bfloat16())] for _ in range(4)]
    single, half = zip(*times[1:], strict=True)
    return min(single) / min(half)


def _compared(run: Run) -> tuple[torch.dtype, str]:
    batch = run.stream.full(run.step)
    paths = [replace(run.path, dtype=dtype) for dtype in (torch.float32, torch.bfloat16)]
    ours, theirs = (trial_loss(run, path, batch) for path in paths)
    off = apart_from([ours], [theirs])
    if off > TOLERANCE and not drops(run.model):
        return torch.float32, f"losses in bfloat16 and float32 differ by {off:.1e}"
    if not theirs.isfinite():
        return torch.float32, f"the loss in bfloat16 is {float(theirs)}"
    taken = list(turns(run, paths, batch))
    single, half = (min(times) for times in zip(*taken, strict=True))
    told = f"{single / half:.2f}x float32 over {len(taken)} steps"
    if single < MARGIN * half:
        return torch.float32, f"bfloat16 gains too little ({told})"
    return torch.bfloat16, f"bfloat16 is {told}"
