"""Paper 3, section 5: which neurons keep their roles through fine-tuning (Figures 2 and 3).

The trace of the plan between a fine-tuned network and its start is the share of neurons that match their old
selves. Networks are those of section 4.2. Two controls have a known answer: the start with its neurons
reordered, and a network with random weights.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.evaluation import model_error
from lggkit.evaluation.neuron_plans import layer_points, plan_between, swapped_share
from lggkit.experiments.base import Arm, Context, Experiment, how_trained
from lggkit.experiments.recipes.finetuning import SMALL, START_SEED, FineTuned, arm_of, fine_tuned
from lggkit.record import Record, Spec
from lggkit.transport import cost_matrix

DEPTHS = (*(f"block{i}" for i in range(1, 9)), "penultimate")


@dataclass(frozen=True)
class Settings(FineTuned):
    """Section 5's settings: plans at ``depths``; ``control`` is what is compared with the start instead."""

    depths: tuple[str, ...] = DEPTHS
    control: str = ""


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: the trace of the plan to the start at every depth."""
    results = fine_tuned([spec for spec in specs if not spec.protocol.control], context)
    for spec in specs:
        begun, settings = time.monotonic(), spec.protocol
        start = context.network(settings.start, START_SEED)
        seen = settings.traced(context).images
        old = layer_points(start, seen, settings.depths)
        if settings.control:
            points, final, how = _control(spec, old, context), {}, {}
        else:
            result = results[spec]
            how = how_trained(result)
            if result.diverged is not None:
                yield context.record(spec, {}, **how)
                continue
            points = layer_points(result.model, seen, settings.depths)
            final = {"accuracy": 100 - model_error(result.model, settings.test(context))}
            final["final_trace"] = result.curves["trace_penultimate"][-1]
        metrics, arrays = _roles(points, old)
        yield context.record(spec, metrics | final, arrays=arrays, seconds=time.monotonic() - begun, **how)


Points = Mapping[str, Tensor]


def _control(spec: Spec, old: Points, context: Context) -> Points:
    """The start's neurons in another order, or those of a network with random weights."""
    if spec.protocol.control == "permuted":
        source = torch.Generator().manual_seed(spec.seed)
        return {depth: x[torch.randperm(len(x), generator=source)] for depth, x in old.items()}
    model: nn.Module = spec.protocol.start.untrained(spec.seed + 1, context)
    return layer_points(model, spec.protocol.traced(context).images, spec.protocol.depths)


def _roles(points: Points, old: Points) -> tuple[dict[str, Any], dict[str, Any]]:
    """The traces of the plans, what share of the last layer's neurons swapped, and the plan there.

    ``relative_cost`` is what the plan there costs over the mean distance: 0 for a mere reordering.
    ``swapped_share_null`` is that of the start against itself: dead and equal neurons may swap unseen.
    """
    plans = {depth: plan_between(points[depth], x) for depth, x in old.items()}
    last = [*plans][-1]
    cost = cost_matrix(points[last], old[last])
    traces = [float(plan.trace()) for plan in plans.values()]
    metrics = {
        "trace_by_depth": traces,
        "mean_trace": sum(traces) / len(traces),
        "trace_shortfall": 1 - min(traces),
        "relative_cost": float((plans[last] * cost).sum() / cost.mean()),
        "swapped_share": swapped_share(plans[last]),
        "swapped_share_null": swapped_share(plan_between(old[last], old[last])),
    }
    return metrics, {"plan": (len(plans[last]) * plans[last]).float().numpy()}


PAIRS = tuple(
    (method, target) for target in ("cifar10", "overlap") for method in ("none", "l2_sp", "omega_p")
)
REDUCED = Settings()
SMOKE = replace(REDUCED, depths=("stage1", "middle", "stage3", "penultimate"), **SMALL)

EXPERIMENT = Experiment(
    name="ot_transfer/s5_analyses",
    title="Which neurons keep their roles (Figures 2 and 3)",
    protocols={"smoke": SMOKE, "short": replace(REDUCED, epochs=32), "reduced": REDUCED, "paper": REDUCED},
    arms=(
        *(arm_of(method, target) for method, target in PAIRS),
        Arm("permuted", "The start, reordered", {"control": "permuted"}, table=False),
        Arm("untrained", "Random weights", {"control": "untrained"}, table=False),
    ),
    seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 0},
    ablation_seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 0},
    measure=measure,
    minutes={"smoke": 0.01, "short": 1, "reduced": 2, "paper": 5},
    priority=31,
)
