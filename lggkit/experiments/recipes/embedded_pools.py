"""Embeddings of images that no network was trained on, clean and moved, and maps between them (article 1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation import fgsm, pgd, strong_images
from lggkit.evaluation.neighbors import latents_at
from lggkit.evaluation.pieces import noisy
from lggkit.experiments.networks import Context
from lggkit.similarity import fit_linear_map
from lggkit.similarity.linear import LinearMap

PARTS = ("map", "svm", "val")
LEAST = 1e-8
"""The share of a mean column's square that stands for least squares of least norm, where it is not unique."""


@dataclass(frozen=True)
class Member:
    """A trained network with the pool's embeddings: clean, moved and under random signs, (n, d) each."""

    model: nn.Module
    clean: Tensor
    moved: Tensor
    signs: Tensor

    def part(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The three sets of embeddings of some images."""
        return self.clean[places], self.moved[places], self.signs[places]


def pool_of(settings: Any, context: Context) -> tuple[Tensor, Tensor]:
    """Images that no network was trained on, floats, and their labels: those held out, and the test set."""
    held = [settings.images.split(context)[1], context.data(settings.data, train=False)]
    images = torch.cat([to_float(data.images) for data in held])
    count = settings.few if settings.fewer else settings.pool
    return images[:count], torch.cat([data.labels for data in held])[:count]


def parts_of(count: int, seed: int) -> dict[str, Tensor]:
    """Three thirds of the images, by name: both copies of an image are in one of them."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return dict(zip(PARTS, order[: count - count % 3].chunk(3), strict=True))


def fitted(x: Tensor, y: Tensor, ridge: float = LEAST, intercept: bool = False) -> LinearMap:
    """The linear map, with λ in units of the mean square of a column of x."""
    return fit_linear_map(x, y, ridge * float(x.double().square().sum(0).mean()), intercept)


def members_of(settings: Any, seed: int, context: Context, pool: tuple[Tensor, Tensor]) -> dict[str, Member]:
    """Every network of the grid with the embeddings of the pool, not moved yet."""
    wanted = [(network, seed) for network in settings.networks.values()]
    models = [result.model.eval() for result in context.networks(wanted)]
    clean = [latents_at(model, pool[0], "penultimate") for model in models]
    rows = zip(settings.networks, models, clean, strict=True)
    return {name: Member(model, x, x, x) for name, model, x in rows}


def moved_by(member: Member, settings: Any, seed: int, pool: tuple[Tensor, Tensor], epsilon: float) -> Member:
    """The same with images moved by the protocol's perturbation, and by random signs of this size."""
    images, labels = pool
    signs = noisy(images, epsilon, torch.Generator().manual_seed(seed), (0.0, 1.0))
    noisy_ones = latents_at(member.model, signs, "penultimate")
    if settings.perturbation == "signs":
        return Member(member.model, member.clean, noisy_ones, noisy_ones)
    attack = {
        "fgsm": partial(fgsm, epsilon=epsilon),
        "pgd": partial(pgd, epsilon=epsilon, step=epsilon / 4, steps=settings.steps),
        "strong": partial(strong_images, epsilon=epsilon, restarts=0, steps=settings.strong_steps),
    }[settings.perturbation]
    moved = attack(member.model, images, labels)
    return Member(member.model, member.clean, latents_at(member.model, moved, "penultimate"), noisy_ones)
