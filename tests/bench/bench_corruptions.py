"""Seconds an image for the fifteen corruptions at all severities, whole batches against image after image.

Both get the same images; the plain way (numpy, scipy and Pillow) draws its own random numbers, so that random
corruptions are compared by the mean and spread of the change to the clean images, the others by pixel.
"""

from __future__ import annotations

import json
from statistics import mean, median
from time import perf_counter

import numpy as np
import plain_corruptions as plain
import torch
from torch import Tensor

from lggkit.data.corruptions import CORRUPTIONS, NEWEST, SEVERITIES, VERSIONS, corrupt
from lggkit.data.corruptions.catalog import TABLE

IMAGES, FEW = {"cpu": 512, "cuda": 10_000}, 16
TOGETHER = "all fifteen corruptions, an image and severity"
GOAL, SET_SECONDS, SET_SIZE = 10.4e-3 / 5, 60.0, 10_000
"""Seconds an image and severity on a CPU; seconds for all severities of a test set on a GPU."""

FIXED = {"defocus_blur", "zoom_blur", "brightness", "contrast", "pixelate", "jpeg_compression"}


def run() -> list[dict]:
    """A row a corruption and one for their sum; seconds an image and severity, mean over the severities.

    All threads for the library; the plain way uses one, as loops do. Wall-clock time; on a GPU its plain
    counterpart runs on that machine's CPU.
    """
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return [row for device in devices for row in compare(device)]


def compare(device: str, rounds: int = 3) -> list[dict]:
    images = pictures(IMAGES[device]).to(device)
    described = (
        torch.cuda.get_device_name() if device == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    )
    rows = [one(name, images, rounds) | {"device": described} for name in CORRUPTIONS]
    sums = {key: sum(row[key] for row in rows) for key in ("ours_seconds", "reference_seconds")}
    total = {"name": TOGETHER, "device": described, "equal": all(row["equal"] for row in rows), **sums}
    total["ratio"] = total["reference_seconds"] / total["ours_seconds"]
    limit = GOAL if device == "cpu" else SET_SECONDS / (SET_SIZE * len(SEVERITIES))
    return [*rows, total | {"goal_seconds": limit, "goal_met": total["ours_seconds"] <= limit}]


def one(name: str, images: Tensor, rounds: int) -> dict:
    """The two ways take turns; medians over the rounds of the mean over severities."""
    few = images[:FEW].permute(0, 2, 3, 1).cpu().numpy()
    in_batches(images, name, SEVERITIES[0]), one_by_one(few[:1], name, SEVERITIES[0])
    times = [
        (
            mean(timed(in_batches, images, name, s) for s in SEVERITIES) / len(images),
            mean(timed(one_by_one, few, name, s) for s in SEVERITIES) / len(few),
        )
        for _ in range(rounds)
    ]
    ours, reference = (median(column) for column in zip(*times, strict=True))
    row = {"name": name.replace("_", " "), "ours_seconds": ours, "reference_seconds": reference}
    return row | {"ratio": reference / ours, "equal": all(alike(few, name, s) for s in SEVERITIES)}


def in_batches(images: Tensor, name: str, severity: int) -> None:
    corrupt(images, name, severity)
    if images.is_cuda:
        torch.cuda.synchronize()


def one_by_one(images: np.ndarray, name: str, severity: int, seed: int = 0) -> np.ndarray:
    random = plain.NumpyRandom(seed)
    parameters, options = TABLE[name].parameters[severity - 1], options_of(name, images.shape[-1])
    return np.stack([getattr(plain, name)(image, random, *parameters, **options) for image in images])


def options_of(name: str, channels: int) -> dict:
    """What the newest version of the generator gives the operation, textures as (5, side, side, c)."""
    options = {field: getattr(VERSIONS[NEWEST], field) for field in TABLE[name].options}
    if "textures" in options:
        levels = options["textures"](channels).levels
        options["textures"] = torch.stack(levels).permute(0, 2, 3, 1).numpy()
    return options


def alike(images: np.ndarray, name: str, severity: int) -> bool:
    """By pixel to one level where there is no chance; else mean and spread of the change to a third.

    Among few images a place in a texture or an angle counts for much; pixels with the same numbers are
    compared in the tests.
    """
    clean = torch.from_numpy(images).permute(0, 3, 1, 2)
    ours = corrupt(clean, name, severity).permute(0, 2, 3, 1).numpy().astype(float)
    theirs = one_by_one(images, name, severity).astype(float)
    if name in FIXED:
        return bool(np.abs(ours - theirs).max() <= 1)
    changes = [np.sqrt(np.mean((x - images) ** 2)) for x in (ours, theirs)]
    shift = abs(ours.mean() - theirs.mean())
    return bool(abs(changes[0] - changes[1]) <= max(changes) / 3 and shift <= max(changes) / 3)


def timed(work, *arguments) -> float:
    start = perf_counter()
    work(*arguments)
    return perf_counter() - start


def pictures(n: int) -> Tensor:
    """Smooth random images with some noise, uint8 (n, 3, 32, 32)."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(n, 3, 6, 6, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (32, 32), mode="bicubic")
    fine = 0.05 * torch.randn(n, 3, 32, 32, generator=generator)
    return ((smooth + fine).clamp(0, 1) * 255).to(torch.uint8)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
