"""PGD and DeepFool, by foolbox, on losses that keep their gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data.checks import as_integer
from lggkit.evaluation import _given
from lggkit.evaluation._attackable import Logits, attackable, by_batch, check, foolbox_module, frozen, misled
from lggkit.evaluation.fast_gradient import BOX, REMEDY, step_size
from lggkit.evaluation.gradients import (
    Loss,
    log_odds,
    margin_loss,
    missing,
    right,
    vanished_gradients,
    warn_of,
)

LOSSES: dict[str, Loss] = {"cross_entropy": log_odds, "margin": margin_loss}
ELSEWHERE = "begin at a random point (`seed`), use `strong`, or look for dead or saturated units"


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

    The defaults are those of paper 1's code. Steps go by the sign of the gradient, which for the
    cross-entropy is taken of its log odds, as in `fgsm_direction`: the same in exact arithmetic, and there at
    any size of the logits.

    Args:
        model, labels: as for `fgsm`.
        images: float32 or float64 in [0, 1].
        step: of one step of descent, in the unit of the images.
        seed: of a random point of the ball to begin at; without it the image itself.
        loss: what grows: ``"cross_entropy"``, or ``"margin"``, the largest other logit less the true one.

    Warns:
        VanishedGradients: the descent had no gradient to begin with for an image that it leaves right.

    Raises:
        TypeError: images are half floats, whose rounding is as large as a step; steps is no integer; or as
            for `fgsm`.
        ValueError: epsilon, step or steps is not positive and finite, or rounds to nothing; there is no such
            loss; or as for `fgsm`.
    """
    images, labels = prepared(model, images, labels)
    epsilon, step = step_size("epsilon", epsilon, images), step_size("step", step, images)
    steps, seed = as_integer("steps", steps, 1), None if seed is None else as_integer("seed", seed, 0)
    if loss not in LOSSES:
        raise ValueError(f"loss is {loss!r}; choose one of {', '.join(LOSSES)}")
    moved, vanished = descended(model, images, labels, epsilon, step, steps, seed, loss)
    if vanished.any():
        warn_of(vanished & ~misled(model, moved, labels), ELSEWHERE)
    return moved


def descended(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float,
    step: float,
    steps: int,
    seed: int | None = None,
    loss: str = "cross_entropy",
) -> tuple[Tensor, Tensor]:
    """`pgd` on what is `prepared`, without a warning: images moved, and which had no gradient at first."""
    attack = foolbox_module().attacks.LinfPGD(abs_stepsize=step, steps=steps, random_start=seed is not None)
    following = _Following(LOSSES[loss])
    attack.get_loss_fn, attack.value_and_grad = following.get_loss_fn, following.value_and_grad
    moved = attacked(attack, model, images, labels, epsilon, seed or 0)
    return moved, torch.cat(following.vanished)


class _Following:
    """What foolbox's descent asks for its gradients; it notes where the first one of a batch is missing."""

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.vanished: list[Tensor] = []

    def get_loss_fn(self, model: Any, labels: Any) -> None:
        self.model, self.labels, self.begun = model, labels.raw, False

    def value_and_grad(self, _: None, x: Any) -> tuple[Any, Any]:
        image = x.raw.detach().clone().requires_grad_()
        z = self.model(image)
        if not self.begun:
            _given.in_range(self.labels, z.shape[1])
        value = self.loss(z, self.labels).sum()
        (gradient,) = torch.autograd.grad(value, image)
        if not self.begun:
            self.vanished.append(missing(gradient) & right(z.detach(), self.labels))
            self.begun = True
        # NaN has no sign: as a step it would become the image.
        return value.detach(), type(x)(gradient.nan_to_num(nan=0.0))


def deepfool(model: nn.Module, images: Tensor, labels: Tensor, steps: int = 50) -> Tensor:
    """The l2 norm (n,) of a small change that misleads the network (Moosavi-Dezfooli et al., 2016).

    0 for images that it gets wrong as they are, and infinite where ``steps`` steps have not misled it. It
    follows differences of logits, which do not saturate. Arguments, errors and the warning as for `pgd`.
    """
    images, labels = prepared(model, images, labels)
    attack = foolbox_module().attacks.L2DeepFoolAttack(steps=as_integer("steps", steps, 1))
    wrong = misled(model, images, labels)
    changed = attacked(attack, model, images, labels)
    unmoved = ~misled(model, changed, labels)
    if unmoved.any():
        warn_of(unmoved & vanished_gradients(model, images, labels), REMEDY)
    norms = (changed - images).flatten(1).norm(dim=1).masked_fill(unmoved, torch.inf)
    return norms.masked_fill(wrong, 0.0)


def prepared(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Images and labels as foolbox's attacks need them, of `check` in [0, 1]."""
    images, labels = check(images, labels, BOX, model)
    if torch.finfo(images.dtype).bits < 32:
        raise TypeError(
            f"images are {images.dtype}, whose rounding is as large as a step; give float32 or float64 "
            "images and a network that takes them"
        )
    return images, labels


def attacked(
    attack: Any,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    epsilon: float | None = None,
    seed: int = 0,
) -> Tensor:
    """What a foolbox attack makes of `prepared` images; ``epsilon`` for those that have a fixed one.

    An image that it loses to NaN stays as it was.
    """
    box, size = foolbox_module(), {} if epsilon is None else {"epsilon": epsilon}
    devices = [images.device] if images.is_cuda else []
    with attackable(model), frozen(model), torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        target = box.PyTorchModel(Logits(model).eval(), bounds=BOX, device=images.device)

        def run(x: Tensor, y: Tensor) -> Tensor:
            adversarial = attack.run(target, x.clone(), box.criteria.Misclassification(y), **size).detach()
            sound = adversarial.flatten(1).isfinite().all(1).view(-1, *[1] * (x.dim() - 1))
            return torch.where(sound, adversarial, x)

        return by_batch(run, images, labels)
