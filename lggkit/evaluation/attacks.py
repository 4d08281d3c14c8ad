"""Adversarial attacks on image classifiers: one gradient step at a given signal-to-noise ratio, and stronger.

FGSM at a signal-to-noise ratio is the attack of paper 1, section 4.3 (as its authors' code has it); the
others are foolbox's. Networks are attacked in evaluation mode; their modes, weights and gradients are as
before afterwards. Images are floats (n, c, h, w) on the network's device and, unless said otherwise, in
[0, 1], the input normalisation being part of the network; labels are integers (n,).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.evaluation._attackable import check, foolbox_module, frozen
from lggkit.evaluation.accuracy import classes_of, evaluating, predict

BOX = (0.0, 1.0)
BATCH = 500
LOSSES = ("cross_entropy", "margin")


def snr_epsilon(images: Tensor, snr: float) -> Tensor:
    """The size ε (n, 1, 1, 1) of a change ±ε of every entry whose signal-to-noise ratio is ``snr`` dB.

    ``20 log10(‖x‖₂ / (ε √D)) = snr`` for each image x of D entries.
    """
    size = images.flatten(1).norm(dim=1) / images[0].numel() ** 0.5
    return (size / 10 ** (snr / 20)).view(-1, *[1] * (images.dim() - 1))


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
        images: floats (n, c, h, w) within ``bounds``.
        labels: int64 (n,).
        snr: in dB; without a meaning where ``epsilon`` is given.
        bounds: to which the result is clamped, None for no bounds.
        epsilon: the change of every entry, in the unit of the images, as in ``8 / 255``.

    Raises:
        TypeError: images are no floats, or labels not int64.
        ValueError: there is not one label an image, there are no images, they leave the bounds, or epsilon is
            not positive.
    """
    if epsilon is not None and not epsilon > 0:
        raise ValueError(f"epsilon is {epsilon}; give a positive number")
    check(images, labels, bounds)
    direction = fgsm_direction(model, images, labels)
    if epsilon is None:
        return moved_along(images, direction, snr, bounds)
    return _moved(images, epsilon * direction.to(images.dtype), bounds)


