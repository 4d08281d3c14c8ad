"""FGSM at a signal-to-noise ratio, the attack of paper 1, section 4.3 (as its authors' code has it)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lggkit.data.checks import a_tensor
from lggkit.evaluation import _given
from lggkit.evaluation._attackable import attackable, by_batch, check, own
from lggkit.evaluation.gradients import input_gradient, warn_of

BOX = (0.0, 1.0)
REMEDY = "look for dead or saturated units, or use `strong`, which has random starts"


def snr_epsilon(images: Tensor, snr: float) -> Tensor:
    """The size ε (n, 1, 1, 1) of a change ±ε of every entry whose signal-to-noise ratio is ``snr`` dB.

    ``20 log10(‖x‖₂ / (ε √D)) = snr`` for each image x of D entries; 0 for an image of zeros.

    Raises:
        TypeError: images are no floats.
        ValueError: there are none, one is not finite, or rounding to the images' type would leave nothing of
            the change or of the image at this ratio (beyond ±144 dB in float32).
    """
    images = _given.floats(images)
    most = -20 * math.log10(torch.finfo(images.dtype).eps / 2)
    if abs(_given.number("snr", snr, _given.ANY)) > most:
        raise ValueError(
            f"snr is {snr} dB; give a ratio between -{most:.0f} and {most:.0f}, beyond which {images.dtype} "
            "rounds the change or the image away"
        )
    return _epsilon(images, float(snr))


def _epsilon(images: Tensor, snr: float) -> Tensor:
    wide = images.to(torch.promote_types(images.dtype, torch.float32))
    size = wide.flatten(1).norm(dim=1) / images[0].numel() ** 0.5
    return (size / 10 ** (snr / 20)).to(images.dtype).view(-1, *[1] * (images.dim() - 1))


def fgsm(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    snr: float = 33.0,
    bounds: tuple[float, float] | None = BOX,
    epsilon: float | None = None,
) -> Tensor:
    """``x + ε sign(∇_x cross-entropy)``, ε by `snr_epsilon` or as given (Goodfellow et al., 2015, section 4).

    The paper's two settings are ``fgsm(network, images, labels)`` on a network with its normalisation inside
    and, behind the normalisation, ``fgsm(inner, normalization(images), labels, bounds=None)``.

    Args:
        model: returns logits (n, c), or what `lggkit.networks.outputs.logits_of` finds them in.
        images: floats (n, c, h, w) within ``bounds``, give or take a few roundings.
        labels: integers (n,).
        snr: in dB; without a meaning where ``epsilon`` is given.
        bounds: to which the result is clamped, None for no bounds.
        epsilon: the change of every entry, in the unit of the images, as in ``8 / 255``.

    Warns:
        VanishedGradients: an image that the network gets right has no gradient, so that it stays as it is.

    Raises:
        TypeError: images are no floats, labels no integers, or the network returns no logits.
        ValueError: there is not one label an image, there are no images, they leave the bounds or are not
            finite, a label is none of the classes, or epsilon or snr is no number of use.
    """
    images, labels = check(images, labels, bounds, model)
    size = snr_epsilon(images, snr) if epsilon is None else step_size("epsilon", epsilon, images)
    with attackable(model):
        direction, vanished = _direction(model, images, labels)
    warn_of(vanished, REMEDY)
    return _moved(images, size * direction.to(images.dtype), bounds)


def crafted(model: nn.Module, images: Tensor, labels: Tensor, snr: float) -> Tensor:
    """`fgsm` in [0, 1] of a batch that needs no look, such as one that is trained on: nothing waits or warns.

    Images are finite floats in [0, 1], labels int64 (n,) in [0, c) on their device, ``snr`` within the range
    of `snr_epsilon`.
    """
    images, labels = own(images), own(labels)
    with attackable(model):
        gradient, _ = input_gradient(model, images, labels, look=False)
    return _moved(images, _epsilon(images, snr) * gradient.sign(), BOX)


def fgsm_direction(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """``sign(∇_x cross-entropy)`` of every image, int8 (n, c, h, w): where `fgsm` goes, at whatever ratio.

    Computed as the sign of ``∇_x (logsumexp(z_j, j ≠ y) - z_y)``, which is the same and does not vanish where
    the network is sure of itself.

    Raises, warns: as `fgsm`, but for the bounds.
    """
    images, labels = check(images, labels, model=model)
    with attackable(model):
        direction, vanished = _direction(model, images, labels)
    warn_of(vanished, REMEDY)
    return direction


def _direction(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    vanished = []

    def sign(x: Tensor, y: Tensor) -> Tensor:
        gradient, without = input_gradient(model, x, y)
        vanished.append(without)
        return gradient.sign().to(torch.int8)

    return by_batch(sign, images, labels), torch.cat(vanished)


def moved_along(
    images: Tensor, direction: Tensor, snr: float, bounds: tuple[float, float] | None = BOX
) -> Tensor:
    """Images moved by the ε of `snr_epsilon` along a direction of entries ±1 or 0, such as `fgsm_direction`.

    ``snr`` and ``bounds`` are those of `fgsm`, and so are errors.
    """
    images = a_tensor("images", images).detach()
    images = images if bounds is None else _given.within(_given.floats(images), bounds)
    size = snr_epsilon(images, snr)
    if a_tensor("directions", direction).shape != images.shape:
        raise ValueError(
            f"directions have shape {tuple(direction.shape)} and images {tuple(images.shape)}; give the same"
        )
    return _moved(images, size * direction.detach(), bounds)


def step_size(name: str, value: float, images: Tensor) -> float:
    """A change of an entry that is a positive number and that the images' type does not round away."""
    least = torch.finfo(images.dtype).eps / 2
    if _given.number(name, value) < least:
        raise ValueError(
            f"{name} is {value}, which {images.dtype} rounds away beside 1; give at least {least:.2g}, "
            "or images of a wider type"
        )
    return float(value)


def _moved(images: Tensor, change: Tensor, bounds: tuple[float, float] | None) -> Tensor:
    moved = images + change
    return moved if bounds is None else moved.clamp(*_given.pair(bounds))
