"""Answers of a network on a whole data set, and its test error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lggkit.data import LabelledSet, to_float
from lggkit.data.checks import a_tensor, as_integer
from lggkit.evaluation import _given
from lggkit.networks.outputs import logits_of

Preprocess = Callable[[Tensor], Tensor]
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


def predict(
    model: nn.Module,
    images: Tensor,
    preprocess: Preprocess = to_float,
    batch_size: int = 1024,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The network's outputs (n, c) for images (n, c, h, w), on the model's device, in float32 at least.

    Args:
        model: put into evaluation mode for the call; every module's mode is as before afterwards. It returns
            a tensor of n rows, or what `lggkit.networks.outputs.logits_of` finds one in.
        images: usually uint8; moved to the model's device a batch at a time.
        preprocess: what turns a batch of them into the model's input; by default [0, 1] floats.
        batch_size: images a forward pass.
        dtype: ``torch.bfloat16`` or ``torch.float16`` computes under autocast.

    Raises:
        TypeError: images are no tensor, batch_size is no integer, the model returns what has no tensor at its
            front, or its input has another floating type than its weights.
        ValueError: there are no images, batch_size is below 1, there is no such dtype, or the model does not
            return a row for each image.
    """
    if not a_tensor("images", images).dim() or not len(images):
        raise ValueError("there are no images to predict; give at least one")
    if dtype not in PRECISIONS:
        raise ValueError(f"dtype is {dtype}; choose one of {', '.join(map(str, PRECISIONS))}")
    parts = images.split(as_integer("batch_size", batch_size, 1))
    device, layout = _placement(model)
    with torch.inference_mode(), evaluating(model), autocast(device, dtype):
        answers = [
            _rows(model, preprocess(part.to(device)).contiguous(memory_format=layout)) for part in parts
        ]
        answers = torch.cat(answers)
    return answers.clone()


def outputs(model: nn.Module, x: Tensor) -> Tensor:
    """The tensor that a network returns for its input, see `lggkit.networks.outputs.logits_of`.

    Raises:
        TypeError: it returns another thing, or fails because its weights have another floating type.
    """
    try:
        returned = model(x)
    except RuntimeError as error:
        types = {p.dtype for p in model.parameters() if p.is_floating_point()}
        if torch.is_autocast_enabled(x.device.type) or not types or x.dtype in types:
            raise
        dtypes = ", ".join(map(str, types))
        raise TypeError(
            f"the input is {x.dtype} and the network's weights are {dtypes}; give one type"
        ) from error
    return logits_of(returned)


def _rows(model: nn.Module, x: Tensor) -> Tensor:
    answers = outputs(model, x)
    if not answers.dim() or len(answers) != len(x):
        raise ValueError(
            f"the network returns {tuple(answers.shape)} for {len(x)} images; return one row for each"
        )
    return answers.to(torch.promote_types(answers.dtype, torch.float32))


def error_rate(answers: Tensor, labels: Tensor) -> float:
    """Percent of wrong answers; ``answers`` are logits (n, c) or classes (n,), ``labels`` (n,).

    Logits of which one is no number (NaN) are a wrong answer.

    Args:
        answers: of any device; a network's output that is no tensor goes through
            `lggkit.networks.outputs.logits_of` first, as in `predict`.
        labels: integers of any width; below c where answers are logits.

    Raises:
        TypeError: answers or labels are no tensors, or classes are no integers.
        ValueError: there are no labels, their number differs from that of the answers, there is only one
            column of logits, or a label is none of the classes.
    """
    predicted = classes_of(answers, a_tensor("labels", labels))
    labels = _given.classes(labels, device=predicted.device)
    if answers.dim() == 2:
        _given.in_range(labels, answers.shape[1])
    return 100 * float((predicted != labels).double().mean())


def model_error(model: nn.Module, data: LabelledSet, batch_size: int = 1024, **settings: object) -> float:
    """Percent of the data set's samples that the network gets wrong; ``settings`` as for `predict`."""
    settings = {"preprocess": data.prepared, "batch_size": batch_size, **settings}
    return error_rate(predict(model, data.samples, **settings), data.labels)


def answered(answers: Tensor) -> Tensor:
    """Classes (n,) of logits (n, c >= 2) or of classes (n,), int64; -1 of logits of which one is NaN."""
    if a_tensor("answers", answers).dim() != 2:
        return _given.classes(answers, "answers") if answers.numel() else answers
    if answers.shape[1] < 2:
        raise ValueError(
            f"answers have shape {tuple(answers.shape)}; give logits of at least two classes, or classes (n,)"
        )
    return answers.argmax(1).masked_fill(answers.isnan().any(1), -1)


def classes_of(answers: Tensor, like: Tensor) -> Tensor:
    """Classes as `answered`, one for each entry of ``like``."""
    classes = answered(answers)
    if classes.shape != like.shape or not len(like):
        raise ValueError(
            f"answers {tuple(answers.shape)} do not fit labels {tuple(like.shape)}; "
            "give one answer for each label, and at least one"
        )
    return classes


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Evaluation mode inside, every module's own mode again afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes.items():
            module.training = mode


def _placement(model: nn.Module) -> tuple[torch.device, torch.memory_format]:
    parameters = list(model.parameters())
    kernels = [p for p in parameters if p.dim() == 4 and p.shape[1] > 1]
    last = any(p.is_contiguous(memory_format=torch.channels_last) and not p.is_contiguous() for p in kernels)
    device = parameters[0].device if parameters else torch.device("cpu")
    return device, torch.channels_last if last else torch.contiguous_format


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """The context of a forward pass in a type; does nothing in float32."""
    enabled = dtype is not torch.float32
    return torch.autocast(device.type, dtype=dtype if enabled else None, enabled=enabled)
