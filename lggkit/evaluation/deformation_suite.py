"""Label variation by depth before and after training, its largest step, expansion and margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation.accuracy import evaluating, predict
from lggkit.evaluation.deformation import distance_expansion, input_margins, largest_variation_step, margins
from lggkit.graph import depth_variations
from lggkit.latents import latents
from lggkit.protocol import Part

POWER = 2
LOGIT_EDGES = tuple(float(edge) for edge in range(-20, 41, 2))
INPUT_EDGES = tuple(round(-0.5 + 0.05 * place, 2) for place in range(41))


@dataclass(frozen=True)
class DeformationSuite(Part):
    """Label variation is measured over the first ``batches`` batches of ``graph_size`` test images."""

    batches: int = 20
    graph_size: int = 100

    def metrics(
        self, model: nn.Module, untrained: nn.Module, test: DataSet, images: tuple[Tensor, Tensor]
    ) -> dict[str, Any]:
        """What a record says of a network's latent spaces, beside those of the same network before training.

        Label variation is the trace with the Laplacian's square whatever was trained with, over test batches,
        expansion the median over these batches; it is left out where a depth had joined the pairs that the
        next one parts. Margins are those of ``images``, [0, 1] floats with their labels; a histogram's first
        and last bin hold what lies beyond its edges.
        """
        size = self.graph_size
        batches = list(zip(test.images.split(size), test.labels.split(size), strict=True))[: self.batches]
        variations, expansions = _through(model, batches, len(test.classes))
        before, _ = _through(untrained, batches, len(test.classes))
        near = input_margins(model, *images)
        by_logits = margins(predict(model, images[0], preprocess=lambda given: given), images[1])
        expansion = median(expansions)
        return {
            "variation_by_depth": variations.mean(0).tolist(),
            "variation_by_depth_untrained": before.mean(0).tolist(),
            "largest_variation_step": largest_variation_step(variations),
            **({"distance_expansion": expansion} if math.isfinite(expansion) else {}),
            "input_margin_median": float(near.median()),
            **_histogram("logit_margin", by_logits, LOGIT_EDGES),
            **_histogram("input_margin", near, INPUT_EDGES),
        }


@torch.no_grad()
def _through(
    model: nn.Module, batches: Sequence[tuple[Tensor, Tensor]], classes: int
) -> tuple[Tensor, list[float]]:
    """Label variation (batches, depths) at the ReLU maps, and the expansion from the input on, by batch."""
    variations, expansions = [], []
    with evaluating(model):
        for images, labels in batches:
            seen = list(latents(model, to_float(images), ["input", *model.relu_depths]).values())
            variations.append(depth_variations(seen[1:], labels, power=POWER, classes=classes).cpu())
            expansions.append(distance_expansion(seen, labels))
    return torch.stack(variations), expansions


def _histogram(name: str, values: Tensor, edges: Sequence[float]) -> dict[str, list[float]]:
    inside = values.cpu().double().clamp(edges[0], edges[-1])
    counts = torch.histogram(inside, torch.tensor(edges, dtype=torch.float64)).hist
    return {f"{name}_histogram": counts.tolist(), f"{name}_edges": list(edges)}
