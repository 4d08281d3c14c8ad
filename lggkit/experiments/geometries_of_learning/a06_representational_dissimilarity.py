"""Paper 5, article 6: RDMs of brains and models, and Fiedler cuts of them, on the 92 objects.

A seed is a person: seed i compares an arm's RDM with that of person i's inferior temporal cortex (IT), so
that intervals are over people. Nothing is trained.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from lggkit import similarity
from lggkit.data.objects92 import Objects
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.brain_rdms import LEVEL, PUBLISHED, RULES, cut_null, fits, objects_of, rdm_of
from lggkit.graph import cut_accuracy, fiedler_cut, fiedler_vector
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.similarity.comparison import METHODS

BRAINS = ("person", "others", "mean", "monkey")


@dataclass(frozen=True)
class Settings(Protocol):
    """How often stimuli are drawn anew, labels permuted, and below which share a cut has failed."""

    dataset: str = PUBLISHED
    rdm: str = ""
    resamples: int = 500
    permutations: int = 2000
    failed_below: float = 0.6
    subsample: float = 0.632


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: how an RDM compares with a person's, and what its cuts find."""
    for spec in specs:
        start = time.monotonic()
        metrics, arrays = _identities(spec) if spec.arm == "exact" else _of_rdm(spec)
        seconds = time.monotonic() - start
        yield context.record(
            spec, metrics, arrays=arrays, seconds=seconds, precision="float64", path="cpu, float64"
        )


