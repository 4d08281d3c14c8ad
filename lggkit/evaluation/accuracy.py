"""Answers of a network on a whole data set, and its test error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float

Preprocess = Callable[[Tensor], Tensor]


def predict(
    model: nn.Module,
    images: Tensor,
    preprocess: Preprocess = to_float,
    batch_size: int = 1024,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The network's outputs (n, c) for images (n, c, h, w), in float32, on the model's device.

    Args:
        model: put into evaluation mode for the call; every module's mode is as before afterwards.
        images: usually uint8; moved to the model's device a batch at a time.
        preprocess: what turns a batch of them into the model's input; by default [0, 1] floats.
        batch_size: images a forward pass.
        dtype: ``torch.bfloat16`` computes under autocast.

    Raises:
        ValueError: there are no images, or batch_size is below 1.
    """
    if not len(images):
        raise ValueError("there are no images to predict; give at least one")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; give an integer of at least 1")
    device, layout = _placement(model)
    with torch.inference_mode(), evaluating(model), _autocast(device, dtype):
        outputs = [
            model(preprocess(part.to(device)).contiguous(memory_format=layout)).float()
            for part in images.split(batch_size)
        ]
        outputs = torch.cat(outputs)
    return outputs.clone()


def error_rate(answers: Tensor, labels: Tensor) -> float:
    """Percent of wrong answers; ``answers`` are logits (n, c) or classes (n,), ``labels`` (n,).

    Logits of which one is no number (NaN) are a wrong answer.

    Raises:
        ValueError: there are no labels, or their number differs from that of the answers.
    """
    wrong = classes_of(answers, labels).to(labels.device) != labels
    return 100 * float(wrong.double().mean())


def model_error(model: nn.Module, data: DataSet, batch_size: int = 1024, **settings: object) -> float:
    """Percent of the data set's images that the network gets wrong; ``settings`` as for `predict`."""
    return error_rate(predict(model, data.images, batch_size=batch_size, **settings), data.labels)


def answered(answers: Tensor) -> Tensor:
    """Classes (n,) of logits (n, c) or of classes (n,); -1 of logits of which one is NaN."""
    return answers.argmax(1).masked_fill(answers.isnan().any(1), -1) if answers.dim() == 2 else answers


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


def _autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    enabled = dtype is not torch.float32
    return torch.autocast(device.type, dtype=dtype if enabled else None, enabled=enabled)
