"""Paper 3, section 4.3: compression under the transport penalty and its peers (Table 2).

Two teachers, a large one of 1,001 layers (L) and a wide one (W), and two students, of 56 layers (M) and of
half its channels (S). Below paper scale all four are shallow and without bottlenecks: 16, 10 and 10 layers at
16 to 64 channels, half of them, and W of 10 layers at twice as many. All students of a teacher share it, so
that every interval is conditional on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from lggkit.data import DataSet
from lggkit.evaluation import model_error, predict
from lggkit.evaluation.consistency import agreement
from lggkit.evaluation.neuron_plans import layer_points, plan_between
from lggkit.experiments.base import Context, Experiment, how_trained, trained
from lggkit.experiments.networks import TrainedNetwork
from lggkit.experiments.recipes.compression import (
    BATCH,
    DATA,
    GRID,
    METHODS,
    Compressed,
    places,
    search_arm,
    table_arm,
    teacher_arm,
)
from lggkit.networks import parameter_count
from lggkit.record import Record, Spec
from lggkit.training import OneCycle, TrainConfig
from lggkit.transport import cost_matrix


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: accuracy, and for students how near they are to their teacher."""
    for spec, result in trained(specs, context).items():
        begun = time.monotonic()
        metrics = {} if result.diverged is not None else _metrics(spec, result, context)
        yield context.record(spec, metrics, seconds=time.monotonic() - begun, **how_trained(result))


def _metrics(spec: Spec, result: TrainedNetwork, context: Context) -> dict[str, Any]:
    settings, model = spec.protocol, result.model
    test = context.data(settings.images.data, train=False)
    metrics = {"accuracy": 100 - model_error(model, test), "parameters": parameter_count(model)}
    if settings.validated:
        validation = settings.images.split(context)[1]
        return metrics | {"validation_accuracy": 100 - model_error(model, validation)}
    return metrics if settings.is_teacher else metrics | _beside_teacher(settings, result, test, context)


def _beside_teacher(
    settings: Compressed, result: TrainedNetwork, test: DataSet, context: Context
) -> dict[str, float]:
    """Equal answers in percent, and what the plan to the teacher's neurons costs over the mean distance."""
    (teacher,) = context.networks([(settings.teaching.description, settings.teacher_seed)])
    if teacher.diverged is not None:
        return {}
    models = (result.model, teacher.model)
    answers = [predict(model, test.images) for model in models]
    seen = test.first(settings.compared_images).images
    points = [layer_points(model, seen, settings.layers) for model in models]
    sides = [[side[layer] for side in points] for layer in settings.layers]
    shares = [
        float((plan_between(*pair) * (cost := cost_matrix(*pair))).sum() / cost.mean()) for pair in sides
    ]
    return {"agreement": agreement(*answers), "relative_cost": sum(shares) / len(shares)}


TABLE = tuple(
    table_arm(method, dataset, place) for dataset in DATA for method in METHODS for place in places(method)
)
SEARCH = tuple(search_arm(method, alpha) for method in METHODS[1:] for alpha in GRID)
TEACHERS = tuple(teacher_arm(dataset, letter) for dataset in DATA for letter in "lw")
SHORT = Compressed(
    network="wide_preact_resnet",
    large=(("depth", 16), ("widen", 1.0)),
    wide=(("depth", 10), ("widen", 2.0)),
    medium=(("depth", 10), ("widen", 1.0)),
    slim=(("depth", 10), ("widen", 0.5)),
    training=TrainConfig(2, BATCH, weight_decay=1e-4, schedule=OneCycle(), precision="auto"),
    teacher_training=TrainConfig(5, BATCH, weight_decay=1e-4, schedule=OneCycle(), precision="auto"),
)
REDUCED = replace(
    SHORT,
    training=replace(SHORT.training, epochs=6),
    teacher_training=replace(SHORT.teacher_training, epochs=15),
)
SMOKE = Compressed(
    stand_in="digits",
    large=(("depth", 20), ("width", 4)),
    wide=(("depth", 10), ("widen", 0.5)),
    medium=(("depth", 11), ("width", 4)),
    slim=(("depth", 11), ("width", 2)),
    training=TrainConfig(1, 50, schedule=OneCycle(), augment=False),
    per_class=20,
    held_images=200,
    compared_images=100,
)

EXPERIMENT = Experiment(
    name="ot_transfer/s43_compression",
    title="Compression of networks (Table 2)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Compressed()},
    arms=(*TABLE, *TEACHERS, *SEARCH),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 1, "reduced": 1, "paper": 1},
    measure=measure,
    derived=("penalties",),
    together=(
        *(
            tuple(f"{m}-{dataset}-{place}" for m in METHODS[1:] if place in places(m))
            for dataset in DATA
            for place in places("kd")
        ),
        *(tuple(f"search-{method}-{alpha:g}" for alpha in GRID) for method in METHODS[1:]),
    ),
    minutes={"smoke": 0.01, "short": 5, "reduced": 16, "paper": 600},
    priority=32,
)
