"""What is tried on a network whose robustness is in question: attacks, noise, dropped and rounded maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation import (
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    moved_along,
    pgd,
    strong,
    vanished_gradients,
)
from lggkit.evaluation.accuracy import model_error
from lggkit.evaluation.gradients import unwarned
from lggkit.evaluation.perturbations import gaussian_noise, noise_at, quantized, with_dropout
from lggkit.protocol import Part

NOISE_SEED = 43_000
SNR = 33.0
NOISE, DROPOUTS, BITS = 0.1, (25, 40), 5


@dataclass(frozen=True)
class RobustnessSuite(Part):
    """How a network's robustness to attacks and perturbations is measured.

    The first ``attacked_images`` test images are attacked and perturbed, the first ``strong_images`` by the
    strong ensemble and by DeepFool; None is all. ``pgd_steps``, ``strong_steps``, ``restarts`` and
    ``deepfool_steps`` are the attacks' own (see `lggkit.evaluation`), ``levels`` signal-to-noise
    ratios in dB.

    ``attack_version`` is 2 where the ensemble has targeted descents and 1 where it has none. Records that do
    not state it are of version 1, and their FGSM and PGD followed the gradient of the cross-entropy itself,
    which float32 rounds to 0 where a network is very sure of an image; elsewhere its sign is the same.
    """

    attacked_images: int | None = None
    strong_images: int | None = 1000
    pgd_steps: int = 20
    strong_steps: int = 40
    restarts: int = 5
    deepfool_steps: int = 50
    levels: tuple[float, ...] = (10.0, 15.0, 20.0, 25.0, 30.0, 33.0, 36.0, 40.0, 45.0, 50.0)
    attack_version: int = 1

    @property
    def ensemble(self) -> dict[str, Any]:
        """The options of `lggkit.evaluation.strong`."""
        targeted = self.attack_version > 1
        return {"restarts": self.restarts, "steps": self.strong_steps, "targeted": targeted}

    def images(self, test: DataSet) -> tuple[Tensor, Tensor]:
        """The attacked images (n, c, h, w), floats in [0, 1], and their labels."""
        some = test.first(self.attacked_images)
        return to_float(some.images), some.labels

    def directions(self, model: nn.Module, test: DataSet) -> Tensor:
        """Where FGSM moves these images, see `lggkit.evaluation.fgsm_direction`."""
        with unwarned():
            return fgsm_direction(model, *self.images(test))

    def metrics(self, model: nn.Module, test: DataSet, direction: Tensor) -> dict[str, Any]:
        """Errors in percent on clean, attacked and perturbed images, by the names of the paper's tables.

        DeepFool's median distance is left out where it misled the network on less than half of the images.
        ``vanished_gradients`` is the percentage that attacks by gradients could not move, of which they do
        not warn here.

        Args:
            model: its input normalisation inside, as `lggkit.networks.with_normalization` puts it.
            direction: `directions` of it.
        """
        x, y = self.images(test)
        few = x[: self.strong_images], y[: self.strong_images]
        with unwarned():
            errors = _attacked(model, x, y, direction, self.pgd_steps) | _perturbed(model, x, y)
            errors["strong"] = _percent(strong(model, *few, **self.ensemble))
            distance = float(deepfool(model, *few, steps=self.deepfool_steps).median())
        return {
            "test_error": model_error(model, test),
            **{f"error_{name}": error for name, error in errors.items()},
            **({"deepfool_l2": distance} if math.isfinite(distance) else {}),
            "vanished_gradients": _percent(vanished_gradients(model, x, y)),
            **_by_level(model, x, y, direction, self.levels),
        }

    def transferred(self, model: nn.Module, test: DataSet, direction: Tensor) -> float:
        """Error in percent on FGSM images of another network, whose `directions` are given."""
        x, y = self.images(test)
        return _percent(misled(model, moved_along(x, direction, SNR), y))


def _attacked(model: nn.Module, x: Tensor, y: Tensor, direction: Tensor, steps: int) -> dict[str, float]:
    behind = model.normalization(x)
    after = misled(model.model, fgsm(model.model, behind, y, SNR, bounds=None), y)
    return {
        "fgsm_before": _percent(misled(model, moved_along(x, direction, SNR), y)),
        "fgsm_after": _percent(after),
        "pgd": _percent(misled(model, pgd(model, x, y, steps=steps), y)),
    }


def _perturbed(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    blocks = [name for name in model.depths if name.startswith("block")]
    errors = {"gaussian": _percent(misled(model, gaussian_noise(x, NOISE, _noise()), y))}
    for percent in DROPOUTS:
        with with_dropout(model, percent / 100, blocks, NOISE_SEED):
            errors[f"dropout{percent}"] = _percent(misled(model, x, y))
    with quantized(model, BITS):
        errors[f"{BITS}bit"] = _percent(misled(model, x, y))
    return errors


def _by_level(
    model: nn.Module, x: Tensor, y: Tensor, direction: Tensor, levels: Sequence[float]
) -> dict[str, list[float]]:
    """Accuracies in percent at each signal-to-noise ratio, of FGSM and of Gaussian noise."""
    attacked = (misled(model, moved_along(x, direction, level), y) for level in levels)
    noisy = (misled(model, noise_at(x, level, _noise()), y) for level in levels)
    return {
        "snr_levels": list(levels),
        "accuracy_fgsm_by_snr": [100 - _percent(wrong) for wrong in attacked],
        "accuracy_noise_by_snr": [100 - _percent(wrong) for wrong in noisy],
    }


def _noise() -> torch.Generator:
    """The same noise for every network."""
    return torch.Generator().manual_seed(NOISE_SEED)


def _percent(wrong: Tensor) -> float:
    return 100 * float(wrong.double().mean())
