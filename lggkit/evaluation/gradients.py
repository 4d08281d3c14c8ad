"""The gradients that attacks follow, of losses that do not saturate, and where there are none.

The cross-entropy of logits z and a true class y is ``softplus(d)`` with ``d = logsumexp(z_j, j ≠ y) - z_y``.
Its gradient is that of d times ``1 - p_y``, which a margin beyond about 17 rounds to 0 in float32, and its
neighbours to little more. The signs of both are the same, and d keeps its gradient at any margin.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lggkit.evaluation._attackable import attackable, by_batch, check, logits

Loss = Callable[[Tensor, Tensor], Tensor]


class VanishedGradients(RuntimeWarning):
    """Images withstood an attack that had no gradient to follow: that says nothing of how robust they are."""


def log_odds(z: Tensor, labels: Tensor) -> Tensor:
    """``logsumexp(z_j, j ≠ y) - z_y`` of logits (n, c) and labels (n,): log odds against the true class."""
    true = labels.unsqueeze(1)
    return z.scatter(1, true, -torch.inf).logsumexp(1) - z.gather(1, true).squeeze(1)


def margin_loss(z: Tensor, labels: Tensor) -> Tensor:
    """The largest other logit less the true one, (n,)."""
    true = labels.unsqueeze(1)
    return z.scatter(1, true, -torch.inf).amax(1) - z.gather(1, true).squeeze(1)


def right(z: Tensor, labels: Tensor) -> Tensor:
    """Which logits (n, c) have their largest entry, and no NaN, at the label, bool (n,)."""
    return (z.argmax(1) == labels) & ~z.isnan().any(1)


def missing(gradient: Tensor) -> Tensor:
    """Which gradients (n, ...) are 0 everywhere, or not finite somewhere, bool (n,)."""
    flat = gradient.flatten(1)
    return (flat == 0).all(1) | ~flat.isfinite().all(1)


def gradient_of(values: Tensor, x: Tensor) -> Tensor:
    """The gradients (n, ...) of values (n,) by the x that each was computed from, 0 where there is none."""
    gradient = torch.autograd.grad(values.sum(), x, allow_unused=True)[0] if values.requires_grad else None
    return torch.zeros_like(x) if gradient is None else gradient


def input_gradient(model: nn.Module, x: Tensor, labels: Tensor, look: bool = True) -> tuple[Tensor, Tensor]:
    """``∇_x d`` of one batch as `log_odds`, and which of its images it fails although they are right.

    The gradient (n, ...) is 0 where it is NaN or the network has none. To be called inside `attackable`.
    Labels are looked at, which waits for the device, unless ``look`` is False.
    """
    x = x.detach().clone().requires_grad_()
    z = logits(model, x, labels if look else None)
    gradient = gradient_of(log_odds(z, labels), x)
    vanished = missing(gradient) & right(z.detach(), labels)
    return gradient.nan_to_num(nan=0.0), vanished


def vanished_gradients(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images (n,) the network gets right and gives no gradient to follow, bool.

    The gradient of `fgsm_direction` is 0 in every entry, or not finite in one. `fgsm`, `pgd` without a seed
    and `deepfool` leave such images as they are, and their errors are too low by as much. The share of
    images, in percent, is ``100 * vanished_gradients(model, images, labels).double().mean()``.

    Raises:
        TypeError, ValueError: as for `fgsm`, but for the bounds.
    """
    images, labels = check(images, labels, model=model)
    with attackable(model):
        return by_batch(lambda x, y: input_gradient(model, x, y)[1], images, labels)


@contextmanager
def unwarned() -> Iterator[None]:
    """No `VanishedGradients` inside: for callers that record the share, or have nobody to tell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VanishedGradients)
        yield


def warn_of(vanished: Tensor, remedy: str) -> None:
    """Warns where an image's gradient vanished, with their count and share, and what may help."""
    if count := int(vanished.sum()):
        share = 100 * count / len(vanished)
        warnings.warn(
            f"the gradient is 0 or not finite for {count} of {len(vanished)} images ({share:.3g} %) that the "
            f"network gets right, so that the attack could not move them; {remedy}",
            VanishedGradients,
            stacklevel=3,
        )
