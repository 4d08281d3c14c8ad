"""Parallel text: the same passages in two languages, with a label and the document that each is from."""

from __future__ import annotations

import csv
import gzip
import lzma
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from lggkit.data import files
from lggkit.data.checks import check_generator

VERSES = "parallel-text/verses.tsv.xz"
TESTAMENT = ("gospels and acts", "letters", "revelation")
OPENERS = {".xz": lzma.open, ".gz": gzip.open}
SEPARATORS = {".tsv": "\t", ".csv": ","}


@dataclass(frozen=True, eq=False)
class ParallelText:
    """Passages in two languages.

    Args:
        texts: for each language, its name and one text a passage, in the same order.
        labels: int64 (n,) in 0..len(classes)-1.
        classes: names, by label.
        documents: int64 (n,), which document (chapter, review) a passage is from; splits keep them whole.
        ordered: whether a label is the rank of its class, as of stars: then errors have a size.

    Raises:
        ValueError: there are not two languages, or lengths differ.
    """

    texts: Mapping[str, tuple[str, ...]]
    labels: Tensor
    classes: tuple[str, ...]
    documents: Tensor
    ordered: bool = False

    def __post_init__(self) -> None:
        sizes = [len(column) for column in (*self.texts.values(), self.labels, self.documents)]
        if len(self.texts) != 2 or len(set(sizes)) > 1:
            raise ValueError(
                f"there are {len(self.texts)} languages and lengths {sizes}; give two, a passage in each row"
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def languages(self) -> tuple[str, ...]:
        """The two names."""
        return tuple(self.texts)

    def subset(self, places: Tensor) -> ParallelText:
        """The passages at int64 places (m,), in that order."""
        chosen = places.tolist()
        texts = {name: tuple(passages[i] for i in chosen) for name, passages in self.texts.items()}
        return replace(self, texts=texts, labels=self.labels[places], documents=self.documents[places])

    def split(self, shares: Sequence[float], generator: torch.Generator) -> list[Tensor]:
        """Places of disjoint parts that share no document, in the order of ``shares``.

        Documents go to parts at random until each has its share of all documents; within a part passages are
        shuffled.

        Raises:
            TypeError: ``generator`` is none.
            ValueError: shares are not positive, or sum to more than 1.
        """
        check_generator(generator)
        if min(shares, default=0) <= 0 or sum(shares) > 1 + 1e-9:
            raise ValueError(f"shares are {tuple(shares)}; give positive numbers that sum to 1 at most")
        order = torch.randperm(int(self.documents.max()) + 1, generator=generator)
        rank = torch.argsort(order)[self.documents] / len(order)
        ends = [sum(shares[: i + 1]) for i in range(len(shares))]
        shuffled = torch.randperm(len(self), generator=generator)
        return [
            shuffled[((rank >= end - share - 1e-9) & (rank < end - 1e-9))[shuffled]]
            for share, end in zip(shares, ends, strict=True)
        ]

    def balanced(self, places: Tensor, per_class: int) -> Tensor:
        """The first ``per_class`` of the places in each class, classes one after the other.

        Raises:
            ValueError: a class has fewer.
        """
        by_class = [places[self.labels[places] == label][:per_class] for label in range(len(self.classes))]
        for name, members in zip(self.classes, by_class, strict=True):
            if len(members) < per_class:
                raise ValueError(
                    f"class {name} has {len(members)} passages here, not {per_class}: ask for fewer."
                )
        return torch.cat(by_class)


def read_table(
    file: str | os.PathLike[str],
    texts: Sequence[str],
    label: str = "label",
    documents: Sequence[str] = ("id",),
    joined: Mapping[str, str] | None = None,
    ordered: bool = False,
) -> ParallelText:
    """Any table of (id, label, text a, text b): ``.tsv`` or ``.csv``, plain or packed as ``.xz`` or ``.gz``.

    Args:
        file: UTF-8, a heading first; fields of a ``.tsv`` are taken as they are, without quotes.
        texts: the columns of the two languages, whose names become those of the languages.
        label: the column of labels.
        documents: the columns that together name a document.
        joined: labels that count as another, by name.
        ordered: whether labels are numbers whose order matters, as of stars.

    Returns:
        The passages in the order of the file; classes in alphabetical order, ordered ones by their numbers.

    Raises:
        DataUnavailable: there is no such file.
        ValueError: it is no such table, lacks a column, or holds no passage; ordered labels are no numbers.
    """
    path = Path(file)
    if not path.is_file():
        raise files.DataUnavailable(f"there is no {path}: put the table there, {files.ELSEWHERE}.")
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path.name} holds no passage below its heading: give one a row.")
    missing = {label, *texts, *documents} - {name for name, value in rows[0].items() if value is not None}
    if missing:
        raise ValueError(f"{path.name} lacks the column {', '.join(sorted(missing))}: name those it has.")
    named = [(joined or {}).get(row[label], row[label]) for row in rows]
    classes = tuple(sorted(set(named), key=_rank if ordered else None))
    return ParallelText(
        {name: tuple(row[name] for row in rows) for name in texts},
        _numbered(named, {name: i for i, name in enumerate(classes)}),
        classes,
        _numbered([tuple(row[name] for name in documents) for row in rows]),
        ordered,
    )


def verses(root: str | os.PathLike[str] | None = None) -> ParallelText:
    """31,102 verses in English and French, five classes of about the same size; documents are chapters.

    The World English Bible and Louis Segond's of 1910, both in the public domain. The three genres of the New
    Testament are one class.

    Args:
        root: the folder that holds the data sets, ``lggkit.data.root()`` by default.

    Raises:
        DataUnavailable: the file is not there.
    """
    folder = Path(root).expanduser() if root is not None else files.root()
    joined = dict.fromkeys(TESTAMENT, "new testament")
    return read_table(folder / VERSES, ("en", "fr"), "genre", ("book", "chapter"), joined)


def _rows(path: Path) -> list[dict[str, str]]:
    packed = OPENERS.get(path.suffix)
    kind = SEPARATORS.get(Path(path.stem).suffix if packed else path.suffix)
    if kind is None:
        raise ValueError(f"{path.name} is neither .tsv nor .csv, plain or with .xz or .gz: save it as one.")
    quoting = csv.QUOTE_NONE if kind == "\t" else csv.QUOTE_MINIMAL
    with (packed or open)(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=kind, quoting=quoting))


def _rank(label: str) -> float:
    try:
        return float(label)
    except ValueError:
        raise ValueError(f"a label is {label!r}: give numbers where they are ordered.") from None


def _numbered(values: Sequence, known: dict | None = None) -> Tensor:
    known = {value: i for i, value in enumerate(dict.fromkeys(values))} if known is None else known
    return torch.tensor([known[value] for value in values], dtype=torch.int64)
