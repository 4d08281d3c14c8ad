"""Optimal transport between the neurons of two layers, against three other solvers.

The layers are two random linear maps behind ReLUs of the same inputs, so that no neuron has a partner of its
own, and, in the row that declares no ratio, a layer and itself disturbed and in another order. The others
are POT's network simplex (`ot.emd2`, exact), POT's Sinkhorn in the log domain, and IPOT in NumPy as its
equations are, one Sinkhorn update an iteration. Every solver begins with the cost matrix and ends with a
plan, or the cost in the case of `ot.emd2`; a plan is made a coupling before its cost is compared with the
least, as `relative_gap`. Memory is what a process holds at most beyond what it held before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import numpy as np
import ot
import torch
from bench_memory import held_bytes, peak_bytes
from torch import Tensor
from usual import device_name, devices, wait

from lggkit.transport import cost_matrix, ipot, neurons
from lggkit.transport.plans import feasible

NEURONS, BATCH = 2048, 64
SIZES = tuple(64 << i for i in range(7))
OURS = {"beta": 0.1, "iterations": 10, "inner": 5}
SMOOTHING, SINKHORN_UPDATES = 0.01, 100
PLAIN_STEP, PLAIN_ITERATIONS = 0.1, 100
MOST_PIVOTS = 10**8
TOLERANCE, ROUNDS, PATIENCE = 0.02, 3, 60.0
Solver = Callable[[np.ndarray], np.ndarray | float]


def run() -> list[dict]:
    """Rows for each other solver, for growing layers, and for memory; ratio = reference / ours."""
    return [row for device in devices() for row in (*solvers(device), *growth(device), memory(device))]


def solvers(device: str, n: int = NEURONS) -> list[dict]:
    cost = costs(n)
    least = exact(cost)
    rows = [
        compare(f"transport of {n:,} neurons, batch {BATCH}: {name}", cost, least, solver, ratio, device)
        for name, (solver, ratio) in OTHERS.items()
    ]
    near, name = costs(n, disturbed=True), f"transport of {n:,} neurons to themselves, disturbed: ot.emd2"
    return [*rows, compare(name, near, exact(near), exact, 0.0, device)]


def growth(device: str, sizes: Sequence[int] = SIZES) -> list[dict]:
    """The exact solver takes part while it is expected to end in time."""
    rows, last = [], 0.0
    for n in sizes:
        cost, alone = costs(n), 8 * last > PATIENCE
        least = None if alone else exact(cost)
        row = compare(
            f"transport of {n:,} neurons: ot.emd2", cost, least, None if alone else exact, 0.0, device
        )
        rows.append(row | {"n": n, "width": BATCH})
        last = row["reference_seconds"] or 0.0
        if alone:
            break
    return rows


def compare(
    name: str, cost: np.ndarray, least: float | None, solver: Solver | None, smallest: float, device: str
) -> dict:
    given = torch.from_numpy(cost).float().to(device)
    ours, plan = timed(lambda: solved(given), ROUNDS)
    reference, theirs = timed(lambda: solver(cost), 1) if solver else (None, None)
    gap = relative_gap(plan.cpu().double().numpy(), cost, least)
    other = relative_gap(theirs, cost, least) if solver else None
    return {
        "name": name if gap is None else f"{name}, {gap:.2%} (theirs {other or 0.0:.2%}) above the least",
        "ours_seconds": ours,
        "reference_seconds": reference,
        "ratio": reference / ours if solver else None,
        "equal": gap is None or -1e-4 <= gap <= TOLERANCE,
        "device": device_name(device),
        "smallest_ratio": smallest if device == "cpu" else 0.0,
        "relative_gap": gap,
        "reference_relative_gap": other,
    }


def costs(n: int, disturbed: bool = False) -> np.ndarray:
    """Distances between the neurons of two layers of n, float64."""
    source = torch.Generator().manual_seed(n)
    inputs = torch.randn(BATCH, 32, generator=source)
    first, second = ((inputs @ torch.randn(32, n, generator=source)).relu() for _ in range(2))
    if disturbed:
        noise = torch.randn(BATCH, n, generator=source)
        second = (first + 0.5 * noise)[:, torch.randperm(n, generator=source)]
    return cost_matrix(neurons(first), neurons(second)).double().numpy()


def solved(cost: Tensor) -> Tensor:
    plan = ipot(cost, **OURS).plan
    wait(cost.device.type)
    return plan


def exact(cost: np.ndarray) -> float:
    return float(ot.emd2([], [], cost, numItermax=MOST_PIVOTS))


def log_sinkhorn(cost: np.ndarray) -> np.ndarray:
    options = {"method": "sinkhorn_log", "numItermax": SINKHORN_UPDATES, "warn": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ot.sinkhorn([], [], cost, SMOOTHING * cost.mean(), **options)


def plain_ipot(cost: np.ndarray) -> np.ndarray:
    """`P ← diag(u) (exp(-M/β) ⊙ P) diag(v)`, u = μ / (Q v), v = ν / (Qᵀ u)."""
    n, m = cost.shape
    plan, v, kernel = np.ones((n, m)) / (n * m), np.ones(m), np.exp(-cost / (PLAIN_STEP * cost.mean()))
    for _ in range(PLAIN_ITERATIONS):
        q = kernel * plan
        u = 1 / n / (q @ v)
        v = 1 / m / (q.T @ u)
        plan = u[:, None] * q * v[None, :]
    return plan


OTHERS: dict[str, tuple[Solver, float]] = {
    "ot.emd2, exact": (exact, 3.0),
    "POT's Sinkhorn in the log domain": (log_sinkhorn, 8.0),
    "plain IPOT in NumPy": (plain_ipot, 13.0),
}


def relative_gap(solution: np.ndarray | float, cost: np.ndarray, least: float | None) -> float | None:
    """By how much a plan, made a coupling, or a cost is above the least, in units of the least."""
    if least is None:
        return None
    if isinstance(solution, float):
        return solution / least - 1
    n, m = cost.shape
    mu, nu = torch.full((n,), 1 / n).double(), torch.full((m,), 1 / m).double()
    return float((feasible(torch.from_numpy(solution), mu, nu).numpy() * cost).sum() / least - 1)


def timed(work: Callable[[], object], rounds: int) -> tuple[float, object]:
    """Median seconds, and what was computed."""
    seconds = []
    for _ in range(rounds):
        start = perf_counter()
        result = work()
        seconds.append(perf_counter() - start)
    return median(seconds), result


def memory(device: str, n: int = NEURONS) -> dict:
    """Ours beside `ot.emd2`, each in a process of its own."""
    ours, reference = (alone(side, device, n) for side in ("ours", "reference"))
    return {
        "kind": "memory",
        "name": f"transport of {n:,} neurons",
        "ours_bytes": ours,
        "reference_bytes": reference,
        "ratio": reference / ours,
        "equal": True,
        "device": device_name(device),
    }


def alone(side: str, device: str, n: int) -> int:
    threads = str(torch.get_num_threads())
    words = [sys.executable, __file__, side, device, str(n), threads]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def measure(side: str, device: str, n: int) -> int:
    """Bytes beyond the cost matrix, after a small problem has loaded the libraries."""
    place = device if side == "ours" else "cpu"

    def given(size: int) -> np.ndarray | Tensor:
        cost = np.random.default_rng(0).random((size, size))
        return torch.from_numpy(cost).float().to(place) if side == "ours" else cost

    solve = solved if side == "ours" else exact
    solve(given(64))
    cost = given(n)
    before = held_bytes(place)
    solve(cost)
    return max(peak_bytes(place) - before, 1)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(json.dumps(run(), indent=2))
    else:
        torch.set_num_threads(int(sys.argv[4]))
        print(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
