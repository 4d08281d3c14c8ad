"""A network trained on few images under topological densification of its latents (Hofer et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import class_batches
from lggkit.experiments.networks import ByDepth, Recipe
from lggkit.objectives import densification
from lggkit.topology import component_deaths
from lggkit.training import Batch

DEPTH = "penultimate"


@dataclass(frozen=True)
class Densified(Recipe):
    """Cross-entropy plus ``weight`` times the penalty at ``beta``; batches are of sub-batches of ``size``."""

    weight: float = 0.0
    beta: float = 0.7
    size: int = 16

    def taps(self, model: nn.Module) -> tuple[str, ...]:
        """The penultimate depth."""
        return (DEPTH,)

    def objective(
        self, model: nn.Module, latents: ByDepth, outputs: Tensor, batch: Batch, guide: ByDepth
    ) -> Tensor:
        """The loss; without weight nothing is found of the latents."""
        loss = F.cross_entropy(outputs, batch.labels)
        if not self.weight:
            return loss
        return loss + self.weight * densification(latents[DEPTH].unflatten(0, (-1, self.size)), self.beta)


def held_out_deaths(latents: Tensor, labels: Tensor, size: int, batches: int) -> Tensor:
    """Death times of sub-batches of tested samples of one class, (s, size - 1)."""
    drawn = list(class_batches(labels, size, torch.Generator().manual_seed(0)))[:batches]
    return component_deaths(latents[torch.cat(drawn)])
