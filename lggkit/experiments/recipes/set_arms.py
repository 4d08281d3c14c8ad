"""What the arms of a chapter about sets of images measure, each of one split; settings are the chapter's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.experiments.recipes import set_measures as measured
from lggkit.experiments.recipes.set_heads import centroids, logits, padded, tanh_layers
from lggkit.experiments.recipes.sets import Points, Sets, grouped, mean_of
from lggkit.subspaces import SchubertBestFit, principal_angles

FITTED = 10
"""Sets whose fit is followed, of two images each, as in the article's Figure 4."""
ANGLES = (3, 4)
"""Images a set, and the dimension of the best fits, of which angles are shown."""


@dataclass
class Drawn:
    """What a seed draws under settings, and the subspaces of both classes together, each fitted once."""

    settings: Any
    seed: int
    whole: Points
    fits: dict[Any, Tensor]

    def __post_init__(self) -> None:
        s, seed = self.settings, self.seed
        self.train, self.test = self.whole.split(s.share, torch.Generator().manual_seed(1000 * seed))
        self.sets = measured.split_sets(self.train, s.sizes, seed)
        self.asked = measured.asked_sets(self.test, s.sizes, s.groupings, seed)

    def joint(self, maker: str, l: int, k: int) -> Tensor:
        """K (p, k) of the sets of both classes."""
        s = self.settings
        key = (s.dataset, s.pixels, self.seed, maker, l, k)
        if key not in self.fits:
            bases = self.sets[l].bases
            self.fits[key] = measured.prototype(maker, self.train.vectors, bases, k, s.starts)
        return self.fits[key]


Found = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]
"""Metrics, arrays and curves of a run."""


def prototypes(drawn: Drawn) -> Found:
    s = drawn.settings
    accuracies = measured.by_prototypes(s.maker, drawn.train, drawn.sets, drawn.asked, s.dims, s.starts)
    return measured.summary(accuracies, s.dims), {}, {}


def coordinates(drawn: Drawn) -> Found:
    s = drawn.settings
    bases = {(l, k): drawn.joint(s.maker, l, k) for l in s.sizes for k in s.dims}
    return measured.by_neighbours(bases, drawn.sets, drawn.asked), {}, {}


def node(drawn: Drawn) -> Found:
    """Algorithm III: a head on the coordinates of the nearest vectors, which no class moves."""
    s, accuracies = drawn.settings, {}
    for l in s.sizes:
        fitted = [_fitted(drawn.joint("schubert", l, k)) for k in s.dims]
        generator = torch.Generator().manual_seed(drawn.seed)
        weight = centroids(_coordinates_of(fitted, drawn.sets[l], s), drawn.sets[l].labels, s.head, generator)
        for m, asked in drawn.asked.items():
            said = [
                logits(_coordinates_of(fitted, one, s), weight, s.head).argmax(-1) == one.labels
                for one in asked
            ]
            accuracies[l, m] = (100 * torch.cat(said, 1).double().mean(1)).tolist()
    metrics = measured.summary(accuracies, s.dims)
    many, few = (
        mean_of(own for (_, m), own in accuracies.items() if (m >= 3) == is_many) for is_many in (1, 0)
    )
    by_k = dict(zip(s.dims, metrics["accuracy_by_k"], strict=True))
    at = {f"accuracy_k{k}": by_k[k] for k in (2, 4, max(s.dims))}
    last = {"accuracy_last": at.pop(f"accuracy_k{max(s.dims)}")}
    return metrics | at | last | {"many_images": many, "few_images": few}, {}, {}


def _fitted(basis: Tensor) -> SchubertBestFit:
    fitted = SchubertBestFit(basis.shape[1])
    fitted.basis_ = basis
    return fitted


def _coordinates_of(fitted: Sequence[SchubertBestFit], sets: Sets, s: Any) -> Tensor:
    return padded([one.coordinates(sets.bases)[..., 0] for one in fitted], max(s.dims))


