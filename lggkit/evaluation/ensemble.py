"""The strongest of several attacks on each image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from lggkit.data.checks import as_integer
from lggkit.evaluation._attackable import foolbox_module, misled
from lggkit.evaluation.descents import attacked, descended, prepared
from lggkit.evaluation.fast_gradient import step_size
from lggkit.evaluation.gradients import vanished_gradients, warn_of
from lggkit.evaluation.targeted import targeted_descents

UNKNOWN = "how robust it is on them is not known; look for dead or saturated units"
Attack = Callable[[nn.Module, Tensor, Tensor], Tensor]


@torch.inference_mode(False)
def strong(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float = 0.01,
    restarts: int = 5,
    steps: int = 40,
    targeted: bool = True,
) -> Tensor:
    """Which images (n,) an ensemble of attacks in the l∞ ball misleads the network on, bool.

    An image is broken if the network gets it wrong as it is, or if any of these does it: `pgd` from the
    image, by the cross-entropy and by the margin; the fast minimum-norm attack (Pintor et al., 2021);
    descents toward each of the nine wrong classes of the largest logits (Auto-PGD on ``z_t - z_y``; Croce &
    Hein, 2020), from the image and, unless ``restarts`` is 0, from a random point; and `pgd` from
    ``restarts`` random points. Each step of `pgd` is ε/4, and each attack is
    tried on what those before left.

    Args:
        model, images, labels: as for `pgd`.
        restarts: 0 for none.
        steps: of each descent; the minimum-norm attack has twice as many, so that an image that withstands
            everything costs ``(4 + 2 * 9 + restarts) * steps`` passes.
        targeted: whether the targeted descents are among them; without them it is the ensemble that records
            with ``attack_version`` 1 were measured with.

    Warns:
        VanishedGradients: an image that nothing broke has no gradient.

    Raises:
        TypeError, ValueError: restarts is no integer from 0 on, or as for `pgd`.
    """
    return _ensemble(model, images, labels, epsilon, restarts, steps, targeted, every=False)[1]


@torch.inference_mode(False)
def strong_images(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float = 0.01,
    restarts: int = 5,
    steps: int = 40,
    targeted: bool = True,
) -> Tensor:
    """The images (n, ...) as the first attack of `strong` that misleads the network moved them.

    One that no attack breaks, or that the network gets wrong as it is, is as `pgd` moved it, by the
    cross-entropy and without a random start. Nothing leaves the l∞ ball of radius ``epsilon``, nor [0, 1].
    Arguments, warnings and errors as for `strong`.
    """
    return _ensemble(model, images, labels, epsilon, restarts, steps, targeted, every=True)[0]


def _ensemble(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    restarts: int,
    steps: int,
    targeted: bool,
    every: bool,
) -> tuple[Tensor, Tensor]:
    """Images moved by the first attack that breaks them, and which are broken.

    The first attack moves ``every`` image, or those that the network gets right.
    """
    images, labels = prepared(model, images, labels)
    epsilon = step_size("epsilon", epsilon, images)
    restarts, steps = as_integer("restarts", restarts, 0), as_integer("steps", steps, 1)
    broken, moved = misled(model, images, labels), images.clone()
    unmoved = torch.ones_like(broken) if every else ~broken
    for attack in _members(epsilon, restarts, steps, targeted):
        left = (unmoved | ~broken).nonzero().flatten()
        if len(left):
            x, y = images[left], labels[left]
            inside = x + (attack(model, x, y) - x).clamp(-epsilon, epsilon)
            found = misled(model, inside, y)
            better = (found | unmoved[left]).view(-1, *[1] * (x.dim() - 1))
            moved[left] = torch.where(better, inside, moved[left])
            broken[left] |= found
        unmoved = torch.zeros_like(broken)
    warn_of(_without_gradient(model, images, labels, ~broken), UNKNOWN)
    return moved, broken


def _members(epsilon: float, restarts: int, steps: int, targeted: bool) -> Iterator[Attack]:
    def descend(model: nn.Module, x: Tensor, y: Tensor, **options: object) -> Tensor:
        return descended(model, x, y, epsilon, epsilon / 4, steps, **options)[0]

    yield descend
    yield partial(descend, loss="margin")
    yield partial(attacked, foolbox_module().attacks.LInfFMNAttack(steps=2 * steps))
    if targeted:
        yield partial(targeted_descents, epsilon=epsilon, steps=steps)
    for seed in range(restarts):
        yield partial(descend, seed=seed)
    # Last, as it costs most, and the rest has left the fewest images.
    if targeted and restarts:
        yield partial(targeted_descents, epsilon=epsilon, steps=steps, seed=0)


def _without_gradient(model: nn.Module, images: Tensor, labels: Tensor, left: Tensor) -> Tensor:
    vanished = torch.zeros_like(left)
    if left.any():
        vanished[left] = vanished_gradients(model, images[left], labels[left])
    return vanished
