"""One architecture trained by two losses: the networks of section 4.4 of paper 2, with a few seeds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lggkit.experiments.networks import Seeded
from lggkit.experiments.recipes.embedder import CROSS_ENTROPY, PAPER_EMBEDDER, Embedder


@dataclass(frozen=True)
class LossPair:
    """Networks by graph smoothness, ``embedder``, and the same ones by cross-entropy.

    A seed's two begin with the same weights.
    """

    embedder: Embedder = field(default_factory=lambda: PAPER_EMBEDDER)
    seeds: tuple[int, ...] = (0,)

    @property
    def by_loss(self) -> dict[tuple[str, str], Seeded]:
        """Descriptions and seeds by loss and name of the seed."""
        losses = {
            "cross-entropy": replace(self.embedder, loss=CROSS_ENTROPY, loss_chosen=()),
            "graph smoothness": self.embedder,
        }
        return {
            (loss, f"seed {seed}"): (one.description, seed)
            for loss, one in losses.items()
            for seed in self.seeds
        }
