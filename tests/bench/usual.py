"""The usual way to train, the library's way step by step, and how the two are timed beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from lggkit.data import DataSet
from lggkit.networks import build, with_normalization
from lggkit.training import Stream, TrainConfig, choose_path
from lggkit.training.begin import begin
from lggkit.training.run import Run

BATCH, SIZE, PAD = 128, 32, 4
RATE, MOMENTUM, DECAY = 0.01, 0.9, 5e-4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
WORKERS = {"cpu": 0, "cuda": 8}
NETWORKS = {
    "WRN10-1 (small_net)": ("small_net", {"width": 16, "channels": 3}),
    "WRN28-0.5": ("wide_resnet28", {"widen": 0.5}),
    "ResNet-18": ("resnet18", {"width": 64}),
}


def devices() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def device_name(device: str) -> str:
    threads = torch.get_num_threads()
    return torch.cuda.get_device_name() if device == "cuda" else f"cpu, {threads} thread{'s'[: threads > 1]}"


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def row(name: str, ours: float, reference: float, equal: bool, device: str, **more) -> dict:
    """What `tools/bench.py` asks of a comparison of seconds."""
    return {
        "name": name,
        "ours_seconds": ours,
        "reference_seconds": reference,
        "ratio": reference / ours,
        "equal": equal,
        "device": device_name(device),
        **more,
    }


def timed(side: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = perf_counter()
    side()
    return perf_counter() - start


def alternate(sides: Sequence[Callable[[], float]], rounds: int) -> list[float]:
    """Median seconds of each side, which take turns."""
    seconds = [[side() for side in sides] for _ in range(rounds)]
    return [median(column) for column in zip(*seconds, strict=True)]


def pictures(count: int) -> DataSet:
    source = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, 3, SIZE, SIZE), generator=source, dtype=torch.uint8)
    labels, classes = torch.randint(10, (count,), generator=source), tuple("0123456789")
    return DataSet(images, labels, classes, torch.tensor(MEAN), torch.tensor(STD), "noise", "train")


def network(name: str, seed: int = 0) -> nn.Module:
    kind, settings = NETWORKS[name]
    return build(kind, seed=seed, **settings)


def normalizing(name: str, seed: int = 0) -> nn.Module:
    """The same network on images in [0, 1]."""
    return with_normalization(network(name, seed), MEAN, STD)


def settings(**changes) -> TrainConfig:
    optimizer = {"learning_rate": RATE, "momentum": MOMENTUM, "weight_decay": DECAY}
    given = {"epochs": 1, "batch_size": BATCH, "pad": PAD, "precision": "auto", "capture": True}
    return TrainConfig(**optimizer | given | changes)


def fixed(device: str, **changes) -> TrainConfig:
    """The settings in one precision for all sides, which no timing decides."""
    return settings(precision=choose_path(settings(), device, 1).precision, **changes)


class Engine:
    """The library's training of one model or several, an epoch at a time.

    ``setup_seconds`` is what compiling and capturing took, the library's own check of both included.
    """

    def __init__(
        self, models: list[nn.Module], images: DataSet, device: str, config: TrainConfig, seeds: Sequence[int]
    ) -> None:
        path = choose_path(config, device, len(images))
        images, self.device = images.to(path.device), device
        for model in models:
            model.to(device=path.device, memory_format=torch.channels_last)
        pairs = zip(models, seeds, strict=True)
        self.runs = [Run(model, Stream(images, config, seed), config, path) for model, seed in pairs]
        start = perf_counter()
        for run in self.runs:
            begin([run])
        wait(device)
        prepared = any(run.path.compile or run.path.captured for run in self.runs)
        self.setup_seconds = (perf_counter() - start) * prepared

    def epoch(self, together: bool = True) -> float:
        """Seconds that a step of every model takes, in lockstep or one model after another."""
        steps = range(self.runs[0].stream.steps_per_epoch)
        lockstep = [run for _ in steps for run in self.runs]
        start = perf_counter()
        for run in lockstep if together else [run for run in self.runs for _ in steps]:
            with run.stepper.lane():
                run.advance()
        wait(self.device)
        return (perf_counter() - start) / len(steps)

    @property
    def path(self) -> str:
        return self.runs[0].path.mode.partition(", ")[2]

    @property
    def precision(self) -> str:
        return self.runs[0].path.precision

    @property
    def losses(self) -> list[float]:
        """Each model's mean loss of the last epoch."""
        return [run.history.curves["train_loss"][-1] for run in self.runs]


class Loop:
    """A plain PyTorch loop: a DataLoader, torchvision's transforms, float32, the loss read at every step."""

    def __init__(self, model: nn.Module, images: DataSet, device: str, compiled: bool = False) -> None:
        self.device, self.setup_seconds = device, 0.0
        self.model = model.to(device)
        self.forward = torch.compile(self.model, dynamic=False) if compiled else self.model
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY
        )
        workers = WORKERS[device]
        self.loader = DataLoader(
            Pictures(images), BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0
        )
        if compiled:
            self._compile()

    def _compile(self) -> None:
        start = perf_counter()
        self.forward(torch.zeros(BATCH, 3, SIZE, SIZE, device=self.device)).sum().backward()
        self.optimizer.zero_grad()
        wait(self.device)
        self.setup_seconds = perf_counter() - start

    def warm_up(self) -> None:
        """Let the pipeline make its first batches, and its processes start."""
        for _ in self.loader:
            pass

    def update(self, batch: Tensor, labels: Tensor) -> float:
        loss = F.cross_entropy(self.forward(batch.to(self.device)), labels.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def epoch(self) -> float:
        """Seconds a step."""
        start = perf_counter()
        for batch, labels in self.loader:
            self.update(batch, labels)
        return (perf_counter() - start) / len(self.loader)


class Pictures(Dataset):
    """As torchvision's data sets do it: an array becomes a PIL image, which goes through the transforms."""

    def __init__(self, images: DataSet) -> None:
        from torchvision import transforms as t

        self.arrays = np.ascontiguousarray(images.images.permute(0, 2, 3, 1).numpy())
        self.labels = images.labels.tolist()
        augmentation = [t.RandomCrop(SIZE, padding=PAD), t.RandomHorizontalFlip()]
        self.transform = t.Compose([*augmentation, t.ToTensor(), t.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]
