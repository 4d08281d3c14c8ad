"""One detector of attacks for several networks, by linear maps (article 1): every pair, with its controls."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lggkit.evaluation.embedding_detector import SPECTRA, EmbeddingDetector, fourier_spectrum
from lggkit.evaluation.maps import accuracy
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.embedded_pools import (
    Member,
    fitted,
    members_of,
    moved_by,
    parts_of,
    pool_of,
)
from lggkit.similarity import mapping_mse, r2_score

Metrics = dict[str, Any]


def grid(settings: Any, seed: int, context: Context) -> tuple[Metrics, Metrics]:
    """Tables 2, 3 and 7 at every size of perturbation, with the controls that the article lacks.

    Names of metrics end in ε, in percent of the range of grey levels.
    """
    pool = pool_of(settings, context)
    parts, labels = parts_of(len(pool[0]), seed), pool[1].cpu()
    still = members_of(settings, seed, context, pool)
    accuracies = {name: _head(member, member.clean, labels) for name, member in still.items()}
    metrics = {"zero": 0.0, "half": 0.5} | {f"clean_{name}": value for name, value in accuracies.items()}
    metrics |= {f"error_{name}": 100 - value for name, value in accuracies.items()}
    metrics["worst_error"] = 100 - min(accuracies.values())
    for epsilon in settings.epsilons:
        members = {name: moved_by(m, settings, seed, pool, epsilon) for name, m in still.items()}
        scores = _at_size(members, parts, labels, settings)
        scores |= _with_accuracy(scores, accuracies)
        metrics |= {f"{name}_{100 * epsilon:g}": value for name, value in scores.items()}
    return metrics, {}


def _with_accuracy(scores: Metrics, accuracies: Mapping[str, float]) -> Metrics:
    """The correlation over networks of accuracy with AUROC, as sources and as targets."""
    own = list(accuracies.values())
    means = {side: [scores[f"{side}_mean_{name}"] for name in accuracies] for side in ("source", "target")}
    return {f"{side}_accuracy_correlation": _pearson(own, values) for side, values in means.items()}


def _pearson(x: list[float], y: list[float]) -> float:
    return float(np.corrcoef(x, y)[0, 1]) if np.ptp(x) and np.ptp(y) else 0.0


def _at_size(members: Mapping[str, Member], parts: Mapping[str, Tensor], labels: Tensor, settings: Any):
    truth, names = labels[parts["val"]], tuple(members)
    detectors = {t: _detector(m.clean, m.moved, parts, settings) for t, m in members.items()}
    own = {t: _native(m, detectors[t], parts, settings) for t, m in members.items()}
    cells = {
        (s, t): _carried(members[s], members[t], detectors[t], parts, truth)
        for s, t in permutations(names, 2)
    }
    metrics: Metrics = {}
    for t, scores in own.items():
        metrics |= {f"native_{t}": scores["native"], f"own_{t}": _head(members[t], members[t].moved, labels)}
        into = _means([cells[s, t] for s in names if s != t])
        metrics |= {f"head_{t}": into["head"], f"mse_into_{t}": into["mse"], f"r2_into_{t}": into["r2"]}
    for s, t in cells:
        metrics |= {f"{what}_{s}_{t}": cells[s, t][what] for what in ("mapped", "mse", "r2", "residue")}
    metrics["still_right"] = float(np.mean([metrics[f"own_{t}"] for t in names]))
    gaps = [abs(cells[s, t]["mapped"] - own[t]["native"]) for s, t in cells]
    metrics |= {"worst_gap": max(gaps), "head_gap": _worst(metrics, names)}
    metrics |= _means(own.values()) | _means(cells.values()) | _shares(cells, own, names)
    for kind in SPECTRA if settings.spectra else ():
        metrics |= _spectrum(members, parts, kind, settings)
    return metrics


def _worst(metrics: Metrics, names: tuple[str, ...]) -> float:
    return max(abs(metrics[f"head_{t}"] - metrics[f"own_{t}"]) for t in names)


def _means(tables: Any) -> Metrics:
    tables = list(tables)
    return {what: float(np.mean([table[what] for table in tables])) for what in tables[0]}


def _detector(clean: Tensor, moved: Tensor, parts: Mapping[str, Tensor], settings: Any) -> EmbeddingDetector:
    return EmbeddingDetector(settings.c).fit(clean[parts["svm"]], moved[parts["svm"]])


def _native(member: Member, detector: EmbeddingDetector, parts: Mapping[str, Tensor], settings: Any):
    """In a network's own space: the detector, and whether it sees the attack or that something moved."""
    clean, moved, signs = member.part(parts["val"])
    scores = {"native": detector.auroc(clean, moved), "native_svm": 100 * detector.accuracy(clean, moved)}
    if settings.perturbation == "signs":
        return scores
    noise = _detector(member.clean, member.signs, parts, settings)
    apart = _detector(member.signs, member.moved, parts, settings)
    return scores | {
        "told_apart": detector.auroc(signs, moved),
        "trained_apart": apart.auroc(signs, moved),
        "noise_detector": noise.auroc(clean, moved),
    }


