"""Graph and label variation of a batch, forward and backward, against the straightforward way to write them.

Straightforward: rows normalised, neighbours chosen row by row, diagonal matrices multiplied, the Laplacian
and its power formed, a one-hot product. Both begin with the same latents and end with their gradient. Two
families: batches of growing size n, until the straightforward way is too slow or too large (then ours alone
goes on, compared with the library's graph in blocks), and a growing number of maps of one network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
import torch.nn.functional as F
from torch import Tensor
from usual import device_name, devices, wait

from lggkit.graph import knn_graph, label_variation, latent_geometry_graph
from lggkit.latents import Taps
from lggkit.networks import build

CLASSES, K, POWER = 10, 5, 2
SMALLEST_RATIO = 1.5
TOLERANCE = 1e-3
SHAPES = [(64 << i, 512) for i in range(9)] + [(128, 16 * 32 * 32)]
NETWORK, DEPTHS, BATCH = "preact_resnet18", (1, 2, 4, 8, 17), 128
MOST_ROUNDS, SECONDS, PATIENCE = 15, 8.0, 40.0
MATRICES = {"ours": 14, "reference": 20}
ROOF = {"cpu": (64 << 20, 2048), "cuda": (256 << 20, 8192)}
Loss = Callable[[Tensor, Tensor], Tensor]


def run() -> list[dict]:
    """A row for each size and each number of maps, and what the device was measured to move and to do."""
    return [line for device in devices() for line in (*roof(device), *growth(device), *depths(device))]


def growth(device: str, shapes: Sequence[tuple[int, int]] = tuple(SHAPES)) -> list[dict]:
    """Batches of random latents; the straightforward way takes part while it is expected to end in time."""
    rows, last = [], None
    for n, width in shapes:
        if not fits(n, "ours", device):
            continue
        expected = 0.0 if last is None else last["reference_seconds"] * (n / last["n"]) ** 3
        alone = expected > PATIENCE or not fits(n, "reference", device)
        name = f"graph and label variation of {n:,} × {width:,}"
        rows.append(compare(name, [latents(n, width, device)], device, alone) | {"n": n, "width": width})
        last = last if alone else rows[-1]
    return rows


def depths(device: str, counts: Sequence[int] = DEPTHS, batch: int = BATCH) -> list[dict]:
    """The first maps of a network behind its ReLUs, as random latents of their sizes."""
    maps = [latents(batch, width, device) for width in widths()]
    about = {"n": batch, "network": NETWORK}
    name = f"graph and label variation of the first {{}} of {len(maps)} maps of {NETWORK}, batch {batch}"
    return [
        compare(name.format(count), maps[:count], device, False) | about | {"depths": count}
        for count in counts
    ]


def widths() -> list[int]:
    """Features of each of the 17 maps, for an image of 32×32."""
    with torch.device("meta"):
        model = build(NETWORK)
        with Taps(model, list(model.relu_depths)) as taps:
            model(torch.empty(1, 3, 32, 32))
    return [taps_map.numel() for taps_map in taps.latents.values()]


def latents(n: int, width: int, device: str) -> Tensor:
    source = torch.Generator().manual_seed(n)
    return torch.rand(n, width, generator=source).to(device).requires_grad_()


def compare(name: str, maps: list[Tensor], device: str, alone: bool) -> dict:
    n = len(maps[0])
    labels = torch.randint(CLASSES, (n,), generator=torch.Generator().manual_seed(n)).to(device)
    sides = [library] if alone else [library, straightforward]
    first, gradients = zip(*(timed(side, maps, labels) for side in sides), strict=True)
    rounds = min(MOST_ROUNDS, int(SECONDS / sum(first)))
    seconds = [[timed(side, maps, labels)[0] for side in sides] for _ in range(rounds)] or [first]
    ours, *reference = (median(column) for column in zip(*seconds, strict=True))
    equal = same_value(maps[0], labels) if alone else all(map(close, *gradients))
    return {
        "name": name,
        "ours_seconds": ours,
        "reference_seconds": reference[0] if reference else None,
        "ratio": reference[0] / ours if reference else None,
        "equal": equal,
        "device": device_name(device),
        **least_work(maps),
    }


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


def in_blocks(x: Tensor, labels: Tensor) -> Tensor:
    """The same value (power 2) by the edges of `knn_graph`: ‖L V‖², an edge at a time."""
    graph, one_hot = knn_graph(x, K), F.one_hot(labels, CLASSES).to(x.dtype)
    row, column = graph.indices
    moved = torch.zeros_like(one_hot).index_add_(0, row, graph.weights.unsqueeze(1) * one_hot[column])
    return (graph.degree().unsqueeze(1) * one_hot - moved).square().sum()


def timed(loss: Loss, maps: list[Tensor], labels: Tensor) -> tuple[float, list[Tensor]]:
    """Seconds from the maps to their gradients, and the gradients."""
    wait(maps[0].device.type)
    start = perf_counter()
    gradients = torch.autograd.grad(sum(loss(x, labels) for x in maps), maps)
    wait(maps[0].device.type)
    return perf_counter() - start, list(gradients)


def close(ours: Tensor, expected: Tensor) -> bool:
    atol = TOLERANCE * expected.abs().max().item()
    return torch.allclose(ours, expected, rtol=TOLERANCE, atol=atol)


def same_value(x: Tensor, labels: Tensor) -> bool:
    with torch.no_grad():
        return torch.allclose(library(x, labels), in_blocks(x, labels), rtol=TOLERANCE)


def least_work(maps: list[Tensor]) -> dict[str, int]:
    """Floating-point operations and bytes that the algorithm cannot do without, forward and backward.

    Operations: X Xᵀ (2n²d) and its gradient times X (2n²d), the Laplacian times the indicators (2n²c) and the
    gradient of that (2n²c). Bytes: X is read twice and its gradient written; similarities, adjacency and
    their gradients, n² float32 each, are written once and read once, and so is the mask, a byte an entry.
    """
    sizes = [(len(x), x[0].numel()) for x in maps]
    flops = sum(4 * n * n * d + 4 * n * n * CLASSES for n, d in sizes)
    return {"flops": flops, "bytes": sum(12 * n * d + 32 * n * n + 2 * n * n for n, d in sizes)}


def roof(device: str, sizes: tuple[int, int] | None = None, rounds: int = 5) -> list[dict]:
    """What the device moves (a + 2b into c, large tensors) and does (a large matrix product), float32."""
    count, n = sizes or ROOF[device]
    a, b, c = (torch.rand(count, device=device) for _ in range(3))
    moved = best(lambda: torch.add(a, b, alpha=2, out=c), device, rounds)
    x = torch.rand(n, n, device=device)
    done = best(lambda: x @ x, device, rounds)
    about = {"kind": "roof", "device": device_name(device)}
    size = f"{4 * count / 2**20:,.0f} MiB"
    return [
        about | {"name": f"a triad of tensors of {size} each", "rate": 12 * count / moved, "unit": "B/s"},
        about | {"name": f"a product of {n:,} × {n:,} matrices", "rate": 2 * n**3 / done, "unit": "FLOP/s"},
    ]


def best(work: Callable[[], object], device: str, rounds: int) -> float:
    """The least seconds of several, for a roof is what can be reached."""
    seconds = []
    for _ in range(rounds + 1):
        wait(device)
        start = perf_counter()
        work()
        wait(device)
        seconds.append(perf_counter() - start)
    return min(seconds[1:])


def fits(n: int, side: str, device: str) -> bool:
    """Whether a side's arrays of n² float32 are sure to find room."""
    return MATRICES[side] * 4 * n * n < free_bytes(device)


def free_bytes(device: str) -> float:
    if device == "cuda":
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info()[0]
    info = Path("/proc/meminfo")
    if not info.exists():
        return 8 * 2**30
    return 1024 * int(info.read_text().split("MemAvailable:")[1].split()[0])


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
