"""Descents toward one wrong class after the other, with steps that halve where they gain nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from lggkit.evaluation._attackable import attackable, by_batch, logits
from lggkit.evaluation.fast_gradient import BOX
from lggkit.evaluation.gradients import gradient_of, right

TARGETS = 9
MOMENTUM, ENOUGH = 0.75, 0.75
Step = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]


def targeted_descents(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    steps: int,
    targets: int = TARGETS,
    seed: int | None = None,
) -> Tensor:
    """Images (n, ...) in the l∞ ball of radius ``epsilon`` that mislead the network, else as given.

    For each of the ``targets`` wrong classes of the largest logits at the image, one after the other and on
    what is left, ``z_t - z_y`` grows by Auto-PGD (Croce & Hein, 2020, algorithm 1); of fewer wrong classes
    all are tried. Every point that the descent visits counts. A network's next-best class is not always the
    nearest one: untargeted losses, which follow it, can be stuck between two.

    Args:
        images, labels: checked, see `lggkit.evaluation.descents.prepared`.
        steps: of each of the descents; the cost is at most ``targets * steps`` passes.
        seed: of random points of the ball to begin at; without it the image itself.
    """
    source = None if seed is None else torch.Generator().manual_seed(seed)

    def descend(x: Tensor, y: Tensor) -> Tensor:
        misleading = x.clone()
        z = logits(model, x, y).detach()
        ranked = z.scatter(1, y.unsqueeze(1), -torch.inf).argsort(dim=1, descending=True, stable=True)
        left = right(z, y).nonzero().flatten()
        for target in ranked[:, : min(targets, z.shape[1] - 1)].unbind(1):
            if len(left):
                step = _toward(model, y[left], target[left])
                misleading[left], broken = auto_pgd(step, x[left], epsilon, steps, source)
                left = left[~broken]
        return misleading

    with attackable(model):
        return by_batch(descend, images, labels)


def _toward(model: nn.Module, labels: Tensor, targets: Tensor) -> Step:
    """What `auto_pgd` needs of a batch at x: ``z_t - z_y`` (n,), its gradient, and who is misled (n,)."""

    def step(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = x.detach().clone().requires_grad_()
        z = logits(model, x)
        gain = (z.gather(1, targets.unsqueeze(1)) - z.gather(1, labels.unsqueeze(1))).squeeze(1)
        return gain.detach(), gradient_of(gain, x).nan_to_num(nan=0.0), ~right(z.detach(), labels)

    return step


def auto_pgd(
    step: Step, images: Tensor, epsilon: float, steps: int, source: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The images (n, ...), those that are misled on the way as they then were, and which ones are, bool (n,).

    Steps of 2ε with momentum; at checkpoints an image's step is halved and it goes back to its best point if
    fewer than three quarters of the steps since the last checkpoint gained, or if neither its step nor its
    best value has changed since then. With a ``source`` (of the CPU) it begins at a random point of the ball.
    """
    low, high = (images - epsilon).clamp(min=BOX[0]), (images + epsilon).clamp(max=BOX[1])
    x = before = images if source is None else _somewhere(low, high, source)
    gain, gradient, misled = step(x)
    best = _Best(x, gain, gradient, epsilon)
    misleading = torch.where(misled.view(best.shape), x, images)
    checkpoints = _checkpoints(steps)
    for count in range(1, steps):
        ahead = (x + best.size.view(best.shape) * gradient.sign()).clamp(low, high)
        weight = MOMENTUM if count > 1 else 1.0
        x, before = (x + weight * (ahead - x) + (1 - weight) * (x - before)).clamp(low, high), x
        last, (gain, gradient, wrong) = gain, step(x)
        misleading = torch.where((wrong & ~misled).view(best.shape), x, misleading)
        misled = misled | wrong
        if misled.all():
            break
        best.update(x, gain, gradient, gain > last)
        if count in checkpoints:
            x, gain, gradient = best.look_back(x, gain, gradient, count)
    return misleading, misled


def _somewhere(low: Tensor, high: Tensor, source: torch.Generator) -> Tensor:
    share = torch.rand(low.shape, generator=source, dtype=low.dtype).to(low.device)
    return low + share * (high - low)


class _Best:
    """Where each image's gain was largest, and the size (n,) of its steps."""

    def __init__(self, x: Tensor, gain: Tensor, gradient: Tensor, epsilon: float) -> None:
        self.x, self.gain, self.gradient = x, gain, gradient
        self.shape = (-1, *[1] * (x.dim() - 1))
        self.size = torch.full_like(gain, 2 * epsilon, dtype=x.dtype)
        self.gained, self.gain_then = torch.zeros_like(gain), gain
        self.halved, self.then = torch.ones_like(gain, dtype=torch.bool), 0

    def update(self, x: Tensor, gain: Tensor, gradient: Tensor, gained: Tensor) -> None:
        better = gain > self.gain
        self.gained = self.gained + gained
        self.gain = torch.where(better, gain, self.gain)
        self.x = torch.where(better.view(self.shape), x, self.x)
        self.gradient = torch.where(better.view(self.shape), gradient, self.gradient)

    def look_back(
        self, x: Tensor, gain: Tensor, gradient: Tensor, count: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Where to go on after ``count`` steps; sizes are halved where that is at the best point."""
        stuck = self.gained < ENOUGH * (count - self.then)
        stuck = stuck | (~self.halved & (self.gain_then == self.gain))
        self.size = torch.where(stuck, self.size / 2, self.size)
        self.gained, self.gain_then = torch.zeros_like(gain), self.gain
        self.halved, self.then = stuck, count
        back = stuck.view(self.shape)
        gain = torch.where(stuck, self.gain, gain)
        return torch.where(back, self.x, x), gain, torch.where(back, self.gradient, gradient)


def _checkpoints(steps: int) -> set[int]:
    """After which steps Auto-PGD looks back: at shares of all steps that come closer together."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    # Less a rounding: 0.57 is 0.5700000000000001 here.
    return {math.ceil(share * steps - 1e-9) for share in shares[1:]}
