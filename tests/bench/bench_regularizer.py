"""The label variation regulariser, alone and in a training step, against the straightforward way to write it.

Straightforward: what the authors' code does, depth by depth. It normalises rows, multiplies, clears the
diagonal, forms D - A, takes its matrix power and multiplies with one-hot labels from both sides. The maps are
the 17 behind the ReLUs of PreActResNet-18, at its full width; both sides end with the maps' gradients. A
training step is one of a network that is narrower on a CPU, without the regulariser, with ours, and with the
straightforward one in the same loop.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor
from usual import Engine, alternate, device_name, devices, fixed, pictures, row, wait

from lggkit.latents import latents
from lggkit.networks import build, with_normalization
from lggkit.objectives import variation_smoothness
from lggkit.training import Stream, choose_path
from lggkit.training.begin import begin
from lggkit.training.run import Run
from lggkit.training.task import Options

BATCH, CLASSES, WIDTH, POWERS = 100, 10, 64, (1, 2, 3)
POWER, WEIGHT = 2, 1e-4  # of the authors' code
STEP_WIDTH, STEPS = {"cpu": 8, "cuda": 64}, {"cpu": 2, "cuda": 50}
ROUNDS, STEP_ROUNDS = 5, 7
SMALLEST = {"cpu": 1.4, "cuda": 1.0}
MEAN, STD = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}
Loss = Callable[..., Tensor]


def run() -> list[dict]:
    """One row a device and power, two of a training step; ratio = reference / ours, of medians."""
    return [line for device in devices() for line in (*alone(device), *in_a_step(device))]


def alone(device: str) -> list[dict]:
    depths = maps(device)
    labels = torch.arange(BATCH, device=device) % CLASSES
    return [compare(power, depths, labels, device) for power in POWERS]


def maps(device: str) -> list[Tensor]:
    """As behind the ReLUs."""
    with torch.device("meta"):
        network = build("preact_resnet18", width=WIDTH)
        shapes = [
            x.shape[1:] for x in latents(network, torch.empty(2, 3, 32, 32), network.relu_depths).values()
        ]
    source = torch.Generator().manual_seed(0)
    return [
        torch.randn(BATCH, *shape, generator=source).relu_().to(device).requires_grad_() for shape in shapes
    ]


def compare(power: int, depths: list[Tensor], labels: Tensor, device: str) -> dict:
    sides = [partial(ours, depths, labels, power), partial(straightforward, depths, labels, power)]
    equal = same(*(measured(side, depths) for side in sides))
    seconds = alternate([partial(timed, side, depths, device) for side in sides], ROUNDS)
    name = f"eq. 8 with m = {power}, {len(depths)} maps of PreActResNet-18, batch {len(labels)}"
    return row(name, *seconds, equal, device, n=len(labels), power=power, smallest_ratio=SMALLEST[device])


def ours(depths: list[Tensor], labels: Tensor, power: int) -> Tensor:
    return variation_smoothness(depths, labels, power=power, classes=CLASSES)


def straightforward(depths: list[Tensor], labels: Tensor, power: int) -> Tensor:
    variations = [usual_variation(x, labels, power) for x in depths]
    steps = [(b - a).abs() for a, b in pairwise(variations)]
    return sum(steps) / len(steps)


def usual_variation(x: Tensor, labels: Tensor, power: int) -> Tensor:
    rows = F.normalize(x.flatten(1).float())
    adjacency = rows @ rows.T
    adjacency = adjacency * (1 - torch.eye(len(x), device=x.device))
    laplacian = torch.diag(adjacency.sum(1)) - adjacency
    v = F.one_hot(labels, CLASSES).float()
    return torch.trace(v.T @ torch.linalg.matrix_power(laplacian, power) @ v)


def measured(loss: Loss, depths: list[Tensor]) -> list[Tensor]:
    """The value and the gradients."""
    value = loss()
    return [value.detach(), *torch.autograd.grad(value, depths)]


def timed(loss: Loss, depths: list[Tensor], device: str) -> float:
    wait(device)
    start = perf_counter()
    measured(loss, depths)
    wait(device)
    return perf_counter() - start


def same(values: list[Tensor], expected: list[Tensor], tolerance: float = 1e-3) -> bool:
    return all(
        torch.allclose(a, b, rtol=tolerance, atol=tolerance * b.abs().max().item())
        for a, b in zip(values, expected, strict=True)
    )


def in_a_step(device: str) -> list[dict]:
    """A step with either regulariser, and the same step without."""
    images = pictures(BATCH * STEPS[device])
    with ExitStack() as stack:
        sides = [Step(loss, images, device, stack) for loss in (ours, straightforward, None)]
        # In the first epoch, which is not timed, all see the same batches from the same weights.
        losses = [side.epoch() and side.losses[0] for side in sides]
        with_ours, usual, without = alternate([side.epoch for side in sides], STEP_ROUNDS)
    tolerance = TOLERANCE[sides[0].precision]
    equal = math.isclose(losses[0], losses[1], rel_tol=tolerance)
    share = with_ours / without - 1
    network = f"PreActResNet-18 of width {STEP_WIDTH[device]}, batch {BATCH}, {sides[0].path}"
    name = f"{network}: a training step with eq. 8, which adds {100 * share:.0f} %"
    plain = {"name": "the same step without eq. 8", "ours_seconds": without, "device": device_name(device)}
    plain |= {"reference_seconds": None, "ratio": None, "equal": True}
    return [row(name, with_ours, usual, equal, device, share=share), plain]


class Step(Engine):
    """The library's training with a regulariser, or with None, an epoch at a time."""

    def __init__(self, regularizer: Loss | None, images, device: str, stack: ExitStack) -> None:
        config = fixed(device, epochs=STEP_ROUNDS + 1, batch_size=BATCH, augment=False, compile=False)
        path = choose_path(config, device, len(images))
        network = build("preact_resnet18", seed=0, width=STEP_WIDTH[device])
        model = with_normalization(network, MEAN, STD)
        model.to(device=path.device, memory_format=torch.channels_last)
        options = Options(taps=list(model.relu_depths) if regularizer else ())
        objective = partial(regularized, regularizer) if regularizer else None
        stream, self.device = Stream(images.to(path.device), config, 0), device
        self.runs = [Run(model, stream, config, path, options, objective)]
        if self.runs[0].taps is not None:
            stack.enter_context(self.runs[0].taps)
        begin(self.runs)


def regularized(regularizer: Loss, latents: dict[str, Tensor], logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels) + WEIGHT * regularizer(list(latents.values()), labels, POWER)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
