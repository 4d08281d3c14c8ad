"""Which distillation losses a student is trained with, as settings that a record can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation.accuracy import evaluating
from lggkit.experiments.networks import ByDepth, Recipe, Seeded
from lggkit.latents import latents
from lggkit.objectives import gkd, hinton, rkd_angle, rkd_distance, similarity_preserving
from lggkit.record import Spec
from lggkit.training import Batch

METHODS = ("gkd", "rkd_distance", "rkd_angle", "hinton", "similarity_preserving")
GRAPH = ("k", "order", "similarity", "normalized", "exponent", "edges", "reduction")


@dataclass(frozen=True)
class Distillation:
    """Weights λ of losses beside the cross-entropy, each named like its function in `lggkit.objectives`.

    ``k`` to ``reduction`` are the options of ``gkd``, ``temperature`` is that of ``hinton``. All weights 0
    is a student that learns alone.
    """

    gkd: float = 0.0
    rkd_distance: float = 0.0
    rkd_angle: float = 0.0
    hinton: float = 0.0
    similarity_preserving: float = 0.0
    k: int | None = None
    order: str = "mask-first"
    similarity: str = "cosine"
    normalized: bool = True
    exponent: int = 1
    edges: str | None = None
    reduction: str = "sum"
    temperature: float = 4.0

    @property
    def weights(self) -> dict[str, float]:
        """λ of every loss that is used; none needs no teacher."""
        every = {name: getattr(self, name) for name in METHODS}
        return {name: weight for name, weight in every.items() if weight}

    def loss(
        self, student: ByDepth, logits: Tensor, teacher: ByDepth, labels: Tensor, layers: Sequence[str]
    ) -> Tensor:
        """The weighted sum on a batch; latents (n, ...) by depth, the teacher's logits as ``output``."""
        ours, theirs = ({name: x[name] for name in layers} for x in (student, teacher))
        losses = {
            "gkd": lambda: self._gkd(ours, theirs, labels),
            # As in the code of paper 1's authors, which the recorded students were distilled with.
            "rkd_distance": lambda: rkd_distance(ours, theirs, mean_over="positive"),
            "rkd_angle": lambda: rkd_angle(ours, theirs),
            "hinton": lambda: hinton(logits, teacher["output"], self.temperature),
            "similarity_preserving": lambda: similarity_preserving(ours, theirs),
        }
        return sum(weight * losses[name]() for name, weight in self.weights.items())

    def _gkd(self, student: ByDepth, teacher: ByDepth, labels: Tensor) -> Tensor:
        options = {name: getattr(self, name) for name in GRAPH}
        return gkd(student, teacher, labels=labels if self.edges else None, **options)


@dataclass(frozen=True)
class Distilled(Recipe):
    """Cross-entropy plus ``losses`` against the guide at ``layers``; the guide gives its ``output`` too."""

    losses: Distillation = field(default_factory=Distillation)
    layers: tuple[str, ...] = ()

    @property
    def lockstep(self) -> tuple[str, ...]:
        """The layers: students of other losses may be trained together."""
        return self.layers

    def taps(self, model: nn.Module) -> tuple[str, ...]:
        """The layers."""
        return self.layers

    def objective(
        self, model: nn.Module, latents: ByDepth, outputs: Tensor, batch: Batch, guide: ByDepth
    ) -> Tensor:
        """The cross-entropy and the weighted losses, a scalar."""
        extra = self.losses.loss(latents, outputs, guide, batch.labels, self.layers)
        return F.cross_entropy(outputs, batch.labels) + extra


@torch.no_grad()
def distances_to_teacher(
    model: nn.Module, teacher: nn.Module, images: Tensor, layers: Sequence[str], batch_size: int
) -> dict[str, float]:
    """How far a student's relations are from its teacher's, as GKD and as RKD-D measure it.

    Both losses, unweighted, in evaluation mode, averaged over the batches of ``images`` (n, c, h, w).
    """
    losses = []
    with evaluating(model), evaluating(teacher):
        for batch in images.split(batch_size):
            ours, theirs = (latents(network, to_float(batch), layers) for network in (model, teacher))
            gap = rkd_distance(ours, theirs, mean_over="positive")  # as the students were distilled
            losses.append([float(gkd(ours, theirs)), float(gap)])
    means = torch.tensor(losses).mean(0).tolist()
    return dict(zip(("graph_distance", "distance_gap"), means, strict=True))


def taught(specs: Sequence[Spec]) -> list[Seeded]:
    """The students of specs behind their teachers, all to be asked for at once.

    A teacher is then trained beside the students that need none, where their schedules agree.
    """
    students = [spec for spec in specs if not spec.protocol.is_teacher]
    teachers = [(spec.protocol.teacher.description, spec.protocol.teacher_seed) for spec in students]
    return [*dict.fromkeys(teachers), *((spec.protocol.description, spec.seed) for spec in students)]
