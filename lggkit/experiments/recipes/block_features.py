"""The feature network that the FID of article 10 is stated with: a small classifier of a grid's factors.

Two convolutions, a layer of a few features, and a linear head for every factor, trained on the training
images of a seed by the sum of the heads' cross-entropies. The network of a grid and a seed is the same for
all arms and lengths. Features are divided by their standard deviations over the training images.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.experiments.recipes.block_grids import Grid, grid_of
from lggkit.generative import BlockAutoencoder, frechet_distance

DRAWS = 10
"""Draws of noise, each of as many images as are held out; the FID is their mean."""


@dataclass(frozen=True)
class Classifier:
    """How the classifier is built and trained, by Adam whose rate falls to 0 along a cosine."""

    features: int = 16
    maps: tuple[int, int] = (16, 32)
    epochs: int = 30
    batch: int = 32
    rate: float = 3e-3


class FactorNetwork(nn.Module):
    """Features (n, d) of images, and logits of all factors side by side."""

    def __init__(self, recipe: Classifier, size: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        one, two = recipe.maps
        self.body = nn.Sequential(
            *(nn.Conv2d(3, one, 3, 2, 1), nn.ELU(), nn.Conv2d(one, two, 3, 2, 1), nn.ELU(), nn.Flatten()),
            *(nn.Linear(two * (size // 4) ** 2, recipe.features), nn.ELU()),
        )
        self.heads = nn.Linear(recipe.features, sum(sizes))
        self.register_buffer("scale", torch.ones(recipe.features))

    def forward(self, x: Tensor) -> Tensor:
        """Features in units of their spread."""
        return self.body(x) / self.scale

    def logits(self, x: Tensor) -> Tensor:
        """Logits of every value of every factor."""
        return self.heads(self.body(x))


@functools.lru_cache(maxsize=16)
def feature_network(key: tuple, seed: int, context: Any) -> FactorNetwork:
    """The trained classifier of a grid, which ``key`` and the seed say."""
    settings = _Place(*key)
    return trained_classifier(settings.features, grid_of(settings, seed, context), seed)


@dataclass(frozen=True)
class _Place:
    """What a grid and its classifier depend on beside the seed."""

    dataset: str
    setting: str
    classes: tuple[int, ...]
    size: int
    features: Classifier


def features_of(settings: Any, seed: int, context: Any) -> FactorNetwork:
    """The feature network of a seed; arms that share a grid share it."""
    key = (settings.dataset, settings.setting, settings.classes, settings.size, settings.features)
    return feature_network(key, seed, context)


def trained_classifier(recipe: Classifier, grid: Grid, seed: int) -> FactorNetwork:
    """The classifier trained on the training images of a grid; first weights and order are the seed's."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.default_generator.manual_seed(seed)
        network = FactorNetwork(recipe, grid.images.shape[-1], grid.sizes)
        n, batch = len(grid.train), min(recipe.batch, len(grid.train))
        adam = torch.optim.Adam(network.parameters(), recipe.rate)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, recipe.epochs * (n // batch))
        for _ in range(recipe.epochs):
            for part in grid.train[torch.randperm(n)][: n // batch * batch].split(batch):
                adam.zero_grad()
                _loss(network, grid, part).backward()
                adam.step()
                falling.step()
    network.requires_grad_(False).eval()
    network.scale = network(grid.images[grid.train]).std(0).clamp(min=1e-6)
    return network


def _loss(network: FactorNetwork, grid: Grid, part: Tensor) -> Tensor:
    logits = network.logits(grid.images[part]).split(grid.sizes, 1)
    pairs = zip(logits, grid.factors[part].unbind(1), strict=True)
    return sum(nn.functional.cross_entropy(*pair) for pair in pairs)


@torch.no_grad()
def fids(network: FactorNetwork, model: BlockAutoencoder, grid: Grid, seed: int) -> dict[str, float]:
    """FID of images of noise, of reconstructions of held-out images, and of these themselves, the floor.

    Each is the distance of as many images as are held out to the training images, so that all are too high
    by alike. Beside them the share of factors of held-out images that the network names, in percent.
    """
    source, held = torch.Generator().manual_seed(3000 + seed), grid.images[grid.test]
    real = network(grid.images[grid.train])
    noise = [network(model.sample(len(held), source)) for _ in range(DRAWS)]
    parts = network.logits(held).split(grid.sizes, 1)
    named = torch.stack([part.argmax(1) for part in parts], 1) == grid.factors[grid.test]
    return {
        "fid": torch.stack([frechet_distance(made, real) for made in noise]).mean().item(),
        "fid_reconstructed": frechet_distance(network(model(held)), real).item(),
        "fid_held_out": frechet_distance(network(held), real).item(),
        "feature_accuracy": 100 * named.double().mean().item(),
    }
