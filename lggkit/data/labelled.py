"""What every labelled set can do, whatever its samples are: choose, move, and make the inputs of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor

from lggkit.data.checks import as_integer, check_generator, places


class Drawing(Protocol):
    """What a training says of its batches; a `lggkit.training.TrainConfig` does. All of it is of images."""

    augment: bool
    pad: int
    flip: bool
    channels_last: bool


class LabelledSet:
    """Base of sets, frozen dataclasses whose first field holds the samples, a row each.

    A set owns how a batch is made: `draw` takes an epoch's random choices, `inputs` makes of the samples of a
    batch what a network is given. These here draw nothing and give the samples as `prepared`; a set that
    augments does otherwise. ``SAMPLE`` is the word for one of them, ``PIXELS`` whether they are maps of
    channels, which have a memory layout.
    """

    SAMPLE: ClassVar[str] = "sample"
    PIXELS: ClassVar[bool] = False

    labels: Tensor
    classes: tuple[str, ...]
    name: str
    split: str
    sub_batch: int | None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def samples(self) -> Tensor:
        """The tensor of all samples, as it is kept."""
        return getattr(self, self._first)

    @property
    def _first(self) -> str:
        return fields(self)[0].name

    @property
    def shape(self) -> tuple[int, ...]:
        """That of one sample."""
        return tuple(self.samples.shape[1:])

    @property
    def device(self) -> torch.device:
        """The device that holds samples and labels."""
        return self.samples.device

    def _settle_sub_batch(self) -> None:
        if self.sub_batch is not None:
            object.__setattr__(self, "sub_batch", as_integer("sub_batch", self.sub_batch, 1))

    def prepared(self, samples: Tensor) -> Tensor:
        """Some of the samples as a network takes them; here, as they are."""
        return samples

    def draw(self, how: Drawing, generator: torch.Generator) -> tuple[Tensor, ...]:
        """An epoch's random choices, tensors with a row for each place of its order, on any device.

        None of them, ``()``, where nothing is augmented; then `inputs` is given none.
        """
        return ()

    def inputs(self, index: Tensor, drawn: Sequence[Tensor], how: Drawing) -> Tensor:
        """The network's input for samples at places int64 (m,), with their rows of what `draw` gave.

        Everything lies on the set's device, and nothing here waits for it.
        """
        return self.prepared(self.samples[index])

    def to(self, device: str | torch.device) -> Self:
        """The same set on another device.

        Args:
            device: where its tensors go.
        """
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return replace(self, **{k: v.to(device) for k, v in values.items() if isinstance(v, Tensor)})

    def subset(self, indices: Tensor | Sequence[int]) -> Self:
        """Some of the samples, in the given order; everything else stays that of the whole set.

        Args:
            indices: integers (m,), negative ones from the end, or a Boolean mask (n,).

        Raises:
            TypeError: the indices are no integers.
            IndexError: one is outside the set (seen on the CPU only), or a mask has another length.
        """
        indices = places(indices, len(self), self.device)
        return replace(self, **{self._first: self.samples[indices], "labels": self.labels[indices]})

    def first(self, count: int | None) -> Self:
        """The first ``count`` samples; all of them where it is None or there are fewer."""
        return self if count is None else self.subset(range(min(count, len(self))))

    def first_classes(self, kept: int) -> Self:
        """The samples of the first ``kept`` classes, with their names; labels stay what they are.

        Raises:
            ValueError: kept is not between 1 and the number of classes.
        """
        if not 1 <= kept <= len(self.classes):
            raise ValueError(
                f"kept is {kept}, but {self.name} has {len(self.classes)} classes: keep 1 to all of them."
            )
        return replace(self.subset(self.labels < kept), classes=self.classes[:kept])

    def per_class(self, n: int, generator: torch.Generator, classes: Sequence[int] | None = None) -> Self:
        """A balanced draw: as many samples of each class, without replacement.

        Args:
            n: samples a class.
            generator: of the draw, on any device.
            classes: labels of which classes and in which order; all, ascending, by default.

        Returns:
            A set of n samples a class, grouped by class.

        Raises:
            TypeError: ``n`` or a class is no integer.
            ValueError: ``n`` is negative, a class has fewer than ``n`` samples, or is asked for twice.
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
            seen = f"{len(of_class)} {self.SAMPLE}s"
            raise ValueError(f"class {label} of {self.name} has {seen}, not {n}: ask for fewer.")
        return of_class[:n]