def fgsm_direction(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """``sign(∇_x cross-entropy)`` of every image, int8 (n, c, h, w): where `fgsm` goes, at whatever ratio.

    Raises:
        TypeError, ValueError: as for `fgsm`, but for the bounds.
    """
    check(images, labels)

    def sign(x: Tensor, y: Tensor) -> Tensor:
        x = x.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(F.cross_entropy(model(x).float(), y, reduction="sum"), x)
        return gradient.sign().to(torch.int8)

    with evaluating(model), torch.enable_grad():
        return _by_batch(sign, images, labels)


def moved_along(
    images: Tensor, direction: Tensor, snr: float, bounds: tuple[float, float] | None = BOX
) -> Tensor:
    """Images moved by the ε of `snr_epsilon` along a direction of entries ±1 or 0, such as `fgsm_direction`.

    ``snr`` and ``bounds`` are those of `fgsm`.
    """
    return _moved(images, snr_epsilon(images.detach(), snr) * direction, bounds)


def _moved(images: Tensor, change: Tensor, bounds: tuple[float, float] | None) -> Tensor:
    moved = images.detach() + change
    return moved if bounds is None else moved.clamp(*bounds)


def pgd(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float = 0.01,
    step: float = 0.002,
    steps: int = 20,
    seed: int | None = None,
    loss: str = "cross_entropy",
) -> Tensor:
    """Projected gradient descent in the l∞ ball of radius ``epsilon``, in [0, 1] (Madry et al., 2018).

    The defaults are those of paper 1's code.

    Args:
        step: of one step of descent, in the unit of the images.
        seed: of a random point of the ball to begin at; without it the image itself.
        loss: what grows: ``"cross_entropy"``, or ``"margin"``, the largest other logit less the true one,
            which logits of any size leave a gradient.

    Raises:
        ValueError: epsilon, step or steps is not positive, there is no such loss, or as for `fgsm`.
    """
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; choose one of {', '.join(LOSSES)}")
    if min(epsilon, step, steps) <= 0:
        raise ValueError(f"epsilon {epsilon}, step {step}, steps {steps}: give positive numbers")
    attack = foolbox_module().attacks.LinfPGD(abs_stepsize=step, steps=steps, random_start=seed is not None)
    if loss == "margin":
        attack.get_loss_fn = _margin
    return _attacked(attack, model, images, labels, epsilon, seed or 0)


def strong(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float = 0.01,
    restarts: int = 5,
    steps: int = 40,
) -> Tensor:
    """Which images (n,) an ensemble of attacks in the l∞ ball misleads the network on, bool.

    An image is broken if the network gets it wrong as it is, or if any of these does it: `pgd` from the
    image, by the cross-entropy and by the margin, which sees what a saturated cross-entropy hides; the fast
    minimum-norm attack (Pintor et al., 2021); and `pgd` from ``restarts`` random points. Each step of descent
    is ε/4, and each attack is tried on what those before left.

    Args:
        steps: of each descent; the minimum-norm attack has twice as many.

    Raises:
        ValueError: as for `pgd`.
    """
    broken = misled(model, images, labels)
    descend = partial(pgd, epsilon=epsilon, step=epsilon / 4, steps=steps)
    smallest = partial(_attacked, foolbox_module().attacks.LInfFMNAttack(steps=2 * steps))
    restarted = (partial(descend, seed=seed) for seed in range(restarts))
    for attack in (descend, partial(descend, loss="margin"), smallest, *restarted):
        left = (~broken).nonzero().flatten()
        if len(left):
            x, y = images[left], labels[left]
            inside = x + (attack(model, x, y) - x).clamp(-epsilon, epsilon)
            broken[left] = misled(model, inside, y)
    return broken


def deepfool(model: nn.Module, images: Tensor, labels: Tensor, steps: int = 50) -> Tensor:
    """The l2 norm (n,) of a small change that misleads the network (Moosavi-Dezfooli et al., 2016).

    0 for images that it gets wrong as they are, and infinite where ``steps`` steps have not misled it. Errors
    as for `fgsm`.
    """
    changed = _attacked(foolbox_module().attacks.L2DeepFoolAttack(steps=steps), model, images, labels)
    norms = (changed - images).flatten(1).norm(dim=1)
    norms = norms.masked_fill(~misled(model, changed, labels), torch.inf)
    return norms.masked_fill(misled(model, images, labels), 0.0)


def misled(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images (n,) the network gets wrong, bool; ``images`` as the model takes them.

    Raises:
        TypeError, ValueError: as for `fgsm`, but for the bounds.
    """
    check(images, labels)
    answers = predict(model, images, preprocess=lambda x: x, batch_size=BATCH)
    return classes_of(answers, labels) != labels


def _by_batch(function: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
    parts = zip(images.split(BATCH), labels.split(BATCH), strict=True)
    return torch.cat([function(x, y) for x, y in parts])


def _attacked(
    attack: Any,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float | None = None,
    seed: int = 0,
) -> Tensor:
    """What a foolbox attack makes of the images; ``epsilon`` for those that have a fixed one."""
    check(images, labels, BOX)
    box, size = foolbox_module(), {} if epsilon is None else {"epsilon": epsilon}
    devices = [images.device] if images.is_cuda else []
    with evaluating(model), frozen(model), torch.enable_grad(), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        target = box.PyTorchModel(model, bounds=BOX, device=images.device)

        def run(x: Tensor, y: Tensor) -> Tensor:
            return attack.run(target, x, box.criteria.Misclassification(y), **size).detach()

        return _by_batch(run, images, labels)


def _margin(model: Any, labels: Any) -> Callable[[Any], Any]:
    """The margin as foolbox wants a loss: of its own kind of tensors, summed over images."""

    def loss(x: Any) -> Any:
        logits = model(x)
        others = logits - logits.onehot_like(labels, value=float("inf"))
        return (others.max(axis=-1) - logits[range(len(labels)), labels]).sum()

    return loss
