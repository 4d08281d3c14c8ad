"""Paper 3, sections 2 and 4: what the transport regulariser guarantees, how its solvers compare, its cost.

Nothing is trained: neurons are drawn, ReLU of random mixtures of a few hidden causes. The timed step is one
of fine-tuning a ResNet-18 on a batch of noise, whose weights and images change no step's length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from lggkit.evaluation.transport_solvers import SOLVERS, cost_gaps, drawn_layer, matching_problem, recovery
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.penalty_steps import linear_program, seconds, step_seconds
from lggkit.experiments.recipes.transfer import Penalty
from lggkit.objectives import omega_i, omega_p, omega_u
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.transport import cost_matrix, ipot

TRACED = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Iterations after which the gap to the exact cost is recorded."""
BETAS = (0.01, 0.03, 0.1, 0.3, 1.0)
DRAWN = 16
"""Neurons of the plans that are kept for a picture."""
CHANGES = ("permutation_violation", "identity_change", "uniform_change")


@dataclass(frozen=True)
class Settings(Protocol):
    """Layers of as many neurons as ``shapes`` says on ``batch`` samples of ``causes`` hidden causes.

    A problem of the arm ``solvers`` is a layer of ``neurons`` and its reordered copy, each activation moved
    by ``noise`` times their standard deviation. ``beta``, ``iterations`` and ``inner`` are IPOT's; Sinkhorn
    gets the same entropy and as many updates. Solvers are timed on ``sizes`` neurons, once a seed, steps on
    a ResNet-18 of ``width``, ``timed_steps`` times.
    """

    problems: int = 10
    shapes: tuple[tuple[int, int], ...] = ((64, 64), (64, 48), (256, 256))
    batch: int = 64
    causes: int = 16
    neurons: int = 64
    noise: float = 1.0
    beta: float = 0.3
    iterations: int = 100
    inner: int = 10
    sizes: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    width: int = 32
    layers: tuple[str, ...] = ("block5", "penultimate")
    timed_steps: int = 10


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec, of the kind that its arm names."""
    for spec in specs:
        begun = time.monotonic()
        metrics, arrays = MEASURES[spec.arm](spec.protocol, torch.Generator().manual_seed(spec.seed))
        precision = "float32" if spec.arm == "timing" else "float64"
        stamps = {"seconds": time.monotonic() - begun, "precision": precision, "path": f"cpu, {precision}"}
        yield context.record(spec, metrics, arrays=arrays, **stamps)


Measured = tuple[dict[str, Any], dict[str, Any]]


def _exact(settings: Settings, generator: torch.Generator) -> Measured:
    """Claims 1 and 2: what reordering neurons changes, and the gap between IPOT's cost and the least."""
    largest, gaps = dict.fromkeys(CHANGES, 0.0), []
    for widths in settings.shapes:
        for _ in range(settings.problems):
            a, t = (drawn_layer(settings.batch, width, settings.causes, generator) for width in widths)
            for name, change in _changes(a, t, settings, generator).items():
                largest[name] = max(largest[name], change)
            gaps.append(cost_gaps(cost_matrix(a.T, t.T), TRACED, settings.beta, settings.inner))
    worst = torch.tensor(gaps).amax(0).tolist()
    reached = worst[TRACED.index(settings.iterations)]
    return {**largest, "ipot_cost_gap": reached, "gap_by_iterations": worst}, {}


def _changes(a: Tensor, t: Tensor, settings: Settings, generator: torch.Generator) -> dict[str, float]:
    """How much each penalty changes, relatively, when the neurons of one side are reordered."""
    other = a[:, torch.randperm(a.shape[1], generator=generator)]
    solver = {"beta": settings.beta, "iterations": settings.iterations, "inner": settings.inner}
    penalties: dict[str, Callable[[Tensor], Tensor]] = {
        "permutation_violation": lambda x: omega_p([x], [t], **solver)[0],
        "uniform_change": lambda x: omega_u([x], [t]),
    }
    if a.shape == t.shape:
        penalties["identity_change"] = lambda x: omega_i([x], [t])
    return {name: float((of(other) - of(a)).abs() / of(a)) for name, of in penalties.items()}


