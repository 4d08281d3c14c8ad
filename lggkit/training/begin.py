"""The one door to how steps are made: in which precision, eager, compiled or captured."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import torch

from lggkit.training.capture import capture_all
from lggkit.training.compiled import compile_forward, kind_of
from lggkit.training.kernels import choose_kernels
from lggkit.training.precision import adopt_precision, try_bfloat16
from lggkit.training.processor import DTYPES
from lggkit.training.run import Run

log = logging.getLogger("lggkit.training")


def begin(runs: Sequence[Run]) -> None:
    """Decide on precision and between captured, compiled and eager for runs that advance together.

    Their taps must be on; their paths say what was decided. What is tried takes no random numbers from what
    follows.
    """
    for run in runs:
        run.model.train()
    with torch.random.fork_rng(devices=[]):
        _choose_forward(runs)
    for run in runs:
        if run.step == 0:
            run.evaluate(0)
    capture_all(runs)
    for run in runs:
        if run.begun_as is not None and run.begun_as.mode != run.path.mode:
            run.path = run.path.because(f"begun as [{run.begun_as.mode}]")
    _tell_paths(runs)


def _choose_forward(runs: Sequence[Run]) -> None:
    """Kernels, compilation and precision of each run.

    Where a CPU is free to choose, the first network of a kind is timed and others follow it, or what a
    checkpoint was begun as: seeds that are compared are computed alike. Those of one seed are computed in one
    precision, of whatever kind they are.
    """
    begun = [run for run in runs if run.begun_as is not None]
    slow = {kind_of(run): "" if run.begun_as.compiled else "begun eager" for run in begun}
    tried = {kind: (False, "begun compiled") for kind, why in slow.items() if not why}
    known = {mark: DTYPES[run.begun_as.precision] for run in begun for mark in _marks(run)}
    for run in runs:
        adopt_precision(run, next((known[mark] for mark in _marks(run) if mark in known), None))
        choose_kernels(run, tried)
        if run.path.compile and not run.done:
            compile_forward(run, slow)
        if run.path.undecided and not run.done:
            run.path = try_bfloat16(run)
        for mark in _marks(run):
            known.setdefault(mark, run.path.dtype)


def _marks(run: Run) -> tuple:
    """What runs of one precision share: the seed, or the kind of network."""
    return run.stream.seed, kind_of(run)


def _tell_paths(runs: Sequence[Run]) -> None:
    for path, count in Counter(str(run.path) for run in runs if not run.done).items():
        log.info("  %d %s on %s", count, "network" if count == 1 else "networks", path)
