"""The best fit of subspaces, against the article's 40,000 steps of Adam and in growing problems.

Both sides get the same random sets that meet a planted subspace with some noise. The values are equal if ours
is no worse than Adam's by more than `TOLERANCE`, with ours better as often as it likes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter

import torch
from torch import Tensor
from usual import device_name

from lggkit.subspaces import SchubertBestFit, orthonormal_basis

SETS, SPACE, SIZE, DIMENSION = 10, 4096, 2, 4
STEPS, TOLERANCE, NOISE = 40_000, 1e-3, 0.02
GROWTH = {"n": (512, 2048, 8192), "k": (2, 8, 32), "l": (1, 4, 16), "r": (10, 40, 160)}
STEPS_OF_GROWTH = 5


def run() -> list[dict]:
    """A row against Adam, and rows of growth in n, k, l and r; ratio = reference / ours."""
    return [against_adam(), *growth()]


def sets(r: int, n: int, l: int, k: int) -> Tensor:
    source = torch.Generator().manual_seed(0)
    hidden = torch.linalg.qr(torch.randn(n, k, generator=source)).Q
    own = hidden @ torch.randn(r, k, 1, generator=source) + NOISE * torch.randn(r, n, 1, generator=source)
    return orthonormal_basis(torch.cat([own, torch.randn(r, n, l - 1, generator=source)], -1))


def against_adam() -> dict:
    x = sets(SETS, SPACE, SIZE, DIMENSION)
    name = f"best fit of {SETS} sets, n = {SPACE:,}, k = {DIMENSION}: {STEPS:,} steps of Adam"
    return compare(name, x, DIMENSION, STEPS) | {"smallest_ratio": 100.0}


def compare(name: str, x: Tensor, k: int, steps: int) -> dict:
    fit = SchubertBestFit(k).fit
    ours, fitted = timed(lambda: fit(x))
    adam = SchubertBestFit(k, solver="adam_penalty", iterations=steps).fit
    reference, theirs = timed(lambda: adam(x))
    return {
        "name": f"{name}, fit {fitted.fit_:.4f} (theirs {theirs.fit_:.4f})",
        "ours_seconds": ours,
        "reference_seconds": reference,
        "ratio": reference / ours,
        "equal": fitted.fit_ >= theirs.fit_ - TOLERANCE,
        "device": device_name("cpu"),
        "smallest_ratio": 0.0,
    }


def growth() -> list[dict]:
    """One size grows, the others stay; the reference are a few steps of Adam, which say what one costs."""
    rows = []
    for letter, values in GROWTH.items():
        for value in values:
            size = {"n": 2048, "k": 8, "l": 4, "r": 40} | {letter: value}
            x = sets(size["r"], size["n"], size["l"], size["k"])
            name = f"{letter} = {value:,}, against {STEPS_OF_GROWTH} steps of Adam"
            row = compare(name, x, size["k"], STEPS_OF_GROWTH)
            rows.append(row | {"grown": letter, "size": value})
    return rows


def timed(work: Callable[[], SchubertBestFit]) -> tuple[float, SchubertBestFit]:
    start = perf_counter()
    fitted = work()
    return perf_counter() - start, fitted


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
