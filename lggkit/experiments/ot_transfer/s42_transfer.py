"""Paper 3, section 4.2: fine-tuning on few labels under six penalties (Table 1), on data that can be had.

The paper fine-tunes a ResNet-101 of ImageNet on five fine-grained sets. Here a narrow ResNet-18 of CIFAR-100
goes to CIFAR-10, or to ten of the classes that it has seen, with 20 or 100 labels a class, for as many
passes over them as the paper makes. Weights of penalties and layers are chosen as there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lggkit.evaluation import model_error
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Network, TrainedNetwork
from lggkit.experiments.recipes.finetuning import (
    SMALL,
    TARGETS,
    TITLES,
    FineTuned,
    arm_of,
    fine_tuned,
    penalty_of,
    tuned,
)
from lggkit.experiments.recipes.transfer import METHODS
from lggkit.record import Record, Spec

GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Weights α that the paper chooses from."""


@dataclass(frozen=True)
class Settings(FineTuned):
    """Section 4.2's settings; ``is_source`` is the start itself, on the test images of its own classes."""

    is_source: bool = False

    @property
    def description(self) -> Network:
        """The fine-tuned network, or the start."""
        return self.start if self.is_source else super().description


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: accuracy on the target, and the trace of the plan through fine-tuning."""
    results = trained([spec for spec in specs if spec.protocol.is_source], context)
    results |= fine_tuned([spec for spec in specs if spec not in results], context)
    for spec in specs:
        begun, result = time.monotonic(), results[spec]
        metrics = {} if result.diverged is not None else _metrics(spec, result, context)
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how_trained(result))


def _metrics(spec: Spec, result: TrainedNetwork, context: Context) -> dict[str, Any]:
    settings = spec.protocol
    metrics = {"accuracy": 100 - model_error(result.model, settings.test(context))}
    if settings.validated:
        validation = settings.images.split(context)[1]
        metrics["validation_accuracy"] = 100 - model_error(result.model, validation)
    traces = result.curves.get("trace_penultimate", [])
    return metrics | ({"final_trace": traces[-1]} if traces else {})


def _search(method: str, alpha: float) -> Arm:
    changes = {"penalty": penalty_of(method, alpha), "validated": True}
    once = dict.fromkeys(("smoke", "short", "reduced", "paper"), 1) | {"short": 0, "paper": 0}
    name = f"search-{method}-{alpha:g}"
    return Arm(name, f"{TITLES[method]} with α = {alpha:g}", changes, table=False, seeds=once)


TABLE = tuple(arm_of(method, target) for target in TARGETS for method in METHODS)
SEARCH = tuple(_search(method, alpha) for method in METHODS[1:] for alpha in GRID)
ABLATIONS = (
    Arm(
        "source",
        "The start, on its own classes",
        {"is_source": True, "target": "cifar100"},
        table=False,
        seeds={"short": 1, "reduced": 1},
    ),
    Arm("scratch-cifar10", "No start, 20 labels a class", {"scratch": True}, table=False),
    Arm(
        "identity_start-cifar10",
        "Ω_P begun at the identity, 20 labels a class",
        tuned("omega_p", "cifar10", at_identity=True),
        table=False,
    ),
)
REDUCED = Settings()
SHORT = replace(REDUCED, epochs=32)
SMOKE = replace(REDUCED, **SMALL)

EXPERIMENT = Experiment(
    name="ot_transfer/s42_transfer",
    title="Transfer with few labels (Table 1)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": REDUCED},
    arms=(*TABLE, *ABLATIONS, *SEARCH),
    seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 0},
    ablation_seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 0},
    measure=measure,
    reference="none-cifar10",
    derived=("penalties",),
    together=(
        *(tuple(f"{method}-{target}" for method in METHODS) for target in TARGETS),
        tuple(arm.name for arm in SEARCH),
    ),
    minutes={"smoke": 0.01, "short": 1, "reduced": 2, "paper": 5},
    priority=30,
)
