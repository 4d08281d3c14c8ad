"""How like people's a network's representation is: their confusions, and their cortex (article 6)."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.data.human_labels import generated_counts, load_cifar10h
from lggkit.evaluation import error_rate, predict
from lggkit.evaluation.neighbors import latents_at
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.brain_rdms import RULES, cut_null, objects_of
from lggkit.graph import cut_accuracy, fiedler_cut
from lggkit.similarity import compare_rdms, compare_within, compute_rdm

DRAW_SEED = 60_600
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
CONTROLS = ("category", "pairs")
"""What pairs of images are compared within: equal or different classes, and each pair of classes."""
SETS = ("balanced", "ambiguous")


def shares_of(test: DataSet, dataset: str) -> Tensor:
    """Which share of people chose each class for each test image, float64 (n, c); generated elsewhere."""
    known = dataset == "cifar10"
    counts = load_cifar10h() if known else generated_counts(test.labels, len(test.classes))
    return counts.double() / counts.sum(1, keepdim=True)


def hellinger_rdm(shares: Tensor) -> Tensor:
    """``R_ij = √(1 - Σ_c √(p_ic p_jc))`` of distributions (m, c), in [0, 1]."""
    root = shares.double().sqrt()
    rdm = (1 - root @ root.T).clamp(0, 1).sqrt()
    return ((rdm + rdm.T) / 2).fill_diagonal_(0)


def entropy(shares: Tensor) -> Tensor:
    """Of distributions (m, c), in nats."""
    return -torch.special.xlogy(shares, shares).sum(1)


def chosen_images(labels: Tensor, shares: Tensor, count: int) -> dict[str, Tensor]:
    """Places of two sets of ``count`` images, as many of each class: drawn, and the most ambiguous ones."""
    source = torch.Generator().manual_seed(DRAW_SEED)
    drawn = torch.rand(len(labels), generator=source, dtype=torch.float64)
    each = count // len(labels.unique())
    return {
        name: torch.cat([_first(labels == c, score, each) for c in labels.unique()])
        for name, score in zip(SETS, (drawn, entropy(shares)), strict=True)
    }


def _first(members: Tensor, score: Tensor, count: int) -> Tensor:
    (places,) = torch.nonzero(members, as_tuple=True)
    return places[score[places].argsort(descending=True, stable=True)[:count]].sort().values


def groups_of(labels: Tensor) -> dict[str, Tensor]:
    """The groups of pairs of images that `CONTROLS` name, integers (m, m)."""
    low, high = (f(labels[:, None], labels[None]) for f in (torch.minimum, torch.maximum))
    return {"category": (labels[:, None] == labels).long(), "pairs": low * (labels.max() + 1) + high}


def likeness_to_people(
    model: nn.Module, test: DataSet, shares: Tensor, count: int, answers: bool = True
) -> dict[str, float]:
    """Rank correlations of RDMs with people's, of features and ``answers``, raw and within `CONTROLS`."""
    metrics: dict[str, float] = {}
    for name, places in chosen_images(test.labels.cpu(), shares, count).items():
        features = latents_at(model, test.images[places], "penultimate").double()
        rdms = {"features": compute_rdm(features)}
        if answers:
            logits = predict(model, test.images[places]).cpu().double()
            rdms["answers"] = hellinger_rdm(logits.softmax(1))
        people, groups = hellinger_rdm(shares[places]), groups_of(test.labels[places].cpu())
        for what, rdm in rdms.items():
            metrics[f"{what}_{name}"] = compare_rdms(rdm, people, "spearman").item()
            for control in CONTROLS:
                metrics[f"{what}_{name}_{control}"] = compare_within(rdm, people, groups[control]).item()
        if name == "balanced":
            metrics |= _cuts(rdms["features"], animals_of(test)[places])
    return metrics


def answers_beside(model: nn.Module, test: DataSet, shares: Tensor, count: int) -> dict[str, float]:
    """The error on the first ``count`` test images in percent, and the cross-entropy of people's labels.

    The latter is in nats an image: ``-Σ_c p_c log q_c``, people's shares p and the network's answers q.
    """
    logits = predict(model, test.images[:count]).cpu().double()
    nats = -(shares[:count] * logits.log_softmax(1)).sum(1).mean()
    return {"test_error": error_rate(logits, test.labels[:count].cpu()), "label_nats": float(nats)}


def animals_of(test: DataSet) -> Tensor:
    """Which images are of animals; of classes that name none, the first half of the classes."""
    animals = [name in ANIMALS for name in test.classes]
    if not any(animals):
        animals = [2 * place < len(animals) for place in range(len(animals))]
    return torch.tensor(animals)[test.labels.cpu()]


def _cuts(rdm: Tensor, labels: Tensor) -> dict[str, float]:
    """Balanced accuracies in percent of the cut by both rules, and what one of twenty permutations has."""
    cuts = {name: fiedler_cut(1 - rdm, rule) for name, rule in RULES.items()}
    found = {f"cut_{name}": 100 * cut_accuracy(cut, labels).item() for name, cut in cuts.items()}
    return found | {"cut_null": cut_null(cuts["corrected"], labels, draws=200)}


@cache
def stimuli(dataset: str, channels: int, side: int) -> Tensor:
    """The objects' images at the size that a network sees, uint8 (m, channels, side, side)."""
    small = F.interpolate(
        objects_of(dataset).images.float(), (side, side), mode="bilinear", antialias=True
    ).clamp(0, 255)
    grey = small.mean(1, keepdim=True) if channels == 1 else small
    return grey.round().to(torch.uint8)


def likeness_to_cortex(model: nn.Module, test: DataSet, dataset: str) -> dict[str, Any]:
    """Correlations with people's mean IT: at the input and three depths, at the last within categories."""
    objects = objects_of(dataset)
    images, person = stimuli(dataset, *test.images.shape[1:3]), objects.human.mean((0, 1))
    names = list(model.depths)
    depths = ("input", names[0], names[len(names) // 2], "penultimate")
    rdms = [compute_rdm(latents_at(model, images, depth).double()) for depth in depths]
    groups = groups_of(objects.labels)["category"]
    return {
        "it_all_depths": [compare_rdms(rdm, person).item() for rdm in rdms],
        "it": compare_rdms(rdms[-1], person).item(),
        "it_category": compare_within(rdms[-1], person, groups, "pearson").item(),
    }


def likeness(model: nn.Module, settings: Any, context: Context, answers: bool = True) -> dict[str, Any]:
    """All of it on the test images of ``settings``; ``answers`` are of trained networks only."""
    dataset = settings.families.dataset
    test, model = context.data(dataset, train=False), model.to(memory_format=torch.channels_last)
    shares = shares_of(test, dataset)
    metrics = likeness_to_people(model, test, shares, settings.compared, answers)
    metrics |= likeness_to_cortex(model, test, settings.objects)
    return metrics | answers_beside(model, test, shares, settings.tested) if answers else metrics
