"""Images under known factors: real grey images, turned, scaled, shifted and coloured, on a full grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.data.checks import a_tensor, as_integer

FACTORS = ("orientation", "scale", "shift_x", "shift_y", "background", "object")
"""Degrees, ratio, shares of the side, and hues in [0, 1) of the ground and of the thing."""
NEUTRAL = {"orientation": 0.0, "scale": 1.0, "shift_x": 0.0, "shift_y": 0.0}
OPAQUE, SATURATION, GROUND = 0.25, 0.7, 0.55
"""Grey from which on the thing hides the ground, saturation of colours, brightness of the ground."""
PART = 2048


@dataclass(frozen=True, eq=False)
class FactorGrid:
    """One image of every combination of the values of its factors.

    ``images`` uint8 (n, 3, h, w), ``factors`` int64 (n, f) number the values, ``names`` name the factors,
    ``sizes`` say how many values each has; n is their product, the last factor runs first.
    """

    images: Tensor
    factors: Tensor
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        n = math.prod(self.sizes)
        if len(self.images) != n or self.factors.shape != (n, len(self.names)):
            raise ValueError(
                f"a grid of {' × '.join(map(str, self.sizes))} has {n} images, not {len(self.images)}: give "
                "one of every combination"
            )

    @classmethod
    def rendered(cls, base: Tensor, factors: Mapping[str, Sequence[float]], size: int = 64) -> FactorGrid:
        """The grid of base images under factors; ``shape``, which of them it is, is the first factor.

        A base image is turned, scaled and shifted in one bilinear resampling. Its grey is the brightness of
        the thing's colour, and up to a quarter of white also its opacity over the ground.

        Args:
            base: uint8 (b, 1, h, w).
            factors: values by the names of `FACTORS`, in order; what is left out keeps its neutral value.
                Without hues the thing is white and the ground black.
            size: side of the images.

        Raises:
            TypeError: ``base`` is no tensor.
            ValueError: it is no grey uint8, a factor is unknown, has no value or one out of range.
        """
        if a_tensor("base images", base).dtype != torch.uint8 or base.ndim != 4 or base.shape[1] != 1:
            raise ValueError(f"base images are {base.dtype} {tuple(base.shape)}: give uint8 (b, 1, h, w).")
        size, levels = as_integer("size", size, 1), {name: tuple(v) for name, v in factors.items()}
        _check(levels)
        sizes = (len(base), *map(len, levels.values()))
        places = torch.tensor(list(product(*map(range, sizes))), dtype=torch.int64)
        values = {name: torch.tensor(v)[places[:, i + 1]] for i, (name, v) in enumerate(levels.items())}
        images = [
            _drawn(base[places[part, 0]], {name: v[part] for name, v in values.items()}, size)
            for part in torch.arange(len(places)).split(PART)
        ]
        return cls(torch.cat(images), places, ("shape", *levels), sizes)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.factors[index]

    def index(self, factors: Tensor) -> Tensor:
        """The places (...) in the grid of numbers of values (..., f)."""
        strides = [math.prod(self.sizes[i + 1 :]) for i in range(len(self.sizes))]
        return (factors * torch.tensor(strides, device=factors.device)).sum(-1)


def _check(factors: Mapping[str, Sequence[float]]) -> None:
    for name, values in factors.items():
        if name not in FACTORS:
            raise ValueError(f"there is no factor {name!r}: choose of {', '.join(FACTORS)}.")
        if not values or not all(math.isfinite(v) for v in values):
            raise ValueError(f"{name} has the values {values}: give at least one finite number.")
        if name == "scale" and min(values) <= 0:
            raise ValueError(f"a scale is {min(values)}: give positive numbers.")


def _drawn(base: Tensor, values: Mapping[str, Tensor], size: int) -> Tensor:
    """Images uint8 (n, 3, size, size) of base images (n, 1, h, w) and the values (n,) of each."""
    grey = _moved(base.float() / 255, values, size)
    white = torch.ones(len(grey), 3)
    ground = _colour(values["background"]) * GROUND if "background" in values else torch.zeros(len(grey), 3)
    colour = _colour(values["object"]) if "object" in values else white
    cover = (grey / OPAQUE).clamp(max=1)
    image = cover * grey * colour[:, :, None, None] + (1 - cover) * ground[:, :, None, None]
    return (image * 255).round().clamp(0, 255).to(torch.uint8)


def _moved(grey: Tensor, values: Mapping[str, Tensor], size: int) -> Tensor:
    """Images turned counterclockwise, scaled, then shifted to the right and down, black outside."""
    angle, scale, right, down = (
        values.get(name, torch.full((len(grey),), neutral)) for name, neutral in NEUTRAL.items()
    )
    turn = angle.float().deg2rad()
    cos, sin = turn.cos() / scale, turn.sin() / scale
    x, y = 2 * right, 2 * down
    rows = [torch.stack((cos, -sin, sin * y - cos * x), 1), torch.stack((sin, cos, -sin * x - cos * y), 1)]
    places = F.affine_grid(torch.stack(rows, 1), [len(grey), 1, size, size], align_corners=False)
    return F.grid_sample(grey, places, align_corners=False)


def _colour(hue: Tensor) -> Tensor:
    """Red, green and blue (n, 3) of full brightness and one saturation, of hues (n,)."""
    phase = (hue.float()[:, None] * 6 + torch.tensor([5.0, 3.0, 1.0])) % 6
    return 1 - SATURATION * torch.minimum(phase, 4 - phase).clamp(0, 1)