def _carried(source: Member, target: Member, detector: EmbeddingDetector, parts, truth: Tensor) -> Metrics:
    """One cell of the grid: a source's embeddings in the target's space, before the target's detector."""
    (clean, moved, signs), (to_clean, to_moved, _) = (m.part(parts["map"]) for m in (source, target))
    both = torch.cat([clean, moved]), torch.cat([to_clean, to_moved])
    maps = {
        "mapped": fitted(*both),
        "alone": fitted(moved, to_moved),
        "affine": fitted(*both, intercept=True),
    }
    sets, (own_clean, own_moved, _) = source.part(parts["val"]), target.part(parts["val"])
    clean, moved, signs = (maps["mapped"](x) for x in sets)
    scores = {name: detector.auroc(carry(sets[0]), carry(sets[1])) for name, carry in maps.items()}
    return scores | {
        "mapped_svm": 100 * detector.accuracy(clean, moved),
        "clean_target": detector.auroc(own_clean, moved),
        "residue": detector.auroc(own_clean, clean),
        "mapped_apart": detector.auroc(signs, moved),
        "r2": r2_score(moved, own_moved.double()).item(),
        "mse": mapping_mse(moved, own_moved.double()).item(),
        "head": _head(target, moved, truth),
    }


@torch.no_grad()
def _head(member: Member, embeddings: Tensor, labels: Tensor) -> float:
    """The accuracy (%) of a network's last layer on embeddings of its penultimate one."""
    head = member.model.model.classifier
    return accuracy(head(embeddings.to(head.weight)).cpu(), labels)


def _shares(cells: Mapping, own: Mapping, names: tuple[str, ...]) -> Metrics:
    """The shares (%) of sources and of targets in the sum of squares between all cells, diagonal included."""
    table = np.array([[own[t]["native"] if s == t else cells[s, t]["mapped"] for s in names] for t in names])
    middle = table.mean()
    total = max(((table - middle) ** 2).sum(), np.finfo(float).tiny)
    of = {"source": table.mean(0), "target": table.mean(1)}
    return {
        f"{side}_share": float(100 * len(names) * ((m - middle) ** 2).sum() / total) for side, m in of.items()
    } | {
        f"{side}_mean_{name}": float(m) for side, ms in of.items() for name, m in zip(names, ms, strict=True)
    }


def _spectrum(
    members: Mapping[str, Member], parts: Mapping[str, Tensor], kind: str, settings: Any
) -> Metrics:
    """The baseline: spectra in the place of embeddings, for the detector and for the maps."""
    spectra = {name: [fourier_spectrum(x, kind) for x in (m.clean, m.moved)] for name, m in members.items()}
    native, mapped = [], []
    for t, target in spectra.items():
        detector = _detector(*target, parts, settings)
        native.append(detector.auroc(*(x[parts["val"]] for x in target)))
        for s in set(spectra) - {t}:
            sides = (torch.cat([x[parts["map"]] for x in spectra[side]]) for side in (s, t))
            carry = fitted(*sides)
            mapped.append(detector.auroc(*(carry(x[parts["val"]]) for x in spectra[s])))
    return {f"{kind}_native": float(np.mean(native)), kind: float(np.mean(mapped))}
