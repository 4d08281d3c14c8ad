"""Which loss an embedding is trained with, as settings that a record can hold; sets of fewer classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.objectives import graph_smoothness

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

    def objective(self) -> Callable[[Mapping[str, Tensor], Tensor, Tensor], Tensor]:
        """The loss for `lggkit.training.train`; it is computed in float32 at least, autocast or not."""
        loss = self._function()

        def objective(latents: Mapping[str, Tensor], outputs: Tensor, labels: Tensor) -> Tensor:
            with torch.autocast(outputs.device.type, enabled=False):
                return loss(outputs if outputs.dtype == torch.float64 else outputs.float(), labels)

        return objective

    def _function(self) -> LossOfBatch:
        if self.loss == "cross_entropy":
            return F.cross_entropy
        return self._graph_smoothness() if self.loss == "graph_smoothness" else self._peer()

    def _graph_smoothness(self) -> LossOfBatch:
        options = {"alpha": self.alpha, "k": self.k, "reduction": self.reduction}
        return lambda outputs, labels: self.weight * graph_smoothness(outputs, labels, **options)

    def _peer(self) -> LossOfBatch:
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import NCALoss, SupConLoss
        from pytorch_metric_learning.reducers import ThresholdReducer

        if self.loss == "triplet":
            return _triplets(self.margin, hardest=self.mining == "hard")
        if self.loss == "supervised_contrastive":
            return SupConLoss(temperature=self.temperature)
        # Its own reducer's mean over no samples is not a number; this one, which drops none, gives 0.
        whole, distance = ThresholdReducer(low=-1), LpDistance(normalize_embeddings=False, power=2)
        return NCALoss(1 / self.temperature, distance=distance, reducer=whole)


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


def first_classes(data: DataSet, kept: int | None) -> DataSet:
    """The images of the first ``kept`` classes, with their names; all of them where ``kept`` is None.

    Labels stay what they are, and so do the channel statistics, which are of all classes.

    Raises:
        ValueError: kept is not between 1 and the number of classes.
    """
    if kept is None:
        return data
    if not 1 <= kept <= len(data.classes):
        raise ValueError(f"kept is {kept}, but {data.name} has {len(data.classes)} classes; keep 1 to all")
    return replace(data.subset(data.labels < kept), classes=data.classes[:kept])
