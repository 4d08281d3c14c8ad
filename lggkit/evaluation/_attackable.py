"""What attacks need before they begin: fit images and labels, logits of any network, foolbox."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data.checks import a_tensor
from lggkit.evaluation import _given
from lggkit.evaluation.accuracy import classes_of, evaluating, outputs, predict

BATCH = 500


def check(
    images: Any, labels: Any, bounds: tuple[float, float] | None = None, model: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """Images (n, ...) without a gradient, and labels (n,), int64 on their device; this waits for the device.

    Neither is of inference mode, whatever was given in whatever mode; see `own`.

    With ``bounds`` images that leave them by a few roundings are clamped.

    Raises:
        TypeError: images are no tensor of floats, or labels no tensor of integers.
        ValueError: there is not one label an image, there are no images, one is not finite, they leave the
            bounds, a label is negative, or the images are not on the model's device.
    """
    images, labels = own(a_tensor("images", images)), own(a_tensor("labels", labels))
    # No images at all are refused below, with the labels.
    if images.shape[:1] != (0,):
        _given.floats(images)
    labels = _given.classes(labels, device=images.device)
    if not len(images) or labels.shape != images.shape[:1]:
        raise ValueError(
            f"there are {len(images)} images and labels of shape {tuple(labels.shape)}; "
            "give one label an image, and at least one"
        )
    _given.in_range(labels)
    if model is not None:
        _together(model, images)
    return (images if bounds is None else own(_given.within(images, bounds))), own(labels)


def own(x: Tensor) -> Tensor:
    """``x`` without a gradient; a copy where it is of inference mode, which autograd does not take."""
    with torch.inference_mode(False):
        return x.detach().clone() if x.is_inference() else x.detach()


def _together(model: nn.Module, images: Tensor) -> None:
    place = next((p.device for p in model.parameters()), images.device)
    if place != images.device:
        raise ValueError(
            f"images are on {images.device} and the network on {place}; move one, as in images.to('{place}')"
        )


def logits(model: nn.Module, images: Tensor, labels: Tensor | None = None) -> Tensor:
    """The network's logits (n, c), in float32 at least; a network in double keeps its digits.

    Raises:
        TypeError: it returns what has no logits, see `lggkit.networks.outputs.logits_of`.
        ValueError: they have another shape or c is 1, or a label is none of the classes.
    """
    answers = outputs(model, images)
    if answers.dim() != 2 or answers.shape[1] < 2 or len(answers) != len(images):
        raise ValueError(
            f"the network returns {tuple(answers.shape)} for {len(images)} images; "
            "attacks and errors need logits (n, c) of at least two classes"
        )
    if labels is not None:
        _given.in_range(labels, answers.shape[1])
    return answers.to(torch.promote_types(answers.dtype, torch.float32))


def misled(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Which images (n,) the network gets wrong, bool; ``images`` as the model takes them.

    Raises:
        TypeError, ValueError: as for `fgsm`, but for the bounds.
    """
    images, labels = check(images, labels, model=model)
    answers = predict(model, images, preprocess=lambda x: x, batch_size=BATCH)
    predicted = classes_of(answers, labels)
    if answers.dim() == 2:
        _given.in_range(labels, answers.shape[1])
    return predicted != labels


class Logits(nn.Module):
    """A network that returns its logits (n, c) and nothing else, as foolbox wants them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        answers = logits(self.model, x)
        # foolbox asserts a gradient, also where a network has none (a threshold, say).
        apart = x.requires_grad and not answers.requires_grad
        return answers + 0 * x.flatten(1).sum(1, keepdim=True) if apart else answers


@contextmanager
def attackable(model: nn.Module) -> Iterator[None]:
    """Evaluation mode and gradients, in whatever mode the caller is; all as before afterwards."""
    with torch.inference_mode(False), evaluating(model), torch.enable_grad():
        yield


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Weights without gradients inside, which foolbox would compute and add to theirs."""
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def by_batch(
    function: Callable[[Tensor, Tensor], Tensor], images: Tensor, labels: Tensor, size: int | None = None
) -> Tensor:
    """What the function makes of ``size`` images and labels at a time, by default `BATCH`."""
    size = size or BATCH
    parts = zip(images.split(size), labels.split(size), strict=True)
    return torch.cat([function(x, y) for x, y in parts])


def foolbox_module() -> Any:
    """foolbox, imported when it is first needed."""
    # It imports GitPython for its model zoo, which stops where there is no git.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import foolbox

    return foolbox
