"""Encoders of parallel text in two languages, fitted once a seed; sections on stitching share them.

A seed splits documents into three parts: texts that encoders are fitted to (decoders learn from some of
them), texts that anchors are taken from, and texts that are tested.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lggkit.data import ParallelText, invented, verses
from lggkit.networks.text import StackedLinear, StackedNetworks, latent_semantic
from lggkit.protocol import Protocol
from lggkit.training.vectors import VectorTraining, minimise, shuffled_batches, stacked_cross_entropy

VIEWS = ("words", "characters")
NETWORKS = ("network", "network b")
"""Two trainings of the same network, of other initial weights and another order."""
SHARES = (0.5, 0.15, 0.35)
PURPOSES = ("split", "networks", "anchors", "heads", "tuning", "exact")
CORPORA = {"verses": verses, "invented": invented}


@dataclass(frozen=True)
class Bilingual(Protocol):
    """What the sections on text share; counts are passages, a class where they say so."""

    dataset: str = "verses"
    network: str = "text encoders and linear heads"
    width: int = 256
    features: int = 20_000
    fitted: int = 8000
    labelled: int = 400
    tested: int = 800
    pool: int = 2048
    anchors: int = 768
    network_epochs: int = 8


@dataclass(frozen=True)
class Encoded:
    """Latents of one seed by part, (e, n, d), encoders in the order of ``names``: (language, kind).

    ``untrained`` has the latents of the tested passages before the networks were trained; ``ordered`` says
    whether classes are.
    """

    names: tuple[tuple[str, str], ...]
    train: Tensor
    pool: Tensor
    test: Tensor
    train_labels: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    untrained: Tensor | None = None
    ordered: bool = False

    def of(self, kinds: tuple[str, ...], width: int | None = None) -> Encoded:
        """Only encoders of these kinds, of their first ``width`` features."""
        chosen = [i for i, (_, kind) in enumerate(self.names) if kind in kinds]
        parts = {name: getattr(self, name)[chosen, :, :width] for name in ("train", "pool", "test")}
        return replace(self, names=tuple(self.names[i] for i in chosen), **parts)


def source(seed: int, purpose: str) -> torch.Generator:
    """A generator for one purpose of a seed, whatever was drawn for others."""
    return torch.Generator().manual_seed(1000 * seed + PURPOSES.index(purpose))


def encoded(settings: Bilingual, seed: int, networks: bool = True) -> Encoded:
    """The encoders of a seed, fitted where they are not at hand."""
    names = ("dataset", "width", "features", "fitted", "labelled", "tested", "pool", "network_epochs")
    return _encoded(*(getattr(settings, name) for name in names), seed, networks)


@functools.lru_cache(maxsize=1)
def _encoded(
    dataset: str,
    width: int,
    features: int,
    fitted: int,
    labelled: int,
    tested: int,
    pool: int,
    network_epochs: int,
    seed: int,
    networks: bool,
) -> Encoded:
    text, parts = split_corpus(dataset, fitted, labelled, tested, pool, seed)
    latents = _fitted(text, parts, width, features, seed)
    labels = {name: text.labels[places] for name, places in parts.items()}
    names = tuple((language, view) for view in VIEWS for language in text.languages)
    encoders = Encoded(names, latents["train"], latents["pool"], latents["test"], labels["train"],
                       labels["test"], text.classes, ordered=text.ordered)  # fmt: skip
    return _with_networks(encoders, latents, labels, network_epochs, seed) if networks else encoders


def split_corpus(
    dataset: str, fitted: int, labelled: int, tested: int, pool: int, seed: int
) -> tuple[ParallelText, dict[str, Tensor]]:
    """A corpus, and places of a seed's parts: ``fit``, of which ``train`` is some, ``pool`` and ``test``."""
    text = _corpus(dataset)
    fit, anchors, test = text.split(SHARES, source(seed, "split"))
    parts = {"fit": fit[:fitted], "train": text.balanced(fit[:fitted], labelled)}
    parts |= {"pool": anchors[:pool], "test": text.balanced(test, tested)}
    if len(parts["pool"]) < pool:
        raise ValueError(f"{pool} anchors are to be had of {len(anchors)} passages; ask for a smaller pool")
    return text, parts


@functools.lru_cache(maxsize=1)
def _corpus(dataset: str) -> ParallelText:
    if dataset not in CORPORA:
        raise ValueError(f"there is no corpus {dataset!r}; choose one of {', '.join(CORPORA)}")
    return CORPORA[dataset]()


def _fitted(
    text: ParallelText, parts: dict[str, Tensor], width: int, features: int, seed: int
) -> dict[str, Tensor]:
    """Latents by part of both views of both languages, words first."""
    latents: dict[str, list[Tensor]] = {name: [] for name in parts}
    for view in VIEWS:
        for texts in text.texts.values():
            encoder = latent_semantic([texts[i] for i in parts["fit"].tolist()], view, width, features, seed)
            for name, places in parts.items():
                latents[name].append(encoder([texts[i] for i in places.tolist()]))
    return {name: torch.stack(by_encoder) for name, by_encoder in latents.items()}


def _with_networks(
    encoders: Encoded, latents: dict[str, Tensor], labels: dict[str, Tensor], epochs: int, seed: int
) -> Encoded:
    """Networks on the latents of words, two a language, trained by the labels of all fitted texts."""
    languages = [language for language, view in encoders.names if view == VIEWS[0]]
    inputs = {name: x[: len(languages)].repeat(len(NETWORKS), 1, 1) for name, x in latents.items()}
    generator, width = source(seed, "networks"), encoders.train.shape[-1]
    model = StackedNetworks(len(inputs["fit"]), width, width, generator)
    heads = StackedLinear(len(inputs["fit"]), width, len(encoders.classes), generator)
    with torch.no_grad():
        untrained = model(inputs["test"])
    training = VectorTraining(epochs, 128, 1e-3)
    minimise(
        [*model.parameters(), *heads.parameters()],
        lambda: shuffled_batches(len(labels["fit"]), training.batch_size, generator),
        lambda at: stacked_cross_entropy(heads(model(inputs["fit"][:, at])), labels["fit"][at]),
        training,
    )
    names = tuple((language, kind) for kind in NETWORKS for language in languages)
    with torch.no_grad():
        scale = model(inputs["train"]).square().mean((1, 2), keepdim=True).rsqrt()
        parts = {name: torch.cat([getattr(encoders, name), scale * model(inputs[name])])
                 for name in ("train", "pool", "test")}  # fmt: skip
    return replace(encoders, names=encoders.names + names, untrained=untrained, **parts)
