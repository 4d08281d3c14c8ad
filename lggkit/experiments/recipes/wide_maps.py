"""A map from a layer that is about as wide as there are rows: least squares against ridge (article 1)."""

from __future__ import annotations

from typing import Any

import torch

from lggkit.evaluation import fgsm
from lggkit.evaluation.embedding_detector import EmbeddingDetector
from lggkit.evaluation.neighbors import latents_at
from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.embedded_pools import (
    LEAST,
    fitted,
    members_of,
    moved_by,
    parts_of,
    pool_of,
)
from lggkit.similarity import mapping_mse, r2_score


def interpolation(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Error, R² and AUROC of maps from the flattened convolutions, by rows and by ridge."""
    images, labels = pool_of(settings, context)
    parts, (epsilon,) = parts_of(len(images), seed), settings.epsilons
    source, target = members_of(settings, seed, context, (images, labels)).values()
    moved = fgsm(source.model, images, labels, epsilon=epsilon)
    wide = [latents_at(source.model, x, "flat") for x in (images, moved)]
    target = moved_by(target, settings, seed, (images, labels), epsilon)
    goal = [target.clean, target.moved]
    detector = EmbeddingDetector(settings.c).fit(*(x[parts["svm"]] for x in goal))
    metrics: dict[str, Any] = {"native": detector.auroc(*(x[parts["val"]] for x in goal))}
    metrics["width"] = float(wide[0].shape[1])
    truth = torch.cat([x[parts["val"]] for x in goal]).double()
    for rows in settings.rows:
        places = parts["map"][: rows // 2]
        sides = [torch.cat([x[places] for x in side]) for side in (wide, goal)]
        for name, ridge in (("ols", LEAST), ("ridge", settings.ridge)):
            carry = fitted(*sides, ridge)
            mapped = [carry(x[parts["val"]]) for x in wide]
            metrics[f"auroc_{name}_{rows}"] = detector.auroc(*mapped)
            metrics[f"mse_{name}_{rows}"] = mapping_mse(torch.cat(mapped), truth).item()
            metrics[f"r2_{name}_{rows}"] = r2_score(torch.cat(mapped), truth).item()
    return metrics, {}
