"""Graph and label variation of a batch, forward and backward, against the straightforward way to write them.

Straightforward: rows normalised, neighbours chosen row by row, diagonal matrices multiplied, the Laplacian
and its power formed, a one-hot product. Both begin with the same latents and end with their gradient.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.graph import label_variation, latent_geometry_graph

N, CLASSES, K, POWER = 128, 10, 5, 2
SMALLEST_RATIO = 2.0
WIDTHS = (512, 16 * 32 * 32)
Loss = Callable[[Tensor, Tensor], Tensor]


def run() -> list[dict]:
    """One row a device and width: medians in seconds, forward and backward; ratio = reference / ours."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return [compare(device, width) for device in devices for width in WIDTHS]


def compare(device: str, width: int, rounds: int = 15) -> dict:
    x = torch.rand(N, width, device=device, requires_grad=True)
    labels = torch.randint(CLASSES, (N,), device=device)
    ours, expected = gradient(library, x, labels), gradient(straightforward, x, labels)
    seconds = [[timed(loss, x, labels) for loss in (straightforward, library)] for _ in range(rounds)]
    reference_seconds, ours_seconds = (median(column) for column in zip(*seconds, strict=True))
    return {
        "name": f"graph and label variation of {N} x {width}, forward and backward",
        "ours_seconds": ours_seconds,
        "reference_seconds": reference_seconds,
        "ratio": reference_seconds / ours_seconds,
        "equal": torch.allclose(ours, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item()),
        "device": torch.cuda.get_device_name()
        if device == "cuda"
        else f"cpu, {torch.get_num_threads()} threads",
    }


def library(x: Tensor, labels: Tensor) -> Tensor:
    return label_variation(latent_geometry_graph(x, K), labels, POWER, classes=CLASSES)


def straightforward(x: Tensor, labels: Tensor) -> Tensor:
    rows = F.normalize(x)
    similarity = rows @ rows.T
    mask = torch.zeros_like(similarity)
    for i in range(N):
        order = similarity[i].argsort(descending=True)
        mask[i, order[order != i][:K]] = 1
    weights = similarity * torch.maximum(mask, mask.T)
    scale = torch.diag(weights.sum(1) ** -0.5)
    weights = scale @ weights @ scale
    laplacian = torch.diag(weights.sum(1)) - weights
    one_hot = F.one_hot(labels, CLASSES).to(x.dtype)
    return torch.trace(one_hot.T @ torch.linalg.matrix_power(laplacian, POWER) @ one_hot)


def gradient(loss: Loss, x: Tensor, labels: Tensor) -> Tensor:
    return torch.autograd.grad(loss(x, labels), x)[0]


def timed(loss: Loss, x: Tensor, labels: Tensor) -> float:
    synchronize = torch.cuda.synchronize if x.is_cuda else lambda: None
    synchronize()
    start = perf_counter()
    gradient(loss, x, labels)
    synchronize()
    return perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
