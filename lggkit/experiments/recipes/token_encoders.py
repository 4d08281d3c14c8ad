"""Encoders of parallel text that are trained from the words on: two networks a language, by their labels."""

from __future__ import annotations

import functools
from typing import Protocol

import torch
from torch import Tensor, nn

from lggkit.data import ParallelText, TokenSet, Vocabulary, word_vocabulary
from lggkit.experiments.recipes.bilingual import Encoded, split_corpus
from lggkit.latents import latents
from lggkit.networks import WordNetwork
from lggkit.networks.seeds import derive
from lggkit.training import Cosine, TrainConfig, train_many

TOKENS = ("tokens", "tokens b")
"""Two trainings of the same network on ids of words, of other initial weights and another order."""
DEPTH = "penultimate"
CHUNK = 500


class Settings(Protocol):
    """What a training of such encoders depends on; the settings of a section have it."""

    dataset: str
    width: int
    fitted: int
    labelled: int
    tested: int
    pool: int
    vocabulary: int
    length: int
    token_epochs: int
    token_rate: float


def token_encoded(settings: Settings, seed: int) -> Encoded:
    """The encoders of a seed, on the same parts of the corpus as those of `encoded`; trained once."""
    return _encoded(*(getattr(settings, name) for name in Settings.__annotations__), seed)


@functools.lru_cache(maxsize=1)
def _encoded(
    dataset: str,
    width: int,
    fitted: int,
    labelled: int,
    tested: int,
    pool: int,
    vocabulary: int,
    length: int,
    epochs: int,
    rate: float,
    seed: int,
) -> Encoded:
    text, parts = split_corpus(dataset, fitted, labelled, tested, pool, seed)
    config = TrainConfig(epochs, 128, "adam", rate, weight_decay=0.0, schedule=Cosine())
    spaces: dict[tuple[str, str], list[Tensor]] = {}
    for language in text.languages:
        words = word_vocabulary(_texts(text, language, parts["fit"]), vocabulary, length)
        data = _tokens(text, language, parts["fit"], words)
        for kind, network in zip(TOKENS, _trained(data, width, config, language, seed), strict=True):
            ids = (words(_texts(text, language, parts[part])) for part in ("train", "pool", "test"))
            spaces[language, kind] = _scaled([_encode(network, part) for part in ids])
    names = tuple((language, kind) for kind in TOKENS for language in text.languages)
    stacked = (torch.stack(part) for part in zip(*(spaces[name] for name in names), strict=True))
    labels = (text.labels[parts[part]] for part in ("train", "test"))
    return Encoded(names, *stacked, *labels, text.classes, ordered=text.ordered)


def _texts(text: ParallelText, language: str, places: Tensor) -> list[str]:
    return [text.texts[language][i] for i in places.tolist()]


def _tokens(text: ParallelText, language: str, places: Tensor, words: Vocabulary) -> TokenSet:
    ids = words(_texts(text, language, places))
    return TokenSet(ids, text.labels[places], len(words), text.classes, f"texts in {language}")


def _trained(data: TokenSet, width: int, config: TrainConfig, language: str, seed: int) -> list[WordNetwork]:
    seeds = [derive(seed, language, kind) % 2**31 for kind in TOKENS]
    networks = [WordNetwork(data.vocabulary, len(data.classes), width, seed=each) for each in seeds]
    for result in train_many(networks, data, config, seeds=seeds):
        if result.diverged is not None:
            raise RuntimeError(f"an encoder in {language} diverged ({result.diverged}); lower its rate")
    return networks


def _encode(network: nn.Module, ids: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([latents(network, part, [DEPTH])[DEPTH] for part in ids.split(CHUNK)])


def _scaled(parts: list[Tensor]) -> list[Tensor]:
    """All parts by one number, so that entries of the first have mean square 1."""
    scale = parts[0].square().mean().rsqrt()
    return [scale * part for part in parts]