def _of_rdm(spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    settings, objects = spec.protocol, objects_of(spec.protocol.dataset)
    people = objects.human.mean(1)
    person, rdm, metrics = people[spec.seed], rdm_of(settings.rdm, objects, spec.seed), {}
    if settings.rdm == "person":
        low, high = similarity.noise_ceiling(people)
        sessions = similarity.compare_rdms(*objects.human[spec.seed])
        ends = {"ceiling_low": low[spec.seed], "ceiling_high": high[spec.seed], "pearson_sessions": sessions}
        metrics |= {name: value.item() for name, value in ends.items()}
    else:
        metrics |= {method: similarity.compare_rdms(rdm, person, method).item() for method in METHODS}
        over = similarity.compare_resampled(rdm, person, settings.resamples, seed=spec.seed)
        metrics |= {"pearson_low": over.low, "pearson_high": over.high}
        metrics["threefold_pearson"] = 3 * metrics["pearson"]
    if settings.rdm == "categories":
        metrics |= fits(objects, spec.seed)
    cuts, arrays = _cuts(rdm, objects, spec)
    return metrics | cuts, arrays


def _cuts(rdm: Tensor, objects: Objects, spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """Accuracies in percent of the cuts by both rules: animate against not, and pairs of categories."""
    settings, animate = spec.protocol, objects.animate
    pairs = similarity.rdm_vector(rdm)
    metrics: dict[str, Any] = {"negative_share": 100 * (pairs > 1).double().mean().item()}
    arrays: dict[str, Any] = {}
    for name, rule in RULES.items():
        accuracy = partial(_accuracy, rdm, animate, rule)
        everyone = torch.arange(len(rdm))[None]
        cut = fiedler_cut(1 - rdm, rule)
        metrics[f"accuracy_{name}"] = accuracy(everyone).item()
        metrics |= {f"null_{name}": cut_null(cut, animate, settings.permutations)}
        metrics[f"pairs_{name}"] = [
            _pair(rdm, objects.labels, two, rule) for two in combinations(range(4), 2)
        ]
        if settings.rdm in BRAINS:
            drawn = similarity.bootstrap_stimuli(accuracy, len(rdm), settings.resamples, LEVEL, spec.seed)
            size = round(settings.subsample * len(rdm))
            alone = similarity.subsample_stimuli(accuracy, len(rdm), size, settings.resamples, spec.seed)
            least = 100 * settings.failed_below
            metrics |= {f"accuracy_{name}_low": drawn.low, f"accuracy_{name}_high": drawn.high}
            metrics[f"failed_{name}"] = 100 * float((drawn.values < least).mean())
            metrics[f"failed_{name}_subsampled"] = 100 * float((alone < least).mean())
            arrays[f"bootstrap_{name}"] = drawn.values.astype("float32")
            arrays[f"vector_{name}"] = fiedler_vector(1 - rdm, rule)[1].numpy()
    metrics["correction_gain"] = metrics["accuracy_corrected"] - metrics["accuracy_published"]
    if settings.rdm in ("person", "mean"):
        arrays |= {"rdm": rdm.numpy().astype("float32"), "labels": objects.labels.numpy()}
    return metrics, arrays


def _accuracy(rdm: Tensor, labels: Tensor, rule: str, places: Tensor) -> Tensor:
    cut = fiedler_cut(1 - similarity.resampled_rdm(rdm, places), rule)
    return 100 * cut_accuracy(cut, labels[places])


def _pair(rdm: Tensor, labels: Tensor, two: tuple[int, int], rule: str) -> float:
    (places,) = torch.nonzero((labels == two[0]) | (labels == two[1]), as_tuple=True)
    return _accuracy(rdm, labels == two[0], rule, places[None]).item()


def _identities(spec: Spec) -> tuple[dict[str, Any], dict[str, Any]]:
    """What holds of any signed graph, on random ones."""
    generator = torch.Generator().manual_seed(spec.seed)
    rdm = 2 * torch.rand(20, 12, 12, generator=generator, dtype=torch.float64)
    a = 1 - (rdm + rdm.mT) / 2
    value, vector = fiedler_vector(a)
    shifted, _ = fiedler_vector((1 + a) / 2, "as_published")
    basis = torch.linalg.qr(torch.cat((torch.ones(12, 1).double(), torch.eye(12, 11).double()), 1)).Q[:, 1:]
    weights = a - torch.diag_embed(a.diagonal(dim1=-2, dim2=-1))
    laplacian = torch.diag_embed(weights.sum(-1)) - weights
    least = torch.linalg.eigvalsh(basis.T @ laplacian @ basis)[:, 0]
    side = torch.arange(10) < 5
    blocks = torch.where(side[:, None] == side[None], 0.8, -0.3).double()
    missed = fiedler_vector(blocks, "as_published")[1]
    violation = torch.stack(((value - least).abs().max(), vector.sum(-1).abs().max()))
    return {
        "minimiser_violation": violation.max().item(),
        "shift_violation": (shifted - (12 + value) / 2).abs().max().item(),
        "constant_violation": (missed - missed.mean()).abs().max().item(),
    }, {}


PAPER = Settings()
SMOKE = replace(PAPER, dataset="generated objects", resamples=20, permutations=50)
TITLES = {
    "categories": "categories, weighted on other people",
    "animacy": "animate or not",
    "four_categories": "four categories",
    "monkey": "monkey IT",
    "judgements": "judgements of similarity",
    "early_visual": "early visual cortex",
    "hmax": "HMAX",
    "v1": "V1 model",
    "silhouette": "silhouette",
    "radon": "Radon",
    "pixels": "pixels",
    "untrained": "untrained ResNet-18",
    "person": "the person",
    "others": "mean of the others",
    "mean": "mean of all",
}

EXPERIMENT = Experiment(
    name="geometries_of_learning/a06_representational_dissimilarity",
    title="Representational dissimilarity of brains and models, and Fiedler cuts",
    protocols={
        "smoke": SMOKE,
        "short": replace(PAPER, resamples=50),
        "reduced": replace(PAPER, resamples=200),
        "paper": PAPER,
    },
    arms=(*(Arm(n, t, {"rdm": n}) for n, t in TITLES.items()), Arm("exact", "exact claims", table=False)),
    seeds={"smoke": 2, "short": 4, "reduced": 4, "paper": 4},
    ablation_seeds={"smoke": 1, "short": 4, "reduced": 4, "paper": 4},
    measure=measure,
    minutes={"smoke": 0.01, "short": 0.05, "reduced": 0.1, "paper": 0.2},
    priority=40,
)
