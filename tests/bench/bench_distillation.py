"""Distillation losses, forward and backward, against the straightforward way to write them.

Straightforward: what their authors' code does, layer by layer. GKD normalises rows, multiplies, clears the
diagonal and multiplies with diagonal matrices; RKD-D takes roots of squared norms minus products; RKD-A forms
all n × n × d differences. Both sides begin with the same latents and end with the student's gradients.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from usual import alternate, devices, row, wait

from lggkit.objectives import gkd, rkd_angle, rkd_distance

BATCH = 128
TOLERANCE = 1e-3
TEACHER = ((16, 32, 32), (32, 16, 16), (64,))  # WRN28-1, as section 4.1 taps it
STUDENT = ((8, 32, 32), (16, 16, 16), (32,))  # WRN28-0.5
Layers = list[Tensor]
Shapes = tuple[tuple[int, ...], ...]
Loss = Callable[[Layers, Layers], Tensor]


class Case(NamedTuple):
    """A loss, how it is usually written, the shapes of a sample's latents, and what the ratio must reach."""

    name: str
    library: Loss
    straightforward: Loss
    student: Shapes
    teacher: Shapes
    smallest_ratio: float
    rounds: int


def run() -> list[dict]:
    """One row a device and loss: medians in seconds; ratio = reference / ours."""
    return [compare(case, device) for device in devices() for case in CASES]


def compare(case: Case, device: str, batch: int = BATCH) -> dict:
    sides = (case.library, case.straightforward)
    student, teacher = latents(batch, case.student, 0, device), latents(batch, case.teacher, 1, device)
    for x in student:
        x.requires_grad_()
    equal = same(*(measured(side, student, teacher) for side in sides))
    seconds = alternate([partial(timed, side, student, teacher) for side in sides], case.rounds)
    more = {"n": batch, "smallest_ratio": case.smallest_ratio}
    return row(case.name.format(batch), *seconds, equal, device, **more)


def latents(batch: int, shapes: Shapes, seed: int, device: str) -> Layers:
    """As behind ReLUs."""
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, *shape, generator=source).relu().to(device) for shape in shapes]


def measured(loss: Loss, student: Layers, teacher: Layers) -> Layers:
    """The value and the gradients."""
    value = loss(student, teacher)
    return [value.detach(), *torch.autograd.grad(value, student)]


def timed(loss: Loss, student: Layers, teacher: Layers) -> float:
    wait(student[0].device.type)
    start = perf_counter()
    measured(loss, student, teacher)
    wait(student[0].device.type)
    return perf_counter() - start


def same(ours: Layers, expected: Layers) -> bool:
    return all(
        torch.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * b.abs().max().item())
        for a, b in zip(ours, expected, strict=True)
    )


def usual_gkd(student: Layers, teacher: Layers) -> Tensor:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        total = total + ((usual_graph(t) - usual_graph(s)) ** 2).sum()
    return total / len(student)


def usual_graph(x: Tensor) -> Tensor:
    rows = F.normalize(x.flatten(1))
    similarity = rows @ rows.T
    similarity = similarity * (1 - torch.eye(len(x), device=x.device))
    scale = torch.diag(similarity.sum(1) ** -0.5)
    return scale @ (similarity @ scale)


def usual_rkd_distance(student: Layers, teacher: Layers) -> Tensor:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        total = total + F.smooth_l1_loss(usual_distances(s), usual_distances(t))
    return total / len(student)


def usual_distances(x: Tensor) -> Tensor:
    x = x.flatten(1)
    square = x.pow(2).sum(1)
    distance = (square.unsqueeze(0) + square.unsqueeze(1) - 2 * (x @ x.T)).clamp(min=1e-12).sqrt()
    distance = distance * (1 - torch.eye(len(x), device=x.device))
    return distance / distance[distance > 0].mean()


def usual_rkd_angle(student: Layers, teacher: Layers) -> Tensor:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        total = total + F.smooth_l1_loss(usual_cosines(s), usual_cosines(t))
    return total / len(student)


def usual_cosines(x: Tensor) -> Tensor:
    unit = F.normalize(x.unsqueeze(0) - x.unsqueeze(1), dim=2)
    return torch.bmm(unit, unit.transpose(1, 2))


CASES = (
    Case("GKD, WRN28-1 to WRN28-0.5, batch {}", gkd, usual_gkd, STUDENT, TEACHER, 1.35, 15),
    Case(
        "RKD-D, WRN28-1 to WRN28-0.5, batch {}", rkd_distance, usual_rkd_distance, STUDENT, TEACHER, 1.1, 25
    ),
    Case("RKD-A, {} × 512", rkd_angle, usual_rkd_angle, ((512,),), ((512,),), 10.0, 5),
)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
