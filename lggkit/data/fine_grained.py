"""The five sets of photographs that paper 3 transfers to, read from files that somebody already has.

Aircraft, cars and food go through torchvision's loaders; birds and dogs, which it has not, are read by their
published lists. Nothing is downloaded, and there are no checksums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lggkit.data import files
from lggkit.data.checks import as_integer
from lggkit.data.dataset import DataSet

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE = 256
Read = Callable[[Path, bool, Callable[[Any], Tensor]], Any]


@dataclass(frozen=True)
class Photographs:
    """One of the sets: its ``title``, what lies ``where`` under the root, and how a split is read."""

    title: str
    where: str
    read: Read


class Listed(torch.utils.data.Dataset):
    """Photographs by path, with labels and names of classes, as torchvision's sets have them."""

    def __init__(
        self, found: Sequence[tuple[Path, int]], classes: Sequence[str], transform: Callable[[Any], Tensor]
    ) -> None:
        self.found, self.classes, self.transform = list(found), list(classes), transform

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        from PIL import Image

        path, label = self.found[place]
        with Image.open(path) as image:
            return self.transform(image), label


def fine_grained(name: str, train: bool = True, root: str | Path | None = None, side: int = SIDE) -> DataSet:
    """A split of Aircraft100, Birds200, Cars196, Dogs120 or Foods101 as squares, uint8 (n, 3, side, side).

    The short side of a photograph is resized to ``side``, and the middle is kept. Channel statistics are
    ImageNet's, whose weights expect them. At 256 pixels 10,000 photographs take 2 GB.

    Args:
        name: one of ``FINE_GRAINED``.
        train: what the paper trains on, else what it tests on: of the dogs, ImageNet's validation images.
        root: the folder that holds the data sets, ``lggkit.data.root()`` by default.
        side: pixels.

    Raises:
        ValueError: the name is unknown, or the side is below 1.
        DataUnavailable: files are missing; the message says what lies where.
    """
    if name not in FINE_GRAINED:
        raise ValueError(f"there are no photographs {name!r}: choose one of {', '.join(FINE_GRAINED)}.")
    entry, folder = FINE_GRAINED[name], Path(root).expanduser() if root is not None else files.root()
    side = as_integer("side", side, 1)
    try:
        photographs = entry.read(folder, train, lambda image: square(image, side))
        images = torch.stack([photographs[place][0] for place in range(len(photographs))])
        labels = torch.tensor([int(photographs[place][1]) for place in range(len(photographs))])
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise files.DataUnavailable(
            f"{entry.title} cannot be read under {folder} ({reason}): put {entry.where} there, as published."
        ) from error
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    split = "train" if train else "test"
    return DataSet(images, labels, tuple(map(str, photographs.classes)), mean, std, name, split)


def square(image: Any, side: int) -> Tensor:
    """The middle of a PIL image whose short side is resized to ``side``, uint8 (3, side, side)."""
    from torchvision.transforms import functional

    resized = functional.resize(image.convert("RGB"), side)
    return functional.pil_to_tensor(functional.center_crop(resized, [side, side]))


def _aircraft(root: Path, train: bool, transform: Callable[[Any], Tensor]) -> Any:
    from torchvision.datasets import FGVCAircraft

    return FGVCAircraft(root, "trainval" if train else "test", "variant", transform, download=False)


def _cars(root: Path, train: bool, transform: Callable[[Any], Tensor]) -> Any:
    from torchvision.datasets import StanfordCars

    return StanfordCars(root, "train" if train else "test", transform, download=False)


def _food(root: Path, train: bool, transform: Callable[[Any], Tensor]) -> Any:
    from torchvision.datasets import Food101

    return Food101(root, "train" if train else "test", transform, download=False)


def _birds(root: Path, train: bool, transform: Callable[[Any], Tensor]) -> Listed:
    folder = root / "CUB_200_2011"
    paths, labels, chosen = (
        dict(_pairs(folder / f"{name}.txt")) for name in ("images", "image_class_labels", "train_test_split")
    )
    classes = [name for _, name in _pairs(folder / "classes.txt")]
    numbers = [number for number in paths if (chosen[number] == "1") == train]
    photographs = [(folder / "images" / paths[number], int(labels[number]) - 1) for number in numbers]
    return Listed(photographs, classes, transform)


def _pairs(file: Path) -> Iterator[tuple[str, str]]:
    """The lines of a file, each a number and the rest."""
    for line in file.read_text().splitlines():
        number, _, rest = line.strip().partition(" ")
        yield number, rest


def _dogs(root: Path, train: bool, transform: Callable[[Any], Tensor]) -> Listed:
    from scipy.io import loadmat

    folder = root / "stanford_dogs"
    breeds = sorted(path.name for path in (folder / "Images").iterdir() if path.is_dir())
    if train:
        listed = [str(one[0]) for one in loadmat(folder / "train_list.mat")["file_list"].ravel()]
        photographs = [(folder / "Images" / path, breeds.index(path.partition("/")[0])) for path in listed]
    else:
        validation = [root / "imagenet" / "val" / breed.partition("-")[0] for breed in breeds]
        photographs = [
            (path, label) for label, one in enumerate(validation) for path in sorted(one.iterdir())
        ]
    return Listed(photographs, breeds, transform)


FINE_GRAINED = {
    "aircraft100": Photographs("FGVC Aircraft", "fgvc-aircraft-2013b", _aircraft),
    "birds200": Photographs("Caltech-UCSD Birds 200-2011", "CUB_200_2011", _birds),
    "cars196": Photographs(
        "Stanford Cars", "stanford_cars, with cars_test_annos_withlabels.mat in it", _cars
    ),
    "dogs120": Photographs(
        "Stanford Dogs", "stanford_dogs, for the test split imagenet/val with a folder a class,", _dogs
    ),
    "foods101": Photographs("Food-101", "food-101", _food),
}
"""The five, by the paper's names in small letters."""
