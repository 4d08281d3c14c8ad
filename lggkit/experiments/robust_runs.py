"""What is measured on networks that were trained to be robust, beside others of the same seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES
from lggkit.evaluation import model_error, predict
from lggkit.evaluation.attacks import (
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    moved_along,
    pgd,
    strong,
    vanished_gradients,
)
from lggkit.evaluation.gradients import unwarned
from lggkit.evaluation.perturbations import gaussian_noise, noise_at, quantized, with_dropout
from lggkit.experiments.base import Context, how_trained
from lggkit.experiments.corruption_runs import first_images, published, robustness_metrics, robustness_tables
from lggkit.experiments.deformation_runs import Images, geometry_metrics
from lggkit.record import Protocol, Record, Spec

NOISE_SEED = 43_000
SNR = 33.0
NOISE, DROPOUTS, BITS = 0.1, (25, 40), 5


@dataclass(frozen=True)
class RobustnessSettings(Protocol):
    """How a network's robustness is measured.

    The first ``attacked_images`` test images are attacked and perturbed, the first ``strong_images`` by the
    strong ensemble and by DeepFool, the first ``corruption_images`` corrupted by ``corruption_version`` of
    `lggkit.data.corruptions.corrupt`; None is all.
    ``pgd_steps``, ``strong_steps``, ``restarts`` and ``deepfool_steps`` are the attacks' own (see
    `lggkit.evaluation.attacks`), ``levels`` signal-to-noise ratios in dB. Label variation is measured over
    the first ``batches`` batches of ``graph_size`` test images. Attacks are transferred from the networks
    of ``transfer_sources``, arms of the same seed.

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
    batches: int = 20
    graph_size: int = 100
    corruption_images: int | None = None
    corruptions: tuple[str, ...] = CORRUPTIONS
    severities: tuple[int, ...] = SEVERITIES
    corruption_version: int = 1
    transfer_sources: tuple[str, ...] = ("vanilla",)
    attack_version: int = 1


def robust_records(
    specs: Sequence[Spec],
    other_arm: Callable[[Spec, str], Spec],
    context: Context,
    build: Callable[[Spec], nn.Module],
) -> Iterator[Record]:
    """A record for each spec of one section and scale.

    Means over a reference are over the arm ``vanilla`` of the same seed, and left out where it diverged.

    Args:
        other_arm: gives the run of another arm with a spec's scale and seed.
        build: gives the untrained network of a spec.
    """
    others = [other_arm(spec, arm) for spec in specs for arm in ("vanilla", *spec.protocol.transfer_sources)]
    everyone = list(dict.fromkeys([*specs, *others]))
    results = dict(zip(everyone, context.trainings(everyone), strict=True))
    sound = {spec: result.model for spec, result in results.items() if result.diverged is None}
    begun, compared = time.monotonic(), {*specs, *(other_arm(spec, "vanilla") for spec in specs)}
    answers = {spec: partial(predict, model) for spec, model in sound.items() if spec in compared}
    tables = robustness_tables(answers, context)
    shared = (time.monotonic() - begun) / max(len(specs), 1)
    direction = cache(lambda spec: fgsm_direction(sound[spec], *_attacked_images(spec, context)))
    for spec in specs:
        begun, result, metrics = time.monotonic(), results[spec], {}
        if spec in sound:
            images = _attacked_images(spec, context)
            # Their share is a metric of its own.
            with unwarned():
                metrics = _errors(spec, result.model, images, direction(spec), context)
                sources = [other_arm(spec, arm) for arm in spec.protocol.transfer_sources]
                directions = {source.arm: direction(source) for source in sources if source in sound}
            metrics |= robustness_metrics(tables[spec], tables.get(other_arm(spec, "vanilla")))
            metrics |= geometry_metrics(spec, result, build(spec), images, context)
            for arm, along in directions.items():
                crafted = moved_along(images[0], along, SNR)
                metrics[f"transfer_from_{arm}"] = _percent(misled(result.model, crafted, images[1]))
        spent = shared + time.monotonic() - begun
        yield context.record(spec, metrics, seconds=result.seconds + spent, **how_trained(result))


def _errors(
    spec: Spec, model: nn.Module, images: Images, direction: Tensor, context: Context
) -> dict[str, Any]:
    """Errors and accuracies on clean, attacked and perturbed images, by the names of the paper's tables.

    ``direction`` is that of FGSM on these images.

    DeepFool's median distance is left out where it misled the network on less than half of the images.
    ``vanished_gradients`` is the percentage that attacks by gradients could not move.
    """
    settings, test = spec.protocol, context.data(spec.protocol.data_name, train=False)
    clean, (x, y) = model_error(model, test), images
    errors = _attacked(model, x, y, direction, settings.pgd_steps) | _perturbed(model, x, y)
    few = x[: settings.strong_images], y[: settings.strong_images]
    errors["strong"] = _percent(strong(model, *few, **ensemble(settings)))
    distance = float(deepfool(model, *few, steps=settings.deepfool_steps).median())
    return {
        "test_error": clean,
        **{f"error_{name}": error for name, error in errors.items()},
        **{f"accuracy_{name}": 100 - error for name, error in {"clean": clean, **errors}.items()},
        **({"deepfool_l2": distance} if math.isfinite(distance) else {}),
        "vanished_gradients": _percent(vanished_gradients(model, x, y)),
        "published_corruptions": published(spec, context),
        **_by_level(model, x, y, direction, settings.levels),
    }


def ensemble(settings: RobustnessSettings) -> dict[str, Any]:
    """The options of `strong` under these settings."""
    targeted = settings.attack_version > 1
    return {"restarts": settings.restarts, "steps": settings.strong_steps, "targeted": targeted}


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
    found = {"gaussian": _percent(misled(model, gaussian_noise(x, NOISE, _noise()), y))}
    for percent in DROPOUTS:
        with with_dropout(model, percent / 100, blocks, NOISE_SEED):
            found[f"dropout{percent}"] = _percent(misled(model, x, y))
    with quantized(model, BITS):
        found[f"{BITS}bit"] = _percent(misled(model, x, y))
    return found


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


def _attacked_images(spec: Spec, context: Context) -> Images:
    """The attacked images (n, c, h, w), floats in [0, 1], and their labels."""
    some = first_images(spec.protocol.data_name, spec.protocol.attacked_images, context)
    return to_float(some.images), some.labels


def _percent(wrong: Tensor) -> float:
    return 100 * float(wrong.double().mean())
