"""RDMs of the 92 objects: those of brains, of models that come with the set, and of models made here."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit import networks, similarity
from lggkit.data.objects92 import Objects, generated_objects, load_objects92
from lggkit.graph import cut_accuracy
from lggkit.latents import latents

PUBLISHED = "92 objects"
RULES = {"corrected": "corrected", "published": "as_published"}
"""The rules of a cut, as metrics name them."""
LEVEL = 0.95
SHIPPED = {
    "animacy": "animacy",
    "four_categories": "FaceBodyManmadeNatobj",
    "early_visual": "EVA",
    "hmax": "HMAX",
    "v1": "V1",
    "silhouette": "Silhouette",
    "radon": "RADON",
}
"""Arms whose RDM comes with the set, and its name there."""


@cache
def objects_of(dataset: str) -> Objects:
    """The set of a protocol: the published one, or generated numbers of the same form."""
    return load_objects92() if dataset == PUBLISHED else generated_objects(6)


def cut_null(cut: Tensor, labels: Tensor, draws: int) -> float:
    """The accuracy that one of twenty permutations of the labels reaches."""
    generator = torch.Generator().manual_seed(0)
    order = torch.rand(draws, len(labels), generator=generator).argsort(1)
    return 100 * torch.quantile(cut_accuracy(cut, labels[order]), LEVEL).item()


def rdm_of(name: str, found: Objects, seed: int) -> Tensor:
    """The RDM of a name; some depend on the person, number ``seed``."""
    people = found.human.mean(1)
    if name in SHIPPED:
        return found.models[SHIPPED[name]]
    others = torch.cat((people[:seed], people[seed + 1 :]))
    made = {
        "person": lambda: people[seed],
        "others": lambda: others.mean(0),
        "mean": lambda: people.mean(0),
        "monkey": lambda: found.monkey,
        "judgements": lambda: found.judgements.mean(0),
        "pixels": lambda: similarity.compute_rdm(found.images.double().flatten(1)),
        "categories": lambda: _fit(found, others).prediction,
        "untrained": lambda: _untrained(found, seed),
    }
    return made[name]()


def _fit(objects: Objects, targets: Tensor) -> similarity.WeightedRDM:
    return similarity.fit_weighted_rdm(similarity.category_rdms(objects.labels), targets)


def fits(found: Objects, person: int) -> dict[str, Any]:
    """What the weighted model gains where it is fitted to the person whom it predicts."""
    target = found.human.mean(1)[person]
    own = _fit(found, target)
    value = similarity.compare_rdms(own.prediction, target).item()
    return {"pearson_in_sample": value, "weights": own.weights.tolist()}


def _untrained(objects: Objects, seed: int) -> Tensor:
    """The depth of a random ResNet-18 that is most like the four categories, as the article chooses it."""
    small = F.interpolate(objects.images.float() / 255, (32, 32), mode="bilinear", antialias=True)
    model = networks.build("resnet18", seed, classes=10, width=16).eval()
    with torch.no_grad():
        by_depth = latents(model, small, tuple(model.depths))
    rdms = [similarity.compute_rdm(x.double()) for x in by_depth.values()]
    like = (objects.labels[:, None] != objects.labels[None]).double()
    return max(rdms, key=lambda rdm: similarity.compare_rdms(rdm, like).item())
