"""Which distillation losses a student is trained with, as settings that a record can hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from lggkit.objectives import gkd, hinton, rkd_angle, rkd_distance, similarity_preserving

METHODS = ("gkd", "rkd_distance", "rkd_angle", "hinton", "similarity_preserving")
GRAPH = ("k", "order", "similarity", "normalized", "exponent", "edges", "reduction")
ByDepth = Mapping[str, Tensor]


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

    def objective(self, teacher: Callable[[Any], ByDepth], layers: Sequence[str]) -> Callable[..., Tensor]:
        """Cross-entropy plus the losses, for `lggkit.training.train` with ``layers`` tapped.

        ``teacher(batch)`` gives the latents by depth, such as a `lggkit.training.Teacher`.
        """

        def objective(latents: ByDepth, logits: Tensor, labels: Tensor, batch: Any) -> Tensor:
            extra = self.loss(latents, logits, teacher(batch), labels, layers)
            return F.cross_entropy(logits, labels) + extra

        return objective

    def _gkd(self, student: ByDepth, teacher: ByDepth, labels: Tensor) -> Tensor:
        options = {name: getattr(self, name) for name in GRAPH}
        return gkd(student, teacher, labels=labels if self.edges else None, **options)
