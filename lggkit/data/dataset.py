"""A labelled image set, held whole on one device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from lggkit.data.augmentation import apply_augmentation, draw_augmentation
from lggkit.data.catalog import DATASETS
from lggkit.data.checks import as_labels, as_tensor, check_range, class_names, described
from lggkit.data.labelled import Drawing, LabelledSet
from lggkit.data.pixels import channel_statistics, to_float


@dataclass(frozen=True, eq=False)
class DataSet(LabelledSet):
    """One split of an image set.

    Args:
        images: uint8 (n, c, h, w) in 0..255.
        labels: int64 (n,) in 0..len(classes)-1 (seen on the CPU only).
        classes: names, by label.
        mean, std: float32 (c,), per channel over the *training* split, on the [0, 1] scale, whatever the
            split.
        name: as in ``DATASETS``.
        split: ``"train"`` or ``"test"``.
        sub_batch: None, or how many of each class a training batch holds, see `class_order`.

    ``from_tensors``, ``first_classes``, ``per_class`` and masks for ``subset`` wait for the device.

    Raises:
        TypeError: a part is no tensor, or sub_batch no integer.
        ValueError: dtypes or shapes do not fit together, a label has no class, or sub_batch is below 1.
    """

    SAMPLE: ClassVar[str] = "image"
    PIXELS: ClassVar[bool] = True

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    mean: Tensor
    std: Tensor
    name: str
    split: str
    sub_batch: int | None = None

    def __post_init__(self) -> None:
        for field in ("images", "labels", "mean", "std"):
            if not isinstance(getattr(self, field), Tensor):
                seen = type(getattr(self, field)).__name__
                raise TypeError(f"{field} is a {seen}: give a tensor, or arrays to DataSet.from_tensors.")
        _check_images(self.images)
        if self.labels.dtype != torch.int64 or self.labels.shape != self.images.shape[:1]:
            expected = f"int64 ({len(self.images)},), one for each image"
            raise ValueError(f"labels must be {expected}, not {described(self.labels)}: convert them first.")
        check_range(self.labels, len(self.classes))
        channels = self.images.shape[1:2]
        if self.mean.shape != channels or self.std.shape != channels:
            seen = f"{tuple(self.mean.shape)} and {tuple(self.std.shape)}"
            raise ValueError(
                f"mean and std must have shape {tuple(channels)}, not {seen}: give one per channel."
            )
        self._settle_sub_batch()

    @classmethod
    def from_tensors(
        cls,
        images: Tensor | np.ndarray,
        labels: Tensor | np.ndarray,
        classes: Sequence[str] | None = None,
        name: str = "data",
        split: str = "test",
    ) -> DataSet:
        """A set of one's own images, for the measures of this package.

        Args:
            images: uint8 (n, c, h, w) in 0..255; the channel statistics are theirs.
            labels: integers (n,) of any kind, from 0 on.
            classes: names, by label; by default the numbers from 0 to the largest label.
            name: of the set, other than those in ``DATASETS``.
            split: ``"train"`` or ``"test"``.

        Raises:
            TypeError: images or labels are neither a tensor nor an array of numbers.
            ValueError: there are no images, types or shapes do not fit together, a label has no class, or
                would need more than 100,000 classes that are numbers, or the name is that of a set of the
                catalogue.
        """
        if name in tuple(DATASETS):
            raise ValueError(f"name is {name!r}, a set of the catalogue: give your own images another name.")
        images = as_tensor("images", images)
        _check_images(images)
        if not len(images):
            raise ValueError("there are no images: give at least one, for the channel statistics.")
        labels = as_labels(labels, len(images)).to(images.device)
        mean, std = (value.float() for value in channel_statistics(images))
        return cls(images, labels, class_names(labels, classes), mean, std, name, split)

    def prepared(self, samples: Tensor) -> Tensor:
        """Bytes as numbers on [0, 1]."""
        return to_float(samples)

    def draw(self, how: Drawing, generator: torch.Generator) -> tuple[Tensor, ...]:
        """With ``augment``, an offset and a direction for each image, as of `draw_augmentation`."""
        return draw_augmentation(len(self), generator, how.pad, how.flip) if how.augment else ()

    def inputs(self, index: Tensor, drawn: Sequence[Tensor], how: Drawing) -> Tensor:
        """Images on [0, 1], float32 (m, c, h, w), cropped and mirrored as was drawn, if anything was."""
        images = self.images[index]
        if drawn:
            images = apply_augmentation(images, *drawn, how.pad)
        if how.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return self.prepared(images)


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(f"images must be uint8 (n, c, h, w), not {described(images)}: convert them first.")
