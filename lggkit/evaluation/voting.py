"""A network that answers by a vote of neighbours among embedded training images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from lggkit.evaluation.neighbors import neighbor_classes


@dataclass(frozen=True)
class NeighborVote:
    """Images (n, c, h, w), uint8, embedded by ``embed`` (n, d) among ``base`` (m, d) with ``labels`` (m,)."""

    embed: Callable[[Tensor], Tensor]
    base: Tensor
    labels: Tensor

    def of(self, places: Tensor, k: int) -> Tensor:
        """Classes (n,) of embeddings (n, d), by their k nearest of the base in Euclidean distance."""
        return neighbor_classes(self.base, self.labels, places, k, metric="euclidean")

    def of_images(self, images: Tensor, k: int) -> Tensor:
        """Classes (n,) of images."""
        return self.of(self.embed(images), k)