def _solvers(settings: Settings, generator: torch.Generator) -> Measured:
    """Claim 3: the mass that plans put on the true matching of a layer and its noisy, reordered copy."""
    recoveries: dict[str, list[list[float]]] = {name: [] for name in SOLVERS}
    for _ in range(settings.problems):
        cost, order = _matching(settings, settings.neurons, generator)
        for name, rows in recoveries.items():
            rows.append([recovery(_plan(name, cost, beta, settings), order) for beta in BETAS])
    by_beta = {name: torch.tensor(rows).mean(0).tolist() for name, rows in recoveries.items()}
    metrics: dict[str, Any] = {f"recovery_{name}_by_beta": values for name, values in by_beta.items()}
    at = BETAS.index(settings.beta)
    metrics |= {f"recovery_{name}": values[at] for name, values in by_beta.items()}
    cost, order = _matching(settings, DRAWN, generator)
    plans = {name: _plan(name, cost, settings.beta, settings)[order.argsort()] for name in SOLVERS}
    return metrics, {f"plan_{name}": (DRAWN * plan).float().numpy() for name, plan in plans.items()}


def _matching(settings: Settings, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return matching_problem(settings.batch, width, settings.causes, settings.noise, generator)


def _plan(name: str, cost: Tensor, beta: float, settings: Settings) -> Tensor:
    return SOLVERS[name](cost, beta, settings.iterations, settings.inner)


def _timing(settings: Settings, generator: torch.Generator) -> Measured:
    """Claim 19: seconds of the solvers by the number of neurons, and of training steps by penalty."""
    works = {"ipot": _as_in_training, "linear_program": linear_program}
    by_size: dict[str, list[float]] = {name: [] for name in works}
    for size in settings.sizes:
        sides = [drawn_layer(settings.batch, size, settings.causes, generator).float().T for _ in range(2)]
        cost = cost_matrix(*sides)
        for name, work in works.items():
            work(cost[:8, :8])  # what is loaded at the first call is not timed
            by_size[name].append(seconds(partial(work, cost)))
    steps = step_seconds(settings.width, settings.batch, settings.layers, settings.timed_steps)
    metrics: dict[str, Any] = {f"seconds_{name}_by_size": values for name, values in by_size.items()}
    metrics |= {f"seconds_{name}": values[-1] for name, values in by_size.items()}
    return metrics | {f"step_seconds_{STEPS[method]}": value for method, value in steps.items()}, {}


def _as_in_training(cost: Tensor) -> Tensor:
    own = Penalty("omega_p", 1.0)
    return ipot(cost, beta=own.beta, iterations=own.iterations, inner=own.inner).cost


STEPS = {"none": "none", "l2_sp": "parameter", "omega_p": "transport", "linear_program": "linear_program"}
"""How metrics name the methods."""
MEASURES = {"exact": _exact, "solvers": _solvers, "timing": _timing}
PAPER = Settings()
CUT = Settings(problems=3)
SMOKE = Settings(
    problems=2,
    batch=16,
    shapes=((12, 12), (12, 8)),
    neurons=16,
    iterations=20,
    sizes=(16, 32),
    width=2,
    timed_steps=2,
)

EXPERIMENT = Experiment(
    name="ot_transfer/s2_regulariser",
    title="The transport regulariser: exactness, solvers and cost",
    protocols={"smoke": SMOKE, "short": CUT, "reduced": CUT, "paper": PAPER},
    arms=(
        Arm("exact", "reordered neurons and the least cost"),
        Arm("solvers", "IPOT beside Sinkhorn"),
        Arm("timing", "seconds", {"timed_steps": 5}),
    ),
    seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 10},
    measure=measure,
    minutes={"smoke": 0.02, "short": 1, "reduced": 1, "paper": 2},
    priority=20,
)
