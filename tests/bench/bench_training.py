"""The training step against a plain PyTorch loop, and three seeds together against one after another.

Plain: PIL images through torchvision's transforms in a DataLoader, float32, NCHW, eager, the loss read at
every step. Seconds are those of a step, or of one step of each of three models. Nothing is compiled here:
that takes a minute a network, which only a long training repays. Rows name the path that was taken.
Without matrix units for bfloat16 little is gained beside the pipeline's time, and seeds together gain nothing
on a CPU: the declared ratio says only that neither may cost, but for noise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from lggkit.data import DataSet
from lggkit.networks import build, with_normalization
from lggkit.training import TrainConfig, TrainResult, train, train_many

SMALLEST_RATIO = 0.8
BATCH, SIZE, PAD, ROUNDS, CHECKED = 128, 32, 4, 3, 3
STEPS = {"cpu": 2, "cuda": 50}
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}
NETWORKS = {
    "WRN28-0.5": ("wide_resnet28", {"widen": 0.5}),
    "ResNet-18 of width 8": ("resnet18", {"width": 8}),
}
SMALL = "ResNet-18 of width 8"
SEEDS = (0, 1, 2)
RATE, MOMENTUM, DECAY = 0.01, 0.9, 5e-4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def run() -> list[dict]:
    """Two rows for the step and one for the seeds a device; ratio = reference / ours, of medians."""
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    return [row for device in devices for row in (*(step(name, device) for name in NETWORKS), seeds(device))]


def step(name: str, device: str, rounds: int = ROUNDS) -> dict:
    """A step of a network with everything that belongs to it, the batch included."""
    images, steps = pictures(BATCH * STEPS[device]), STEPS[device]
    sides = (
        lambda: plain(network(name), images, device)[1] / steps,
        lambda: engine(network(name), images, device).seconds / steps,
    )
    same, path = same_losses(name, device)
    return row(f"training step of {name}, batch {BATCH} ({path})", *alternate(sides, rounds), same, device)


def seeds(device: str, rounds: int = ROUNDS) -> dict:
    """A step of each of three small networks."""
    images, steps = pictures(BATCH * STEPS[device]), STEPS[device]
    sides = (
        lambda: sum(result.seconds for result in alone(images, device)) / steps,
        lambda: sum(result.seconds for result in together(images, device)) / steps,
    )
    same = same_models(together(images, device), alone(images, device), device)
    name = f"a step of {len(SEEDS)} seeds of {SMALL}, together / one after another"
    return row(name, *alternate(sides, rounds), same, device)


def row(name: str, reference: float, ours: float, equal: bool, device: str) -> dict:
    return {
        "name": name,
        "ours_seconds": ours,
        "reference_seconds": reference,
        "ratio": reference / ours,
        "equal": equal,
        "device": torch.cuda.get_device_name()
        if device == "cuda"
        else f"cpu, {torch.get_num_threads()} threads",
    }


def alternate(sides: tuple[Callable[[], float], ...], rounds: int) -> list[float]:
    """Median seconds of each side; the first round is not counted."""
    seconds = [[side() for side in sides] for _ in range(rounds + 1)][1:]
    return [median(column) for column in zip(*seconds, strict=True)]


def pictures(count: int) -> DataSet:
    source = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, SIZE, SIZE), generator=source, dtype=torch.uint8)
    labels, classes = torch.randint(10, (count,), generator=source), tuple("0123456789")
    return DataSet(images, labels, classes, torch.tensor(MEAN), torch.tensor(STD), "noise", "train")


def network(name: str, seed: int = 0) -> nn.Module:
    kind, settings = NETWORKS[name]
    return build(kind, seed=seed, **settings)


def settings(epochs: int, augment: bool) -> TrainConfig:
    optimizer = {"learning_rate": RATE, "momentum": MOMENTUM, "weight_decay": DECAY}
    return TrainConfig(epochs, BATCH, **optimizer, augment=augment, pad=PAD, precision="auto", capture=True)


def engine(
    model: nn.Module, images: DataSet, device: str, epochs: int = 1, augment: bool = True
) -> TrainResult:
    return train(with_normalization(model, MEAN, STD), images, settings(epochs, augment), device=device)


def together(images: DataSet, device: str) -> list[TrainResult]:
    models = [small(seed) for seed in SEEDS]
    return train_many(models, images, settings(1, augment=True), seeds=SEEDS, device=device)


def alone(images: DataSet, device: str) -> list[TrainResult]:
    config = settings(1, augment=True)
    return [train(small(seed), images, config, seed=seed, device=device) for seed in SEEDS]


def small(seed: int) -> nn.Module:
    return with_normalization(network(SMALL, seed), MEAN, STD)


def plain(
    model: nn.Module, images: DataSet, device: str, epochs: int = 1, augment: bool = True
) -> tuple[list[float], float]:
    """The losses of all steps, and the seconds they took."""
    model.to(device)
    loader = DataLoader(Pictures(images, augment), BATCH, shuffle=True, num_workers=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    losses, start = [], perf_counter()
    for _ in range(epochs):
        for batch, labels in loader:
            loss = F.cross_entropy(model(batch.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses, perf_counter() - start


class Pictures(Dataset):
    """As torchvision's data sets do it: an array becomes a PIL image, which goes through the transforms."""

    def __init__(self, images: DataSet, augment: bool) -> None:
        from torchvision import transforms as t

        self.arrays = np.ascontiguousarray(images.images.permute(0, 2, 3, 1).numpy())
        self.labels = images.labels.tolist()
        augmentation = [t.RandomCrop(SIZE, padding=PAD), t.RandomHorizontalFlip()] if augment else []
        self.transform = t.Compose([*augmentation, t.ToTensor(), t.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def same_losses(name: str, device: str) -> tuple[bool, str]:
    """Whether the first losses on one batch, without augmentation, are the same; the path that ours took."""
    images = pictures(BATCH)
    ours = engine(network(name), images, device, CHECKED, augment=False)
    expected, _ = plain(network(name), images, device, CHECKED, augment=False)
    path = ours.path.partition(":")[0].partition(", ")[2]
    tolerance = TOLERANCE[path.partition(",")[0]]
    return bool(np.allclose(ours.curves["train_loss"], expected, rtol=tolerance, atol=0)), path


def same_models(ours: list[TrainResult], theirs: list[TrainResult], device: str) -> bool:
    """Bit for bit on the CPU; on a GPU, where sums have no fixed order, losses to a tolerance."""
    pairs = list(zip(ours, theirs, strict=True))
    if device == "cuda":
        losses = [[result.curves["train_loss"] for result in pair] for pair in pairs]
        return all(np.allclose(a, b, rtol=TOLERANCE["bfloat16"], atol=0) for a, b in losses)
    states = [[result.model.state_dict() for result in pair] for pair in pairs]
    return all(torch.equal(a[key], b[key]) for a, b in states for key in a)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
