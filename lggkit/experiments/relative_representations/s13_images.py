"""Paper 4, sections 1 to 3, on images: decoders of autoencoders, and heads of networks of another chapter.

Three autoencoders a seed, two of one width and a narrower one, are trained and their encoders frozen; a
decoder is trained on the coordinates of each, and draws from those of the others. The networks are students
of paper 1, trained alone with several seeds and by two losses beside a teacher; heads are trained on them.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.autoencoders import Pictures, decoded, encoders
from lggkit.experiments.recipes.held import Held
from lggkit.experiments.recipes.network_latents import drawn_latents
from lggkit.experiments.recipes.stitched import by_pair, kind_apart, scored, stitched
from lggkit.experiments.recipes.students import REDUCED_STUDENTS, SHORT_STUDENTS, Students
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import OneCycle, TrainConfig
from lggkit.training.vectors import VectorTraining

SHOWN = 8
"""Pictures that a record keeps of its first tested ones."""
Found = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Settings(Protocol):
    """``hidden`` has an entry an autoencoder; ``labelled`` and ``head_epochs`` are of heads on ``students``.

    ``of_students`` is whether an arm measures those instead of autoencoders.
    """

    dataset: str = "fashion-mnist"
    network: str = "dense autoencoders"
    map: str = "plain"
    width: int = 64
    hidden: tuple[int, ...] = (256, 256, 128)
    fitted: int = 5000
    anchors: int = 256
    tested: int = 2000
    epochs: int = 15
    decoder_epochs: int = 10
    batch_size: int = 250
    learning_rate: float = 1e-3
    of_students: bool = False
    students: Students = field(default_factory=Students)
    labelled: int = 2000
    head_epochs: int = 40

    def training(self, epochs: int) -> VectorTraining:
        """That of autoencoders, decoders and heads."""
        return VectorTraining(epochs, self.batch_size, self.learning_rate)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec; the autoencoders of a seed are trained once."""
    for spec in sorted(specs, key=lambda spec: spec.seed):
        start = time.monotonic()
        measured = _of_students if spec.protocol.of_students else _of_autoencoders
        metrics, arrays = measured(spec, context)
        yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start, path="cpu")


def _of_autoencoders(spec: Spec, context: Context) -> Found:
    settings = spec.protocol
    unmapped = replace(settings, map=Settings.map)
    pictures, trained = _autoencoders(unmapped, spec.seed, Held(context))
    training = settings.training(settings.decoder_epochs)
    drawn = decoded(settings.map, pictures, trained, settings.hidden[0], training, spec.seed)
    scores = torch.tensor([[pictures.explained(x) for x in row] for row in drawn], dtype=torch.float64)
    names = [(f"{units} units", f"{place}") for place, units in enumerate(settings.hidden)]
    arrays = {"explained": scores.float().numpy(), "names": np.array([units for units, _ in names])}
    if spec.seed == 0:
        kinds = {"original": pictures.test, "own": drawn[0][0], "foreign": drawn[0][1]}
        arrays |= {name: pictures.as_bytes(x[:SHOWN]).numpy() for name, x in kinds.items()}
    return by_pair(scores, names, "explained", kind_apart), arrays


@functools.lru_cache(maxsize=1)
def _autoencoders(settings: Settings, seed: int, context: Held) -> tuple[Pictures, list[nn.Module]]:
    splits = [context.data(settings.dataset, train) for train in (True, False)]
    sizes = (settings.fitted, settings.anchors, settings.tested)
    pictures = Pictures.drawn(*splits, sizes, seed)
    training = settings.training(settings.epochs)
    return pictures, encoders(pictures, settings.hidden, settings.width, training, seed)


def _of_students(spec: Spec, context: Context) -> Found:
    settings, names = spec.protocol, list(spec.protocol.students.described)
    training = settings.training(settings.head_epochs)
    sizes = settings.labelled, settings.anchors
    students = drawn_latents(
        settings.students.described, settings.students.dataset, sizes, spec.seed, context
    )
    scores, _ = stitched(settings.map, students, settings.anchors, training, spec.seed)
    metrics, arrays = scored(scores, names, kind_apart)
    return metrics | {"chance_accuracy": 100 / len(students.classes)}, arrays


SMOKE = Settings(
    dataset="digits",
    width=16,
    hidden=(32, 32, 16),
    fitted=400,
    anchors=64,
    tested=200,
    epochs=10,
    decoder_epochs=10,
    batch_size=50,
    learning_rate=5e-3,
    labelled=200,
    students=Students(
        dataset="digits",
        network="small_net",
        option="width",
        size=4,
        teacher_size=8,
        layers=("stage1", "middle", "penultimate"),
        seeds=(0, 1),
        training=TrainConfig(epochs=1, schedule=OneCycle(), augment=False),
        teacher_training=TrainConfig(epochs=3, schedule=OneCycle(), augment=False),
    ),
)
SHORT, REDUCED = Settings(students=SHORT_STUDENTS), Settings(students=REDUCED_STUDENTS)
MAPS = {"absolute": "absolute", "relative": "plain", "centred": "centred", "robust": "robust"}
TITLES = {"absolute": "absolute", "relative": "relative", "centred": "relative, centred", "robust": "robust"}
TABLE = tuple(Arm(name, TITLES[name], {"map": kind}) for name, kind in MAPS.items())
NETWORKS = tuple(
    Arm(f"{name}-networks", f"{TITLES[name]}, networks", {"map": kind, "of_students": True}, table=False)
    for name, kind in MAPS.items()
)

EXPERIMENT = Experiment(
    name="relative_representations/s13_images",
    title="Stitching of images",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": Settings()},
    arms=(*TABLE, *NETWORKS),
    seeds={"smoke": 2, "short": 5, "reduced": 5, "paper": 10},
    ablation_seeds={"smoke": 1, "short": 5, "reduced": 5, "paper": 5},
    measure=measure,
    minutes={"smoke": 0.02, "short": 0.4, "reduced": 0.4, "paper": 0.4},
    together=(tuple(arm.name for arm in TABLE), tuple(arm.name for arm in NETWORKS)),
    priority=72,
)
