"""Where the time of a training step goes: shares by kind of operation, and its convolutions on their own."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
from torch import nn
from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function

DATA = "bench: data"
PARTS = {
    "data": (DATA, "enumerate(DataLoader)"),
    "optimiser": ("Optimizer.",),
    "convolution backward": ("convolution_backward", "ConvolutionBackward"),
    "convolution forward": ("conv",),
    "batch norm": ("batch_norm", "BatchNorm"),
}
REST = "elementwise and the rest"
Convolution = tuple[torch.Size, nn.Conv2d, bool]


def shares(step: Callable[[], object], device: str) -> dict[str, float]:
    """The share (0 to 1) of each part in the time of a step's operations; on a GPU of their kernels."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device == "cuda")
    with profile(activities=activities) as recorded:
        step()
    seconds = dict.fromkeys([*PARTS, REST], 0.0)
    for event in recorded.events():
        if event.device_type == DeviceType.CPU:
            own = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
            seconds[part_of(event)] += own
    total = sum(seconds.values())
    return {part: own / total for part, own in seconds.items()}


def part_of(event: FunctionEvent | None) -> str:
    """The part that an operation, or the outermost one that can be told around it, belongs to."""
    names = []
    while event is not None:
        names.insert(0, event.name)
        event = event.cpu_parent
    for name in names:
        for part, marks in PARTS.items():
            if any(mark in name for mark in marks):
                return part
    return REST


def marked(batch_of: Callable) -> Callable:
    """The same function of a stream, visible to the profiler."""

    def wrapped(step: int) -> object:
        with record_function(DATA):
            return batch_of(step)

    return wrapped


def convolutions_alone(model: nn.Module, images: torch.Tensor, dtype: torch.dtype, rounds: int = 3) -> float:
    """Seconds that the forward and backward passes of a model's convolutions take, each on its own shape.

    Inputs are channels last, as in our step; equal shapes are timed once and counted as often as they occur.
    """
    by_shape: dict[tuple, list] = {}
    for shape, layer, first in convolutions(model, images):
        key = (shape, layer.weight.shape, layer.stride, layer.padding, first)
        by_shape.setdefault(key, [0, (shape, layer, first)])[0] += 1
    return sum(count * alone(each, images.device, dtype, rounds) for count, each in by_shape.values())


def convolutions(model: nn.Module, images: torch.Tensor) -> list[Convolution]:
    """Input shape and layer of every convolution, and whether it is the first, which sends no gradient on."""
    seen: list[Convolution] = []

    def note(layer: nn.Conv2d, inputs: tuple[torch.Tensor], _: torch.Tensor) -> None:
        seen.append((inputs[0].shape, layer, not seen))

    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    return seen


def alone(convolution: Convolution, device: torch.device, dtype: torch.dtype, rounds: int) -> float:
    shape, layer, first = convolution
    layout = {"memory_format": torch.channels_last}
    x = torch.rand(shape, device=device, dtype=dtype).contiguous(**layout).requires_grad_(not first)
    weight = layer.weight.detach().to(dtype).contiguous(**layout).requires_grad_()
    wanted = [weight] if first else [x, weight]

    def once() -> float:
        start = perf_counter()
        # As the layer does it: plain convolutions of some shapes end the process on some processors.
        y = layer._conv_forward(x, weight, None)
        torch.autograd.grad(y, wanted, y.detach())
        if device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter() - start

    once()
    return median(once() for _ in range(rounds))