def tanh(drawn: Drawn) -> Found:
    """One layer of k tanh units on single images of length one; a set gets the mean of their log-shares."""
    s, generator = drawn.settings, torch.Generator().manual_seed(drawn.seed)
    x, asked = (F.normalize(part.vectors, dim=1) for part in (drawn.train, drawn.test))
    first, second = tanh_layers(x, drawn.train.labels, s.dims, s.head, generator)
    shares = logits(torch.tanh(asked @ first), second, s.head).log_softmax(-1)
    single = (100 * (shares.argmax(-1) == drawn.test.labels).double().mean(1)).tolist()
    votes = {}
    for m, groups in drawn.asked.items():
        right = [shares[:, one.members].mean(2).argmax(-1) == one.labels for one in groups]
        votes[m] = (100 * torch.cat(right, 1).double().mean(1)).tolist()
    metrics = {"accuracy_by_k": single, "accuracy": mean_of([single])}
    many = mean_of(own for m, own in votes.items() if m >= 3)
    return metrics | {f"vote_m{m}": own for m, own in votes.items()} | {"vote_of_many": many}, {}, {}


def fit(drawn: Drawn) -> Found:
    s, metrics = drawn.settings, {}
    pairs = [
        grouped(part, 2, torch.Generator().manual_seed(1000 * drawn.seed + 9))
        for part in (drawn.train, drawn.test)
    ]
    half = FITTED // 2
    for name, counts in {"cats": (FITTED, 0), "dogs": (0, FITTED), "both": (half, half)}.items():
        parts = [_some(one, counts) for one in pairs]
        metrics |= measured.fit_curves(*parts, s.dims, name)
    generator = torch.Generator().manual_seed(1000 * drawn.seed + 8)
    haar = [measured.haar_sets(FITTED, len(drawn.whole.frame), 2, generator) for _ in range(2)]
    metrics |= measured.fit_curves(*haar, s.dims, "haar")
    return metrics | {"knee_sum": metrics["knee_cats"] + metrics["knee_dogs"]}, {}, {}


def _some(sets: Sets, counts: tuple[int, int]) -> Sets:
    chosen = torch.cat([(sets.labels == label).nonzero()[:n, 0] for label, n in enumerate(counts)])
    return Sets(sets.bases[chosen], sets.labels[chosen], sets.members[chosen])


def images(drawn: Drawn) -> Found:
    """Figures 3 and 10: prototypes of one dimension from sets of three, and all that k = 3, l = 2 gives."""
    side = round(len(drawn.whole.frame) ** 0.5)
    shown: dict[str, Tensor] = {}
    metrics: dict[str, float] = {}
    for objective in ("cos2", "cos"):
        made = [
            SchubertBestFit(1, objective=objective).fit(drawn.sets[3].of(label)).basis_ for label in (0, 1)
        ]
        shown[objective] = torch.stack([_picture(drawn, one[:, 0], side) for one in made])
        metrics[f"high_frequency_{objective}"] = float(
            np.mean([*map(measured.high_frequency, shown[objective])])
        )
    fitted = SchubertBestFit(3, tolerance=1e-8).fit(drawn.sets[2].bases)
    near, labels = fitted.intersection(drawn.sets[2].bases)[..., 0], drawn.sets[2].labels
    few = torch.cat([(labels == label).nonzero()[:3, 0] for label in (0, 1)])
    shown["columns"] = torch.stack([_picture(drawn, one, side) for one in fitted.basis_.T])
    shown["near"] = torch.stack([_picture(drawn, one, side) for one in near[few]])
    thumbnails = drawn.train.vectors[drawn.sets[2].members[few]] @ drawn.whole.frame.T
    shown["members"] = thumbnails.reshape(len(few), 2, side, side)
    arrays = {name: one.numpy().astype(np.float16) for name, one in shown.items()} if drawn.seed == 0 else {}
    arrays |= (
        {"coordinates": fitted.intersections_[..., 0].numpy(), "labels": labels.numpy()} if arrays else {}
    )
    return metrics, arrays, {}


def angles(drawn: Drawn) -> Found:
    """What algorithm II compares: first angles of test sets with both best fits, in degrees."""
    l, k = ANGLES
    fits = [SchubertBestFit(k, tolerance=1e-6).fit(drawn.sets[l].of(label)).basis_ for label in (0, 1)]
    bases = torch.cat([one.bases for one in drawn.asked[l]])
    labels = torch.cat([one.labels for one in drawn.asked[l]])
    found = torch.stack([principal_angles(bases, fit)[:, 0].rad2deg() for fit in fits], 1)
    own, other = (found.gather(1, place[:, None]).mean().item() for place in (labels, 1 - labels))
    arrays = {"angles": found.float().numpy(), "labels": labels.numpy()} if drawn.seed == 0 else {}
    return {"angle_own": own, "angle_other": other}, arrays, {}


def _picture(drawn: Drawn, vector: Tensor, side: int) -> Tensor:
    return (drawn.whole.frame @ vector).reshape(side, side)
