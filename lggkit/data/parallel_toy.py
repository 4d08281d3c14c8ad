"""Generated parallel text in two invented languages, for tests and where no corpus is at hand."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.data.parallel_text import ParallelText

SYLLABLES = {
    "left": ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu"],
    "right": ["che", "oun", "gri", "plo", "ess", "aud", "tre", "fla", "ion", "eux"],
}
TOPICS, CONCEPTS, LENGTH = 5, 240, 12
OWN = 0.35
"""The share of words that are from the topic's own fifth of the vocabulary."""


def invented(passages: int = 1200, per_document: int = 8, seed: int = 0) -> ParallelText:
    """Passages of twelve concepts, written in two languages whose words share no letter sequence.

    A passage has a topic, its label; a third of its concepts belong to the topic, the others are anybody's.
    Each language spells a concept in its own three syllables, and swaps neighbouring words in its own way.

    Args:
        passages: how many.
        per_document: passages of a document, all of one topic.
        seed: of everything.
    """
    generator = torch.Generator().manual_seed(seed)
    documents = torch.arange(passages) // per_document
    labels = torch.randint(TOPICS, (int(documents.max()) + 1,), generator=generator)[documents]
    concepts = _concepts(labels, generator)
    texts = {name: _written(concepts, name, generator) for name in SYLLABLES}
    return ParallelText(texts, labels, tuple(f"topic {i}" for i in range(TOPICS)), documents)


def _concepts(labels: Tensor, generator: torch.Generator) -> Tensor:
    shape, own = (len(labels), LENGTH), CONCEPTS // TOPICS
    # The product of two uniform numbers prefers low ranks, as words do.
    rank = torch.rand(shape, generator=generator) * torch.rand(shape, generator=generator)
    of_topic = labels.unsqueeze(1) * own + (rank * own).long()
    common = torch.randperm(CONCEPTS, generator=generator)[(rank * CONCEPTS).long()]
    return torch.where(torch.rand(shape, generator=generator) < OWN, of_topic, common)


def _written(concepts: Tensor, language: str, generator: torch.Generator) -> tuple[str, ...]:
    syllables = SYLLABLES[language]
    codes = torch.randperm(len(syllables) ** 3, generator=generator)[:CONCEPTS].tolist()
    words = [syllables[c // 100] + syllables[c // 10 % 10] + syllables[c % 10] for c in codes]
    order = torch.rand(concepts.shape, generator=generator).argsort(1)
    return tuple(" ".join(words[c] for c in row) for row in concepts.gather(1, order).tolist())
