"""What a network errs on when its images are attacked, and when they are only perturbed (article 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation import gaussian_noise, misled, pgd
from lggkit.evaluation.gradients import unwarned

NOISE_SEED = 60_601


@dataclass(frozen=True)
class Harms:
    """The first ``attacked`` test images: PGD at each of ``levels`` / 255, random signs of its sizes, noise.

    A descent has ``steps`` steps of 2.5 ε / steps. Noise is normal, of each standard deviation ``noises`` in
    percent of the range.
    """

    attacked: int = 1_000
    levels: tuple[int, ...] = (1, 2)
    noises: tuple[int, ...] = (5, 10)
    steps: int = 10

    def metrics(self, model: nn.Module, test: DataSet) -> dict[str, Any]:
        """Errors in percent on the first images: clean, attacked and perturbed."""
        some = test.first(self.attacked)
        x, y = to_float(some.images).contiguous(memory_format=torch.channels_last), some.labels
        errors = {"error_clean": _percent(misled(model, x, y))}
        with unwarned():
            for level in self.levels:
                size = level / 255
                moved = pgd(model, x, y, epsilon=size, step=2.5 * size / self.steps, steps=self.steps)
                errors[f"error_pgd_{level}"] = _percent(misled(model, moved, y))
                errors[f"error_signs_{level}"] = _percent(misled(model, _signs(x, size), y))
        for percent in self.noises:
            noisy = gaussian_noise(x, percent / 100, torch.Generator().manual_seed(NOISE_SEED))
            errors[f"error_noise_{percent}"] = _percent(misled(model, noisy, y))
        return errors


def _signs(x: Tensor, size: float) -> Tensor:
    """White noise of the attack's size: every entry moved by ±size at random."""
    source = torch.Generator().manual_seed(NOISE_SEED)
    signs = torch.randint(0, 2, x.shape, generator=source) * 2 - 1
    return (x + size * signs.to(x)).clamp(0, 1)


def _percent(wrong: Tensor) -> float:
    return 100 * float(wrong.double().mean())
