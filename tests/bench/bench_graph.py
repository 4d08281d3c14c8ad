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

CLASSES, K, POWER = 10, 5, 2
SMALLEST_RATIO = 1.5
TOLERANCE = 1e-3
ROUNDS = {
    (64, 512): 15,
    (128, 512): 15,
    (128, 16 * 32 * 32): 9,
    (256, 512): 9,
    (1024, 512): 3,
    (2048, 512): 1,
}
Loss = Callable[[Tensor, Tensor], Tensor]


def run() -> list[dict]:
    """One row a device, batch size and width: medians in seconds; ratio = reference / ours."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return [compare(device, *shape, rounds) for device in devices for shape, rounds in ROUNDS.items()]


def compare(device: str, n: int, width: int, rounds: int) -> dict:
    source = torch.Generator().manual_seed(n)
    x = torch.rand(n, width, generator=source).to(device).requires_grad_()
    labels = torch.randint(CLASSES, (n,), generator=source).to(device)
    ours, expected = (gradient(loss, x, labels) for loss in (library, straightforward))
    seconds = [[timed(loss, x, labels) for loss in (straightforward, library)] for _ in range(rounds)]
    reference_seconds, ours_seconds = (median(column) for column in zip(*seconds, strict=True))
    atol = TOLERANCE * expected.abs().max().item()
    return {
        "name": f"graph and label variation of {n} × {width}, forward and backward",
        "n": n,
        "width": width,
        "ours_seconds": ours_seconds,
        "reference_seconds": reference_seconds,
        "ratio": reference_seconds / ours_seconds,
        "equal": torch.allclose(ours, expected, rtol=TOLERANCE, atol=atol),
        "device": device_name(device),
    }


def device_name(device: str) -> str:
    threads = torch.get_num_threads()
    return torch.cuda.get_device_name() if device == "cuda" else f"cpu, {threads} thread{'s'[: threads > 1]}"


def library(x: Tensor, labels: Tensor) -> Tensor:
    return label_variation(latent_geometry_graph(x, K), labels, POWER, classes=CLASSES)


def straightforward(x: Tensor, labels: Tensor) -> Tensor:
    rows = F.normalize(x)
    similarity = rows @ rows.T
    mask = torch.zeros_like(similarity)
    for i in range(len(x)):
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
