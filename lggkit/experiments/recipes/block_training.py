"""How autoencoders of blocks are trained, all seeds at once: article 10's equation 6.

The house's descriptions train classifiers; this loss needs images of noise beside those of the batch. A
seed's network depends on no other: weights are stacked, and every term is a sum over seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from lggkit.generative import BlockAutoencoder
from lggkit.graph import two_sample_statistic
from lggkit.objectives import orthonormality

PARTS = ("reconstruction", "orthogonality", "divergence")


@dataclass(frozen=True)
class Schedule:
    """Passes over the training images, their batches, Adam's first rate, and the ramp of the weights.

    The rate falls to 0 along a cosine. ``ramp`` is the share of the steps after which α₁ and α₂ are whole.
    """

    epochs: int = 1000
    batch: int = 128
    rate: float = 3e-4
    ramp: float = 0.1


@dataclass(frozen=True)
class Loss:
    """Weights α₁ of orthogonality and α₂ of the divergence, and what the article leaves open.

    ``reconstruction`` is ``"norm"``, the length of an image's error, or ``"mse"``; ``space`` is where the
    samples are compared: ``"image"``, or ``"latent"``, codes with the noise itself.
    """

    orthogonality: float = 0.0
    divergence: float = 0.0
    reconstruction: str = "norm"
    space: str = "image"
    temperature: float = 0.1
    distances: str = "none"

    def parts(self, z: Tensor, made: Tensor, x: Tensor, noise: Tensor, blocks: int) -> dict[str, Tensor]:
        """The terms of each seed (s,), not yet weighted; those of weight 0 are left out.

        Codes (s, b, width), images made of them and of the noise (s, 2 b, ...), and those given (s, b, ...).
        """
        b = x.shape[1]
        error = (made[:, :b] - x).square().flatten(2)
        root = self.reconstruction == "norm"
        terms = {"reconstruction": (error.sum(2).sqrt() if root else error.mean(2)).mean(1)}
        if self.orthogonality:
            each = orthonormality(z.flatten(0, 1), blocks, reduction="none")
            terms["orthogonality"] = each.unflatten(0, z.shape[:2]).mean(1)
        if self.divergence:
            pair = (x.flatten(2), made[:, b:].flatten(2)) if self.space == "image" else (z, noise)
            terms["divergence"] = -two_sample_statistic(*pair, 1, self.temperature, self.distances)
        return terms

    def weights(self, ramp: float) -> dict[str, float]:
        """What each term is multiplied by, ``ramp`` in [0, 1] being how far the annealing has gone."""
        return dict(zip(PARTS, (1.0, ramp * self.orthogonality, ramp * self.divergence), strict=True))


class _Passes(nn.Module):
    """Codes of images, and the images of these codes and of noise."""

    def __init__(self, model: BlockAutoencoder, noisy: bool) -> None:
        super().__init__()
        self.model, self.noisy = model, noisy

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        z = self.model.encode(x)
        return z, self.model.generate(torch.cat((z, noise)) if self.noisy else z)


def built(settings: Any, seed: int) -> BlockAutoencoder:
    """The network with the random weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return BlockAutoencoder(settings.size, settings.bottlenecks, settings.code, hidden=settings.hidden)


def fitted(
    settings: Any, seeds: Sequence[int], images: Sequence[Tensor]
) -> tuple[list[BlockAutoencoder], list[dict[str, list[float]]]]:
    """Trained networks of seeds, and the means of their terms, an entry an epoch.

    Images (n, c, h, w) are each seed's own; so are the order of the batches and the noise.
    """
    models, plan, loss = [built(settings, seed) for seed in seeds], settings.training, settings.loss
    stacked = {name: w.detach().requires_grad_() for name, w in stack_module_state(models)[0].items()}
    noisy = loss.divergence > 0 and loss.space == "image"
    passes = _Passes(built(settings, 0).to("meta"), noisy)
    call = vmap(lambda weights, x, noise: functional_call(passes, weights, (x, noise)))
    sources = [torch.Generator().manual_seed(seed) for seed in seeds]
    batch, n = min(plan.batch, len(images[0])), len(images[0])
    steps = settings.repeats * (n // batch)
    adam = torch.optim.Adam(stacked.values(), lr=plan.rate, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, plan.epochs * steps)
    curves = []
    for epoch in range(plan.epochs):
        orders = [_order(n, settings.repeats, source) for source in sources]
        sums: dict[str, Tensor] = {}
        for step in range(steps):
            part = slice(step * batch, (step + 1) * batch)
            x = torch.stack([own[order[part]] for own, order in zip(images, orders, strict=True)])
            noise = torch.stack([torch.randn(batch, settings.code, generator=source) for source in sources])
            z, made = call({f"model.{name}": w for name, w in stacked.items()}, x, noise)
            parts = loss.parts(z, made, x, noise, models[0].blocks)
            weights = loss.weights(min(1.0, (epoch * steps + step) / (plan.epochs * steps) / plan.ramp))
            adam.zero_grad()
            sum((weights[name] * value).sum() for name, value in parts.items()).backward()
            adam.step()
            falling.step()
            sums = {name: sums.get(name, 0) + v.detach() / steps for name, v in parts.items()}
        curves.append(sums)
    return _unstacked(models, stacked), [_own(curves, i) for i in range(len(seeds))]


def _order(n: int, repeats: int, source: torch.Generator) -> Tensor:
    return torch.cat([torch.randperm(n, generator=source) for _ in range(repeats)])


def _own(curves: list[dict[str, Tensor]], place: int) -> dict[str, list[float]]:
    return {name: [one[name][place].item() for one in curves] for name in curves[0]}


def _unstacked(models: list[BlockAutoencoder], stacked: dict[str, Tensor]) -> list[BlockAutoencoder]:
    for place, model in enumerate(models):
        for name, weight in model.named_parameters():
            weight.data.copy_(stacked[name].detach()[place])
        model.requires_grad_(False).eval()
    return models
