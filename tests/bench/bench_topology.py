"""Death times of class-pure sub-batches, forward and backward, against a loop over SciPy's spanning trees.

The loop takes one set at a time: its distances by SciPy, its tree by SciPy, and the lengths of the tree's
edges from differences of the points, as ours has them. Both begin with the same latents and end with the
gradient of the penalty of densification. The sets are first those of a training step of its authors, 8 of 16
samples with 128 features, then 8 of growing size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from time import perf_counter

import torch
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from torch import Tensor
from usual import alternate, device_name, devices, wait

from lggkit.topology import component_deaths

SETS, POINTS, WIDTH, BETA = 8, 16, 128, 0.7
SIZES = tuple(16 << i for i in range(6))
SMALLEST = {"cpu": 4.0, "cuda": 0.0}
ROUNDS, SECONDS = 15, 0.05
TOLERANCE = 1e-4
Deaths = Callable[[Tensor], Tensor]


def run() -> list[dict]:
    """A row for the sub-batches of a step and one for each size; ratio = reference / ours, of medians."""
    return [row for device in devices() for row in (step(device), *growth(device))]


def step(device: str) -> dict:
    name = f"deaths of {SETS} sets of {POINTS} points, {WIDTH} features"
    return compare(name, points(POINTS, device), device) | {"smallest_ratio": SMALLEST[device]}


def growth(device: str, sizes: Sequence[int] = SIZES) -> list[dict]:
    return [
        compare(f"deaths of {SETS} sets of {n} points", points(n, device), device)
        | {"n": n, "width": WIDTH, "smallest_ratio": 0.0}
        for n in sizes
    ]


def points(n: int, device: str) -> Tensor:
    source = torch.Generator().manual_seed(n)
    return torch.randn(SETS, n, WIDTH, generator=source).div(WIDTH**0.5).to(device).requires_grad_()


def by_scipy(x: Tensor) -> Tensor:
    return torch.stack([_of_one(one) for one in x])


def _of_one(x: Tensor) -> Tensor:
    held = x.detach().cpu().numpy()
    tree = minimum_spanning_tree(cdist(held, held)).tocoo()
    heads, tails = (torch.from_numpy(ends).long().to(x.device) for ends in (tree.row, tree.col))
    return (x[heads] - x[tails]).norm(dim=1).sort().values


def compare(name: str, x: Tensor, device: str) -> dict:
    sides = [gradient(deaths, x) for deaths in (component_deaths, by_scipy)]
    equal = torch.allclose(*sides, atol=TOLERANCE * sides[1].abs().max().item())
    calls = [lambda deaths=deaths: timed(deaths, x, device) for deaths in (component_deaths, by_scipy)]
    ours, reference = alternate(calls, ROUNDS)
    return {
        "name": name,
        "ours_seconds": ours,
        "reference_seconds": reference,
        "ratio": reference / ours,
        "equal": equal,
        "device": device_name(device),
    }


def gradient(deaths: Deaths, x: Tensor) -> Tensor:
    return torch.autograd.grad((deaths(x) - BETA).abs().sum(), x)[0]


def timed(deaths: Deaths, x: Tensor, device: str) -> float:
    """Mean seconds of as many calls as `SECONDS` hold, at least one."""
    wait(device)
    start, count = perf_counter(), 0
    while not count or perf_counter() - start < SECONDS:
        gradient(deaths, x)
        wait(device)
        count += 1
    return (perf_counter() - start) / count


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
