"""Images per second: crop, flip and normalise a whole batch against torchvision's per-image pipeline.

Both begin with the same bytes and end with the same float32 batch: torchvision's draws are replayed through
ours, and the results are compared bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter, thread_time

import numpy as np
import torch
from torch import Tensor

from lggkit.data import apply_augmentation, augment, normalize

BATCH, SIZE, PAD = 128, 32, 4
SMALLEST_RATIO = 20.0
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def run() -> list[dict]:
    """One row a device: medians in seconds for a batch of 128 images of 3x32x32; ratio = reference / ours.

    On the CPU one thread for both (torchvision's pipeline uses no more), in seconds of CPU time, so that what
    else runs on the machine does not count; on a GPU wall-clock seconds.
    """
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [compare(device) for device in devices]
    finally:
        torch.set_num_threads(threads)


def compare(device: str, rounds: int = 15) -> dict:
    images = torch.randint(256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8)
    ours, reference = pipeline(images, device), torchvision_pipeline(images, device)
    seconds = [(timed(reference, device), timed(ours, device, repeats=20)) for _ in range(rounds)]
    reference_seconds, ours_seconds = (median(column) for column in zip(*seconds, strict=True))
    return {
        "name": f"augmentation of {BATCH} images",
        "ours_seconds": ours_seconds,
        "reference_seconds": reference_seconds,
        "ratio": reference_seconds / ours_seconds,
        "equal": same_result(images, device),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu, 1 thread",
    }


def pipeline(images: Tensor, device: str) -> Callable[[], Tensor]:
    resident = images.to(device)
    mean, std = torch.tensor(MEAN, device=device), torch.tensor(STD, device=device)
    generator = torch.Generator(device).manual_seed(0)
    return lambda: normalize(augment(resident, generator, PAD), mean, std)


def torchvision_pipeline(images: Tensor, device: str) -> Callable[[], Tensor]:
    """As torchvision's data sets do it: an array becomes a PIL image, which goes through the transforms."""
    from PIL import Image
    from torchvision import transforms as t

    steps = [t.RandomCrop(SIZE, padding=PAD), t.RandomHorizontalFlip(), t.ToTensor(), t.Normalize(MEAN, STD)]
    transform, arrays = t.Compose(steps), np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
    return lambda: torch.stack([transform(Image.fromarray(array)) for array in arrays]).to(device)


def timed(step: Callable[[], Tensor], device: str, repeats: int = 1) -> float:
    """Median seconds of a step, after one that is not counted."""
    step()
    return median(_once(step, device) for _ in range(repeats))


def _once(step: Callable[[], Tensor], device: str) -> float:
    if device == "cpu":
        start = thread_time()
        step()
        return thread_time() - start
    torch.cuda.synchronize()
    start = perf_counter()
    step()
    torch.cuda.synchronize()
    return perf_counter() - start


def same_result(images: Tensor, device: str) -> bool:
    torch.manual_seed(0)
    expected = torchvision_pipeline(images, device)()
    torch.manual_seed(0)
    offsets, flips = (draw.to(device) for draw in replayed_draws(len(images)))
    ours = normalize(apply_augmentation(images.to(device), offsets, flips, PAD), MEAN, STD)
    return (
        torch.allclose(ours, expected, rtol=0, atol=1e-6) if device == "cuda" else torch.equal(ours, expected)
    )


def replayed_draws(n: int) -> tuple[Tensor, Tensor]:
    """What torchvision's transforms draw from torch's global generator: row, column, flip, image by image."""
    draws = [
        (*(int(torch.randint(0, 2 * PAD + 1, (1,))) for _ in range(2)), bool(torch.rand(1) < 0.5))
        for _ in range(n)
    ]
    return torch.tensor([draw[:2] for draw in draws]), torch.tensor([draw[2] for draw in draws])


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
