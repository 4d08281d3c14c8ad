"""Which loss an embedding is trained with, as settings that a record can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.experiments.networks import ByDepth, Recipe
from lggkit.objectives import graph_smoothness
from lggkit.training import Batch

OPTIONS = {
    "cross_entropy": (),
    "graph_smoothness": ("alpha", "k", "reduction", "weight"),
    "triplet": ("margin", "mining"),
    "soft_nearest_neighbor": ("temperature",),
    "supervised_contrastive": ("temperature",),
}
MINING = ("hard", "all")
LossOfBatch = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class EmbeddingLoss:
    """A loss on a batch of outputs (n, d) and its options; the peers are pytorch-metric-learning's.

    - ``cross_entropy``: the outputs are logits.
    - ``graph_smoothness``: ``weight`` times `lggkit.objectives.graph_smoothness` with ``alpha``, ``k`` and
      ``reduction``.
    - ``triplet``: ``max(0, margin + positive - negative)`` in Euclidean distance (Hermans et al., 2017). With
      ``mining`` ``"hard"`` of the furthest positive and the nearest negative, mean over the batch
      (batch-hard, eq. 5 but for the mean). With ``"all"`` of every triplet, mean over those that are not 0
      (batch-all, eq. 6 but for the mean); that is pytorch-metric-learning's default.
    - ``soft_nearest_neighbor``: ``exp(-‖f_i - f_j‖² / temperature)`` as weights (Frosst et al., 2019, eq. 1).
      A sample whose positives' share of the weights is 0 in floating point is left out, so squared distances
      had better stay below about 80 temperatures.
    - ``supervised_contrastive``: ``cos(f_i, f_j) / temperature`` as logits, the mean over positives outside
      the logarithm (Khosla et al., 2020, eq. 2). It normalises the outputs itself; no other loss does.

    The peers' losses wait for the device, so that a step with them is not captured on a GPU.

    Samples without a positive count for nothing in the last two, and those that lack a positive or a negative
    in ``triplet``; a batch of none but such has loss 0.

    Raises:
        ValueError: there is no such loss or ``mining``, an option of another loss is set, or ``margin``,
            ``temperature`` or ``weight`` is not positive.
    """

    loss: str = "graph_smoothness"
    alpha: float = 2.0
    k: int | None = None
    reduction: str = "sum"
    margin: float = 0.2
    mining: str = "hard"
    temperature: float = 0.1
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.loss not in OPTIONS:
            raise ValueError(f"loss is {self.loss!r}; choose one of {', '.join(OPTIONS)}")
        if self.mining not in MINING:
            raise ValueError(f"mining is {self.mining!r}; choose one of {', '.join(MINING)}")
        for option in fields(self)[1:]:
            value = getattr(self, option.name)
            if value != option.default and option.name not in OPTIONS[self.loss]:
                raise ValueError(
                    f"{option.name} is {value!r}, which {self.loss} has no use for; leave it out"
                )
        for name in ("margin", "temperature", "weight"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give a positive number")

    def of_batch(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch of outputs (n, d), a scalar in float32 at least, autocast or not."""
        with torch.autocast(outputs.device.type, enabled=False):
            return _function(self)(outputs if outputs.dtype == torch.float64 else outputs.float(), labels)


@dataclass(frozen=True)
class Embedded(Recipe):
    """An `EmbeddingLoss` of a network's outputs."""

    loss: EmbeddingLoss = field(default_factory=EmbeddingLoss)

    def objective(
        self, model: nn.Module, latents: ByDepth, outputs: Tensor, batch: Batch, guide: ByDepth
    ) -> Tensor:
        """The loss, a scalar."""
        return self.loss.of_batch(outputs, batch.labels)


@cache
def _function(loss: EmbeddingLoss) -> LossOfBatch:
    """The loss as a function of outputs and labels, made once."""
    if loss.loss == "cross_entropy":
        return F.cross_entropy
    if loss.loss == "graph_smoothness":
        options = {"alpha": loss.alpha, "k": loss.k, "reduction": loss.reduction}
        return lambda outputs, labels: loss.weight * graph_smoothness(outputs, labels, **options)
    return _peer(loss)


def _peer(loss: EmbeddingLoss) -> LossOfBatch:
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import NCALoss, SupConLoss
    from pytorch_metric_learning.reducers import ThresholdReducer

    if loss.loss == "triplet":
        return _triplets(loss.margin, hardest=loss.mining == "hard")
    if loss.loss == "supervised_contrastive":
        return SupConLoss(temperature=loss.temperature)
    # Its own reducer's mean over no samples is not a number; this one, which drops none, gives 0.
    whole, distance = ThresholdReducer(low=-1), LpDistance(normalize_embeddings=False, power=2)
    return NCALoss(1 / loss.temperature, distance=distance, reducer=whole)


def _triplets(margin: float, hardest: bool) -> LossOfBatch:
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.losses import TripletMarginLoss
    from pytorch_metric_learning.miners import BatchHardMiner
    from pytorch_metric_learning.reducers import AvgNonZeroReducer, MeanReducer

    distance = LpDistance(normalize_embeddings=False)
    reducer = MeanReducer() if hardest else AvgNonZeroReducer()
    loss: nn.Module = TripletMarginLoss(margin, distance=distance, reducer=reducer)
    if not hardest:
        return loss
    miner = BatchHardMiner(distance=distance)
    return lambda outputs, labels: loss(outputs, labels, miner(outputs, labels))
