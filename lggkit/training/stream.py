"""The batches of one seed: their order and augmentation follow from (seed, epoch) alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.data import LabelledSet, class_order, epoch_order
from lggkit.training.config import TrainConfig
from lggkit.training.seeds import generator


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step is trained on.

    ``inputs``: what the network is given, as the data set makes it: images float32 (n, c, h, w) in [0, 1],
    augmented, which ``images`` are too; vectors (n, d), ids int64 (n, length). ``labels``: int64 (n,);
    ``index``: int64 (n,), the samples' places in the training set; ``epoch`` and ``step`` (both from 0;
    ``step`` counts through the whole training). Batches are compared by identity, so that what is computed
    on one can be kept for it.
    """

    inputs: Tensor
    labels: Tensor
    index: Tensor
    epoch: int
    step: int

    @property
    def images(self) -> Tensor:
        """The inputs, as those who train on images call them."""
        return self.inputs


@dataclass(frozen=True, eq=False)
class StillBatch:
    """A `Batch` inside a captured step, which is recorded once and so cannot know which step it is.

    Raises:
        RuntimeError: ``epoch`` or ``step`` is read.
    """

    inputs: Tensor
    labels: Tensor
    index: Tensor

    @property
    def images(self) -> Tensor:
        """The inputs, as of `Batch`."""
        return self.inputs

    def __getattr__(self, name: str) -> None:
        if name not in ("epoch", "step"):
            raise AttributeError(f"a batch has no {name}")
        raise RuntimeError(f"the objective reads batch.{name}, which a captured step does not know")


class Stream:
    """Random access to the training batches of a seed, ``stream.batch(step)``, all on the data's device.

    Each epoch draws its order and its augmentation from two generators seeded by (seed, epoch): a resumed
    training needs no generator state, arms with the same seed see the same samples, and without augmentation
    the order stays the same. What is drawn, and what is made of it, is the set's business, see
    `lggkit.data.LabelledSet`. A set with a ``sub_batch`` is taken class by class. The last batch of an epoch
    is short where the sizes do not divide, or left out; ``full_batches`` come before it.
    """

    def __init__(self, data: LabelledSet, config: TrainConfig, seed: int) -> None:
        self.data, self.config, self.seed = data, config, seed
        self.full_batches, rest = divmod(len(data), config.batch_size)
        self.last_size = rest if rest and not config.drop_last else config.batch_size
        self.steps_per_epoch = self.full_batches + bool(rest and not config.drop_last)
        self.lowest_label, self.highest_label = (int(label) for label in data.labels.aminmax())
        self._epoch = -1
        self._last: Batch | None = None
        self._drawn: tuple[Tensor, ...] = ()

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 through all epochs; asked for again at once, the very same object."""
        if self._last is None or self._last.step != step:
            self._last = self.make(step)
        return self._last

    def full(self, step: int) -> Batch:
        """The first batch of a step's epoch: the last one may be short."""
        return self.batch(step - step % self.steps_per_epoch)

    def make(self, step: int) -> Batch:
        """The batch of a step, as a new object."""
        epoch, place = divmod(step, self.steps_per_epoch)
        self.enter(epoch)
        part = slice(place * self.config.batch_size, (place + 1) * self.config.batch_size)
        return Batch(*self.gather(part), epoch, step)

    def sizes(self) -> Tensor:
        """Samples in each batch of an epoch, float64 (steps_per_epoch,), on the CPU."""
        sizes = torch.full((self.steps_per_epoch,), self.config.batch_size, dtype=torch.float64)
        sizes[-1] = self.last_size
        return sizes

    def enter(self, epoch: int) -> None:
        """Draw an epoch's order and augmentation, unless it is the one that was drawn last.

        They replace those before in the same memory, once no CUDA stream uses it any more.
        """
        if epoch == self._epoch:
            return
        drawn = tuple(part.to(self.data.device) for part in self._draw(epoch))
        if self.data.device.type == "cuda":
            torch.cuda.synchronize(self.data.device)
        for place, part in zip(self._drawn, drawn, strict=False):
            place.copy_(part)
        if self.data.device.type == "cuda":
            torch.cuda.synchronize(self.data.device)
        self._drawn, self._epoch = self._drawn or drawn, epoch

    def gather(self, part: slice | Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, labels and index of the given places in the epoch's order."""
        order, *drawn = self._drawn
        index = order[part].clone()
        inputs = self.data.inputs(index, [choices[part] for choices in drawn], self.config)
        return inputs, self.data.labels[index], index

    def _draw(self, epoch: int) -> tuple[Tensor, ...]:
        order = self._order(generator(self.seed, "order", epoch))
        return (order, *self.data.draw(self.config, generator(self.seed, "augmentation", epoch)))

    def _order(self, source: torch.Generator) -> Tensor:
        if self.data.sub_batch is None:
            return epoch_order(len(self.data), source)
        return class_order(self.data.labels.cpu(), self.data.sub_batch, source)
