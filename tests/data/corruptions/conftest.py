from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.stats import poisson

from lggkit.data.corruptions.catalog import TABLE
from lggkit.data.corruptions.draws import Draws
from lggkit.data.corruptions.frost import feathers
from lggkit.data.corruptions.rime import rime

BENCH = Path(__file__).resolve().parents[2] / "bench"

OPTIONS = {
    version: {
        "defocus_blur": {"whole": whole, "dtype": dtype, "kernel": kernel},
        "glass_blur": {"whole": whole, "dtype": dtype},
        **{name: {"carry": carry} for name in ("motion_blur", "snow")},
    }
    for version, whole, dtype, kernel, carry in (
        (1, 2e-4, torch.float32, "float64", 0.5),
        (2, 1e-9, torch.float64, "float32", 0.5 / 257),
    )
}


class SharedRandom:
    """The library's numbers for one image, in the form that the plain implementation asks for."""

    def __init__(self, name: str, severity: int, place: int, seed: int = 0) -> None:
        self.draws = Draws(seed, name, severity, torch.tensor([place]))

    def uniform(self, low, high, shape):
        return self.draws.uniform(*shape, low=low, high=high)[0].double().numpy()

    def normal(self, shape):
        return self.draws.normal(*shape)[0].double().numpy()

    def poisson(self, rates):
        words = self.draws.words(*rates.shape)[0].double().numpy() + 2.0**31
        return poisson.ppf((words + 0.5) / 2.0**32, rates)

    def integers(self, end, shape):
        return self.draws.integers(end, *shape)[0].numpy()

    def signs(self, shape):
        return self.draws.signs(*shape)[0].numpy()


@pytest.fixture(scope="session")
def plain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plain_corruptions", BENCH / "plain_corruptions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def one_by_one(plain):
    """``one_by_one(images, name, severity, offset=0, version=2)``: the plain way, image by image."""

    def run(
        images: torch.Tensor, name: str, severity: int, offset: int = 0, version: int = 2
    ) -> torch.Tensor:
        parameters, options = TABLE[name].parameters[severity - 1], OPTIONS[version].get(name, {})
        if name == "frost":
            levels = {1: feathers, 2: rime}[version](images.shape[1]).levels
            options = {"textures": torch.stack(levels).permute(0, 2, 3, 1).numpy()}
        rows = images.permute(0, 2, 3, 1).numpy()
        done = [
            getattr(plain, name)(row, SharedRandom(name, severity, offset + i), *parameters, **options)
            for i, row in enumerate(rows)
        ]
        return torch.from_numpy(np.stack(done)).permute(0, 3, 1, 2)

    return run


@pytest.fixture(scope="session")
def pictures():
    """``pictures(n, c, h, w)``: smooth random images with edges and all levels, uint8."""

    def make(n: int = 4, c: int = 3, h: int = 32, w: int = 32) -> torch.Tensor:
        generator = torch.Generator().manual_seed(n + h)
        coarse = torch.rand(n, c, 6, 6, generator=generator)
        smooth = torch.nn.functional.interpolate(coarse, (h, w), mode="bicubic")
        fine = 0.08 * torch.randn(n, c, h, w, generator=generator)
        edge = 0.4 * (torch.arange(w) > w // 2)
        return ((smooth * 1.4 - 0.4 + edge + fine).clamp(0, 1) * 255).round().to(torch.uint8)

    return make
