"""The batches of one seed: their order and augmentation follow from (seed, epoch) alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.data import DataSet, apply_augmentation, draw_augmentation, epoch_order, to_float
from lggkit.training.config import TrainConfig
from lggkit.training.seeds import generator


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step is trained on.

    ``images``: float32 (n, c, h, w) in [0, 1], augmented; ``labels``: int64 (n,); ``index``: int64 (n,),
    the images' places in the training set; ``epoch`` and ``step`` (both from 0; ``step`` counts through the
    whole training). Batches are compared by identity, so that what is computed on one can be kept for it.
    """

    images: Tensor
    labels: Tensor
    index: Tensor
    epoch: int
    step: int


class Stream:
    """Random access to the training batches of a seed, ``stream.batch(step)``, all on the data's device.

    Each epoch draws its order and its augmentation from two generators seeded by (seed, epoch): a resumed
    training needs no generator state, arms with the same seed see the same images, and without augmentation
    the order stays the same. The last batch of an epoch is short where the sizes do not divide.
    """

    def __init__(self, data: DataSet, config: TrainConfig, seed: int) -> None:
        self.data, self.config, self.seed = data, config, seed
        self.steps_per_epoch = -(-len(data) // config.batch_size)
        self._epoch = -1
        self._last: Batch | None = None

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 through all epochs; asked for again at once, the very same object."""
        if self._last is None or self._last.step != step:
            self._last = self._make(step)
        return self._last

    def sizes(self) -> Tensor:
        """Images in each batch of an epoch, float64 (steps_per_epoch,), on the CPU."""
        sizes = torch.full((self.steps_per_epoch,), self.config.batch_size, dtype=torch.float64)
        sizes[-1] = len(self.data) - self.config.batch_size * (self.steps_per_epoch - 1)
        return sizes

    def _make(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._draw(epoch)
        part = slice(place * self.config.batch_size, (place + 1) * self.config.batch_size)
        index = self._order[part]
        return Batch(self._images(index, part), self.data.labels[index], index, epoch, step)

    def _draw(self, epoch: int) -> None:
        count, device = len(self.data), self.data.device
        self._order = epoch_order(count, generator(self.seed, "order", epoch)).to(device)
        if self.config.augment:
            source = generator(self.seed, "augmentation", epoch)
            offsets, flips = draw_augmentation(count, source, self.config.pad, self.config.flip)
            self._offsets, self._flips = offsets.to(device), flips.to(device)
        self._epoch = epoch

    def _images(self, index: Tensor, part: slice) -> Tensor:
        images = self.data.images[index]
        if self.config.augment:
            images = apply_augmentation(images, self._offsets[part], self._flips[part], self.config.pad)
        if self.config.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return to_float(images)
