"""The grids of article 10's two settings, from garments or digits that a seed draws, or of 3D Shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lggkit.data import FactorGrid, load_shapes3d, to_float

TURNS = (-60.0, 60.0)
SCALES = (0.5, 0.95)
VALUES = {
    "five": {"orientation": 5, "scale": 4, "background": 5, "object": 5},
    "three": {"scale": 6, "orientation": 9, "object": 5},
    "many": {"orientation": 15, "scale": 8, "background": 10, "object": 10},
}
"""How many values each factor has; ``shape`` is a factor beside them where there is more than one image.
``many`` has as many as the article's five: 24,000 images."""
SHAPES3D = {
    "five": {"floor_hue": (0,), "shape": (0, 1)},
    "many": {"floor_hue": (0,), "shape": (0, 1)},
    "three": {"floor_hue": (0,), "wall_hue": (0,), "shape": (0,), "scale": tuple(range(6))},
}
HELD = 5
"""One image of so many is held out."""


@dataclass(frozen=True)
class Grid:
    """Images in [0, 1] (n, 3, h, w) with the numbers of their factors (n, f), those that vary alone."""

    whole: FactorGrid
    images: Tensor
    factors: Tensor
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    train: Tensor
    test: Tensor


def grid_of(settings: Any, seed: int, context: Any) -> Grid:
    """The grid of a setting, with garments and a split that depend on the seed alone."""
    source = torch.Generator().manual_seed(seed)
    if settings.dataset == "3dshapes":
        whole = load_shapes3d(SHAPES3D[settings.setting])
    else:
        data = context.data(settings.dataset)
        classes = settings.classes[:1] if settings.setting == "three" else settings.classes
        base = data.per_class(1, source, classes).images.cpu()
        whole = FactorGrid.rendered(base, _values(settings.setting), settings.size)
    varied = [i for i, size in enumerate(whole.sizes) if size > 1]
    order = torch.randperm(len(whole), generator=source)
    tested = len(whole) // HELD
    return Grid(
        whole=whole,
        images=to_float(whole.images),
        factors=whole.factors[:, varied],
        names=tuple(whole.names[i] for i in varied),
        sizes=tuple(whole.sizes[i] for i in varied),
        train=order[tested:],
        test=order[:tested],
    )


def _values(setting: str) -> dict[str, tuple[float, ...]]:
    ends = {"orientation": TURNS, "scale": SCALES}
    return {
        name: tuple(torch.linspace(*ends[name], n).tolist() if name in ends else [i / n for i in range(n)])
        for name, n in VALUES[setting].items()
    }


def partners(grid: Grid, count: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """Places of pairs of images that differ in every factor, (count,) each."""
    one = torch.randint(len(grid.images), (count,), generator=source)
    sizes = torch.tensor(grid.sizes)
    shift = 1 + (torch.rand(count, len(sizes), generator=source) * (sizes - 1)).long()
    strides = torch.tensor([grid.whole.index(row) for row in _unit_steps(grid)])
    return one, (((grid.factors[one] + shift) % sizes) * strides).sum(1)


def _unit_steps(grid: Grid) -> Tensor:
    varied = [i for i, size in enumerate(grid.whole.sizes) if size > 1]
    return torch.eye(len(grid.whole.sizes), dtype=torch.int64)[varied]
