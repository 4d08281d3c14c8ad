"""Labelled sets of something else than images: vectors, and texts as numbers of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lggkit.data.checks import as_integer, as_labels, as_tensor, check_range, class_names, described
from lggkit.data.labelled import LabelledSet

PADDING = 0


@dataclass(frozen=True, eq=False)
class VectorSet(LabelledSet):
    """Labelled vectors; a network is given them as they are.

    ``augment``, ``pad``, ``flip`` and ``channels_last`` of a training are of images and do nothing here.

    Args:
        vectors: float32 (n, d), finite (seen on the CPU only); a tensor or an array.
        labels: integers (n,) of any kind, from 0 on.
        classes: names, by label; by default the numbers from 0 to the largest label, which waits for the
            device.
        name: of the set, in checkpoints and sentences.
        split: ``"train"`` or ``"test"``.
        sub_batch: None, or how many of each class a training batch holds, see `class_order`.

    Raises:
        TypeError: vectors or labels are neither tensor nor array, or sub_batch is no integer.
        ValueError: dtypes or shapes do not fit together, an entry is not finite, a label has no class, or
            sub_batch is below 1.
    """

    SAMPLE: ClassVar[str] = "vector"

    vectors: Tensor
    labels: Tensor
    classes: tuple[str, ...] | None = None
    name: str = "vectors"
    split: str = "train"
    sub_batch: int | None = None

    def __post_init__(self) -> None:
        vectors = as_tensor("vectors", self.vectors)
        if vectors.dtype != torch.float32 or vectors.ndim != 2 or not vectors.shape[1]:
            raise ValueError(f"vectors must be float32 (n, d), not {described(vectors)}: convert them first.")
        if vectors.device.type == "cpu" and (bad := (~vectors.isfinite()).any(1).nonzero()).numel():
            raise ValueError(f"vector {int(bad[0])} has an entry that is not finite: give numbers only.")
        _settle(self, vectors)


@dataclass(frozen=True, eq=False)
class TokenSet(LabelledSet):
    """Labelled texts as ids of words, such as a `Vocabulary` gives; a network is given the ids.

    ``augment``, ``pad``, ``flip`` and ``channels_last`` of a training are of images and do nothing here.

    Args:
        ids: int64 (n, length) in 0..vocabulary-1, 0 being padding, wherever it stands; every text has an id
            besides (both seen on the CPU only). A tensor or an array.
        labels: integers (n,) of any kind, from 0 on.
        vocabulary: how many ids there are, padding included.
        classes: names, by label; by default the numbers from 0 to the largest label, which waits for the
            device.
        name: of the set, in checkpoints and sentences.
        split: ``"train"`` or ``"test"``.
        sub_batch: None, or how many of each class a training batch holds, see `class_order`.

    Raises:
        TypeError: ids or labels are neither tensor nor array, or vocabulary or sub_batch is no integer.
        ValueError: dtypes or shapes do not fit together, an id is not of the vocabulary, a text is padding
            throughout, a label has no class, or sub_batch is below 1.
    """

    SAMPLE: ClassVar[str] = "text"

    ids: Tensor
    labels: Tensor
    vocabulary: int
    classes: tuple[str, ...] | None = None
    name: str = "texts"
    split: str = "train"
    sub_batch: int | None = None

    def __post_init__(self) -> None:
        ids = as_tensor("ids", self.ids)
        object.__setattr__(self, "vocabulary", as_integer("vocabulary", self.vocabulary, 2))
        if ids.dtype != torch.int64 or ids.ndim != 2 or not ids.shape[1]:
            raise ValueError(f"ids must be int64 (n, length), not {described(ids)}: convert them first.")
        if ids.device.type == "cpu" and ids.numel():
            _check_ids(ids, self.vocabulary)
        _settle(self, ids)


def _check_ids(ids: Tensor, vocabulary: int) -> None:
    low, high = (int(value) for value in ids.aminmax())
    if low < 0 or high >= vocabulary:
        raise ValueError(
            f"ids run from {low} to {high}, but the vocabulary has {vocabulary}, padding included: "
            "number the words from 1, and give the size that they need."
        )
    if (empty := (ids == PADDING).all(1).nonzero()).numel():
        raise ValueError(f"text {int(empty[0])} is padding throughout: leave it out, or give it an id.")


def _settle(one: VectorSet | TokenSet, samples: Tensor) -> None:
    """Samples, labels and classes as they are kept."""
    labels = as_labels(one.labels, len(samples), one.SAMPLE).to(samples.device)
    classes = one.classes if isinstance(one.classes, tuple) else class_names(labels, one.classes)
    check_range(labels, len(classes))
    kept = {one._first: samples, "labels": labels, "classes": classes}
    for name, value in kept.items():
        object.__setattr__(one, name, value)
    one._settle_sub_batch()
