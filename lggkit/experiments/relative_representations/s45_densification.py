"""Paper 4, sections 4 and 5: topological densification before and after the robust relative map.

Encoders are networks on the frozen features of sections 1 to 3 (words and characters, two languages),
trained together with their heads. Anchors are encoded anew every few steps and constant in between, as in
the authors' code. A batch has one class-pure sub-batch of each class. The arms ``plain`` and ``densified``
have no relative map and few labels: the setting of the work that the poster builds on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from lggkit.data import class_batches
from lggkit.evaluation.components import connection_violations
from lggkit.evaluation.stitching import spread_to_margin, stitched_scores
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.bilingual import VIEWS, encoded, source
from lggkit.experiments.recipes.densified import Settings, Tuned
from lggkit.experiments.recipes.stitched import decoder_of, scored
from lggkit.record import Record, Spec
from lggkit.topology import component_deaths

Found = tuple[dict[str, Any], dict[str, Any], dict[str, list[float]]]


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec; features of a seed are fitted once."""
    for spec in sorted(specs, key=lambda spec: spec.seed):
        start = time.monotonic()
        metrics, arrays, more = _exact(spec) if spec.arm == "exact" else _tuned(spec)
        how = {"path": "cpu", "precision": "float64" if spec.arm == "exact" else "float32"}
        yield context.record(spec, metrics | more, arrays=arrays, seconds=time.monotonic() - start, **how)


def _tuned(spec: Spec) -> Found:
    tuned = Tuned(spec.protocol, encoded(spec.protocol, spec.seed, False).of(VIEWS), spec.seed)
    losses = tuned.train()
    latents, coordinates = tuned.tested()
    metrics, arrays = (_stitched if spec.protocol.relative else _alone)(tuned, latents, coordinates)
    deaths, arrays_of_deaths = _deaths(tuned, latents, coordinates)
    return metrics | deaths, arrays | arrays_of_deaths, {"final_loss": losses[-1]}


def _decoders(tuned: Tuned) -> list[Callable[[Tensor], Tensor]]:
    parts = tuned.heads.requires_grad_(False)
    return [decoder_of(weight, bias) for weight, bias in zip(parts.weight, parts.bias, strict=True)]


def _stitched(tuned: Tuned, latents: Tensor, coordinates: Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
    labels, names = tuned.held.test_labels, tuned.held.names
    scores = stitched_scores(
        list(coordinates), _decoders(tuned), labels, len(tuned.held.classes), tuned.held.ordered
    )
    accuracy = scores["accuracy"]
    foreign = accuracy[~torch.eye(len(accuracy), dtype=torch.bool)]
    metrics, arrays = scored(scores, names)
    return metrics | {"accuracy_pair_sd": foreign.std().item()}, arrays


def _alone(tuned: Tuned, latents: Tensor, coordinates: Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Errors with few labels, and how wide classes are beside their distance to the boundary."""
    labels, heads = tuned.held.test_labels, tuned.heads.requires_grad_(False)
    with torch.no_grad():
        fitted = heads(tuned.network(tuned.held.train)).argmax(-1) == tuned.held.train_labels
    ratios = [
        spread_to_margin(x, labels, w, b[:, 0])
        for x, w, b in zip(coordinates, heads.weight, heads.bias, strict=True)
    ]
    errors = {
        "test_error": 100 * (heads(coordinates).argmax(-1) != labels).double().mean().item(),
        "train_error": 100 * (~fitted).double().mean().item(),
    }
    return errors | {"spread_to_margin_ratio": sum(ratios) / len(ratios)}, {}


def _deaths(tuned: Tuned, latents: Tensor, coordinates: Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Death times of sub-batches of tested samples of one class, before and after the map."""
    settings, labels = tuned.settings, tuned.held.test_labels
    generator = torch.Generator().manual_seed(0)
    batches = list(class_batches(labels, settings.sub_batch, generator))[: settings.held_out]
    places, metrics, arrays = torch.cat(batches), {}, {}
    parts = {"before": latents, "after": coordinates} if settings.relative else {"before": latents}
    for name, x in parts.items():
        deaths = component_deaths(x[:, places])
        size = (x - x.mean(1, keepdim=True)).square().sum(-1).mean().sqrt()
        metrics[f"death_distance_to_beta_{name}"] = (deaths - settings.beta).abs().mean().item()
        metrics[f"death_{name}"] = deaths.mean().item()
        metrics[f"connected_{name}"] = (deaths < settings.beta).all(-1).double().mean().item()
        metrics[f"relative_death_{name}"] = (deaths.mean() / size).item()
        arrays[f"deaths_{name}"] = deaths.flatten(1).half().numpy()[:, :: max(1, deaths[0].numel() // 1500)]
    distances = [metrics[f"death_distance_to_beta_{name}"] for name in parts]
    return metrics | {"death_distance_to_beta": sum(distances) / len(distances)}, arrays


def _exact(spec: Spec) -> Found:
    """Claim 9 on random point sets, in float64."""
    violations = connection_violations(source(spec.seed, "exact"))
    return {"beta_connected_violations": float(violations)}, {}, {}


SMOKE = Settings(
    dataset="invented",
    width=24,
    features=500,
    fitted=500,
    labelled=40,
    tested=32,
    pool=96,
    anchors=64,
    epochs=4,
    sub_batch=8,
)
PAPER = Settings()
BOTH, FEW = {"before": 0.1, "after": 0.9}, {"relative": False, "label_share": 0.5, "weight": 0.1, "beta": 0.7}

EXPERIMENT = Experiment(
    name="relative_representations/s45_densification",
    title="Topological densification",
    protocols={"smoke": SMOKE, "short": PAPER, "reduced": PAPER, "paper": PAPER},
    arms=(
        Arm("robust", "robust"),
        Arm("robust_topology", "robust, densified before and after", BOTH),
        Arm("robust_topology_before", "robust, densified before", {"before": 1.0}),
        Arm("robust_topology_after", "robust, densified after", {"after": 1.0}),
        Arm("plain", "few labels", FEW),
        Arm("densified", "few labels, densified", {**FEW, "before": 1.0}),
        Arm("exact", "exact claims"),
    ),
    seeds={"smoke": 2, "short": 3, "reduced": 5, "paper": 10},
    measure=measure,
    minutes={"smoke": 0.02, "short": 0.5, "reduced": 0.5, "paper": 0.5},
    together=(
        (
            "robust",
            "robust_topology",
            "robust_topology_before",
            "robust_topology_after",
            "plain",
            "densified",
        ),
    ),
    priority=71,
)
