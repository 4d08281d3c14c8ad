"""Pieces of ReLU networks against the usual ways: linear programs, loops over images, bits one by one.

The plane is cut into polygons by ours, and walked from cell to cell with a linear program for each unit by
the reference (Liu et al., 2023). Affine maps of images come from one backward pass an output and batch; the
reference takes one for every image and output, as the code of Sattelberg et al. (2023) does. Hamming
distances of patterns are one product of matrices; the reference is SciPy's `cdist`.
"""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import Tensor, nn
from usual import alternate, device_name, row, timed

from lggkit.regions import (
    Cells,
    Polyhedron,
    enumerate_cells,
    hamming,
    local_affine_maps,
    planar_partition,
    square,
)

WALKED, WIDE = (2, 10, 10, 1), (2, 25, 25, 25, 1)
CLASSIFIER, IMAGES = (784, 128, 10), 1000
PATTERNS, ALL, BITS = 1000, 10_000, 2500
SMALLEST = {"walk": 50.0, "maps": 20.0, "hamming": 20.0}
ROUNDS = 5
TOLERANCE = 1e-4


def run() -> list[dict]:
    """Rows of the plane, of affine maps and of Hamming distances; the largest have no reference."""
    return [walked(WALKED), wide(WIDE), maps(CLASSIFIER, IMAGES), bits(PATTERNS), all_bits(ALL)]


def network(sizes: tuple[int, ...]) -> nn.Sequential:
    """Random layers of these sizes by He's rule, a ReLU between two."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for fed, units in pairwise(sizes):
        layers += [nn.Linear(fed, units), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight)
    return nn.Sequential(*layers[:-1]).requires_grad_(False)


def walked(sizes: tuple[int, ...]) -> dict:
    cells, box = Cells(network(sizes), (2,)), Polyhedron.box(-1, 1, 2)
    start = torch.full((2,), 0.013, dtype=torch.float64)
    sides = [
        lambda: planar_partition(cells, square(1.0)),
        lambda: enumerate_cells(cells, start, box=box, method="lp").patterns,
    ]
    cut, stepped = (side() for side in sides)
    equal = {piece.pattern.tobytes() for piece in cut} == {p.numpy().tobytes() for p in map(bits_of, stepped)}
    ours, reference = alternate([lambda side=side: timed(side) for side in sides], 1)
    name = f"{len(cut)} pieces of the square by {'-'.join(map(str, sizes))}"
    return row(name, ours, reference, equal, "cpu", smallest_ratio=SMALLEST["walk"])


def bits_of(pattern: Tensor | np.ndarray) -> Tensor:
    return torch.as_tensor(pattern).bool()


def wide(sizes: tuple[int, ...]) -> dict:
    """Ours alone; the areas of the pieces must fill the square."""
    cells = Cells(network(sizes), (2,))
    pieces = planar_partition(cells, square(1.0))
    equal = abs(sum(piece.area for piece in pieces) - 4) < TOLERANCE
    name = f"{len(pieces)} pieces of the square by {'-'.join(map(str, sizes))}"
    return alone(name, min(timed(lambda: planar_partition(cells, square(1.0))) for _ in range(ROUNDS)), equal)


def maps(sizes: tuple[int, ...], count: int) -> dict:
    made, x = network(sizes), torch.randn(count, sizes[0], generator=torch.Generator().manual_seed(1))
    sides = [lambda: local_affine_maps(made, x)[0], lambda: one_by_one(made, x)]
    equal = torch.allclose(*(side() for side in sides), atol=TOLERANCE)
    ours, reference = alternate([lambda side=side: timed(side) for side in sides], ROUNDS)
    name = f"affine maps of {sizes[-1]} outputs at {count} images"
    return row(name, ours, reference, equal, "cpu", smallest_ratio=SMALLEST["maps"])


def one_by_one(made: nn.Module, x: Tensor) -> Tensor:
    """Slopes (images, outputs, entries), a backward pass for each image and output."""
    found = []
    for image in x.clone().requires_grad_():
        outputs = made(image[None])[0]
        found += [torch.autograd.grad(o, image, retain_graph=True)[0] for o in outputs]
    return torch.stack(found).view(len(x), -1, x.shape[1])


def patterns(count: int) -> Tensor:
    return torch.rand(count, BITS, generator=torch.Generator().manual_seed(2)) < 0.5


def bits(count: int) -> dict:
    drawn = patterns(count)
    sides = [lambda: hamming(drawn), lambda: by_scipy(drawn)]
    equal = torch.equal(*(side() for side in sides))
    ours, reference = alternate([lambda side=side: timed(side) for side in sides], ROUNDS)
    name = f"distances of {count:,} patterns of {BITS:,} bits"
    return row(name, ours, reference, equal, "cpu", smallest_ratio=SMALLEST["hamming"])


def by_scipy(drawn: Tensor) -> Tensor:
    held = drawn.numpy()
    return torch.from_numpy(np.rint(BITS * cdist(held, held, "hamming"))).int()


def all_bits(count: int) -> dict:
    """Ours alone; the first rows must be those of the bits compared one by one."""
    drawn = patterns(count)
    equal = torch.equal(hamming(drawn)[:2], (drawn[:2, None] != drawn[None]).sum(2).int())
    return alone(f"distances of {count:,} patterns of {BITS:,} bits", timed(lambda: hamming(drawn)), equal)


def alone(name: str, seconds: float, equal: bool) -> dict:
    return {
        **{"name": name, "ours_seconds": seconds, "reference_seconds": None, "ratio": None},
        **{"equal": equal, "device": device_name("cpu")},
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
