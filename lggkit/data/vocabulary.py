"""From texts to numbers: the most frequent words of a corpus, or sequences of letters within words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lggkit.data.checks import as_integer

UNITS = ("words", "characters")
UNKNOWN = 1
"""The id of what the vocabulary does not have; 0 is padding."""
KNOWN_FROM = 2
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Vocabulary:
    """``vocabulary(texts) -> ids``; made by `word_vocabulary`.

    Id 0 is padding, 1 what is unknown, and ``words[i]`` has id i + 2. ``length`` is that of every row.
    """

    words: tuple[str, ...]
    length: int
    unit: str = "words"

    def __len__(self) -> int:
        return len(self.words) + KNOWN_FROM

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Ids int64 (n, length): the first ``length`` units of each text, then padding.

        A text without any unit is one that is unknown, so that no row is empty.
        """
        rows = torch.zeros(len(texts), self.length, dtype=torch.int64)
        for row, text in zip(rows, texts, strict=True):
            found = [self._numbers.get(unit, UNKNOWN) for unit in units(text, self.unit)]
            known = torch.tensor((found or [UNKNOWN])[: self.length])
            row[: len(known)] = known
        return rows

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words, KNOWN_FROM)}


def word_vocabulary(
    texts: Sequence[str], size: int = 8000, length: int = 48, unit: str = "words"
) -> Vocabulary:
    """The most frequent units of some texts, ties in alphabetical order.

    Args:
        texts: what is counted.
        size: of the vocabulary at most, padding and the unknown included.
        length: of a row of ids; longer texts are cut.
        unit: ``"words"`` in lower case, or ``"characters"``, all three letters that follow each other in a
            word, its ends included.

    Raises:
        TypeError: ``texts`` is a single string, or a number is none.
        ValueError: there is no word, ``size`` is below 3 or ``length`` below 1, or there is no such unit.
    """
    if isinstance(texts, str):
        raise TypeError("texts is a single string: give a sequence of them.")
    size, length = as_integer("size", size, KNOWN_FROM + 1), as_integer("length", length, 1)
    counts = Counter(found for text in texts for found in units(text, unit))
    if not counts:
        raise ValueError(f"there is no word in {len(texts)} texts: give texts with words.")
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return Vocabulary(tuple(ranked[: size - KNOWN_FROM]), length, unit)


def units(text: str, unit: str = "words") -> Iterator[str]:
    """The words of a text, in lower case, or the sequences of three letters within them.

    Raises:
        ValueError: there is no such unit.
    """
    if unit not in UNITS:
        raise ValueError(f"unit is {unit!r}: choose one of {', '.join(UNITS)}.")
    words = _WORD.findall(text.lower())
    if unit == "words":
        return iter(words)
    return (padded[i : i + 3] for padded in (f" {word} " for word in words) for i in range(len(padded) - 2))
