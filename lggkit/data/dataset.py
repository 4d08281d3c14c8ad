"""A labelled image set, held whole on one device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lggkit.data.catalog import DATASETS
from lggkit.data.checks import (
    as_integer,
    as_labels,
    as_tensor,
    check_generator,
    check_range,
    class_names,
    described,
    places,
)
from lggkit.data.pixels import channel_statistics


@dataclass(frozen=True, eq=False)
class DataSet:
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
        TypeError: a part is no tensor.
        ValueError: dtypes or shapes do not fit together, or a label has no class.
    """

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

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of one image."""
        return tuple(self.images.shape[1:])

    @property
    def device(self) -> torch.device:
        """The device that holds the images and labels."""
        return self.images.device

    def to(self, device: str | torch.device) -> DataSet:
        """The same set on another device.

        Args:
            device: where the images, labels and statistics go.
        """
        moved = {field: getattr(self, field).to(device) for field in ("images", "labels", "mean", "std")}
        return replace(self, **moved)

    def subset(self, indices: Tensor | Sequence[int]) -> DataSet:
        """Some of the images, in the given order.

        Args:
            indices: integers (m,), negative ones from the end, or a Boolean mask (n,).

        Returns:
            A set of these; classes and channel statistics stay those of the whole training split.

        Raises:
            TypeError: the indices are no integers.
            IndexError: one is outside the set (seen on the CPU only), or a mask has another length.
        """
        indices = places(indices, len(self), self.device)
        return replace(self, images=self.images[indices], labels=self.labels[indices])

    def first(self, count: int | None) -> DataSet:
        """The first ``count`` images; all of them where it is None or there are fewer."""
        return self if count is None else self.subset(range(min(count, len(self))))

    def first_classes(self, kept: int) -> DataSet:
        """The images of the first ``kept`` classes, with their names.

        Labels stay what they are, and so do the channel statistics, which are of all classes.

        Raises:
            ValueError: kept is not between 1 and the number of classes.
        """
        if not 1 <= kept <= len(self.classes):
            raise ValueError(
                f"kept is {kept}, but {self.name} has {len(self.classes)} classes: keep 1 to all of them."
            )
        return replace(self.subset(self.labels < kept), classes=self.classes[:kept])

    def per_class(self, n: int, generator: torch.Generator, classes: Sequence[int] | None = None) -> DataSet:
        """A balanced draw: as many images of each class, without replacement.

        Args:
            n: images a class.
            generator: of the draw, on any device.
            classes: labels of which classes and in which order; all, ascending, by default.

        Returns:
            A set of n images a class, grouped by class.

        Raises:
            TypeError: ``n`` or a class is no integer.
            ValueError: ``n`` is negative, a class has fewer than ``n`` images, or is asked for twice.
        """
        check_generator(generator)
        n, asked = as_integer("n", n, 0), range(len(self.classes)) if classes is None else classes
        wanted = [as_integer("a class", label) for label in asked]
        if len(set(wanted)) < len(wanted):
            raise ValueError(f"classes are {wanted}, one of them twice: ask for each once.")
        shuffled = torch.randperm(len(self), generator=generator, device=generator.device).to(self.device)
        chosen = [self._first_of_class(c, n, shuffled) for c in wanted]
        return self.subset(torch.cat(chosen) if chosen else [])

    def _first_of_class(self, label: int, n: int, order: Tensor) -> Tensor:
        of_class = order[self.labels[order] == label]
        if len(of_class) < n:
            raise ValueError(
                f"class {label} of {self.name} has {len(of_class)} images, not {n}: ask for fewer."
            )
        return of_class[:n]


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(f"images must be uint8 (n, c, h, w), not {described(images)}: convert them first.")
