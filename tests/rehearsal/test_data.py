"""Data sets, augmentation and corruptions on a GPU that is not there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lggkit import data
from lggkit.data import corruptions

WAITS = {
    "DataSet": ("read", "send"),
    "augment": ("send",),
    "batches": ("send",),
    "channel_statistics": ("read",),
    "TokenSet": ("read", "send"),
    "VectorSet": ("read", "send"),
    "load": ("send",),
}
DATA = {
    "DataSet": lambda s: [
        s.set.to("cuda").images,
        s.set.subset(range(3)).images,
        s.set.subset(s.labels > 0).images,
        s.set.first(3).images,
        s.set.first_classes(2).images,
        s.set.subset(s.labels).images,
        data.DataSet.from_tensors(s.bytes, s.labels).mean,
        s.set.per_class(1, torch.Generator(), [0, 1]).images,
    ],
    "apply_augmentation": lambda s: data.apply_augmentation(
        s.bytes, s.labels[:, None].expand(12, 2), s.labels > 0
    ),
    "augment": lambda s: [data.augment(s.bytes, torch.Generator(place)) for place in ("cpu", "cuda")],
    "batches": lambda s: [*data.batches(s.set, data.epoch_order(12, torch.Generator()), 5)],
    "channel_statistics": lambda s: data.channel_statistics(s.bytes),
    "draw_augmentation": lambda s: data.draw_augmentation(12, torch.Generator("cuda")),
    "epoch_order": lambda s: data.epoch_order(12, torch.Generator("cuda")),
    "load": lambda s: data.load("digits", device="cuda").images,
    "normalize": lambda s: [
        data.normalize(images, s.set.mean, s.set.std, channels_last=True) for images in (s.bytes, s.images)
    ],
    "TokenSet": lambda s: [
        (texts := data.TokenSet(s.labels[:, None].expand(12, 3), s.labels, 12)).subset(range(3)).ids,
        texts.inputs(s.labels, (), s),
    ],
    "VectorSet": lambda s: [
        (vectors := data.VectorSet(s.images.flatten(1), s.labels)).subset(range(3)).vectors,
        vectors.inputs(s.labels, (), s),
    ],
    "to_float": lambda s: data.to_float(s.bytes),
}
NO_DATA = {
    **dict.fromkeys(("DATASETS", "FINE_GRAINED"), "names"),
    "fine_grained": "photographs, which are read on the CPU",
    **dict.fromkeys(("DataCorrupt", "DataUnavailable"), "errors"),
    "root": "a folder",
    **dict.fromkeys(("FactorGrid", "load_shapes3d"), "images of factors, which are drawn on the CPU"),
    **dict.fromkeys(("class_batches", "class_order"), "places, which are drawn on the CPU"),
    **dict.fromkeys(("ParallelText", "invented", "read_table", "verses"), "texts"),
    **dict.fromkeys(("Vocabulary", "word_vocabulary"), "numbers of texts, which are made on the CPU"),
    "LabelledSet": "what sets derive from",
}
CORRUPTIONS = {
    "corrupted": lambda s: corruptions.corrupted(s.set, "fog", 3).images,
    "source_of": lambda s: corruptions.source_of(s.set),
}
NO_CORRUPTIONS = {
    **dict.fromkeys(("CORRUPTIONS", "NEWEST", "SEVERITIES", "VERSIONS", "Version"), "names and settings"),
    "Corrupted": "what corrupted gives",
    "Textures": "what frost takes",
    "corrupt": "tried with every name below",
    "corruption_sheet": "every corruption, JPEG among them",
    "frost_photographs": "reads files",
}
SENDING = dict.fromkeys(("elastic_transform", "frost", "pixelate", "shot_noise"), ("send",))


@pytest.mark.parametrize("name", DATA)
def test_data(name, rehearse, says_so):
    rehearse(DATA[name], *WAITS.get(name, ()))
    if "read" in WAITS.get(name, ()):
        says_so("data", name)


def test_data_is_complete(complete):
    complete("data", DATA, NO_DATA)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions(name, rehearse, says_so):
    rehearse(CORRUPTIONS[name], *{}.get(name, ()))
    if "read" in {}.get(name, ()):
        says_so("data.corruptions", name)


def test_corruptions_is_complete(complete):
    complete("data.corruptions", CORRUPTIONS, NO_CORRUPTIONS)


@pytest.fixture(scope="module")
def tables() -> None:
    """Make what corruptions keep for all images, so that none of it is fake afterwards."""
    image = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    for name in corruptions.CORRUPTIONS:
        for version in corruptions.VERSIONS:
            for severity in corruptions.SEVERITIES:
                corruptions.corrupt(image, name, severity, version=version)


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_corruption(name, rehearse, tables):
    def made(given) -> list[Tensor]:
        return [
            corruptions.corrupt(given.bytes, name, severity, version=version)
            for version in corruptions.VERSIONS
            for severity in (1, 3, 5)
        ]

    if name != "jpeg_compression":
        return rehearse(made, *SENDING.get(name, ()))
    with pytest.raises(RuntimeError, match="numpy"):
        rehearse(made)
