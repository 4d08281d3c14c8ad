"""What is measured of sets of images: three classifiers, curves of fits, prototypes, solvers, times."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lggkit.experiments.recipes.sets import Points, Sets, accuracy, closeness, grouped, mean_by, mean_of
from lggkit.subspaces import (
    SchubertBestFit,
    SubspaceNeighbors,
    flag_mean,
    flag_median,
    haar_subspaces,
    principal_angles,
    schubert_fit,
)
from lggkit.subspaces.solvers import Problem, adam_penalty, polar

MANY = 3
"""Images of a set from which on the article sees its method ahead."""
METRICS = ("frobenius", "projection", "procrustes")
By = dict[tuple[int, int], list[float]]


def prototype(maker: str, images: Tensor, sets: Tensor, k: int, starts: int) -> Tensor:
    """A subspace (p, k) for one class, of its images (n, p) or its sets (r, p, l)."""
    if maker == "schubert":
        return SchubertBestFit(k, starts=starts, tolerance=1e-6, iterations=300).fit(sets).basis_
    if maker == "flag_mean":
        return flag_mean(sets, k)
    centre = images.mean(0) if maker == "pca_centred" else 0
    return torch.linalg.svd(images - centre, full_matrices=False).Vh[:k].mT


def nearest(prototypes: Sequence[Tensor], sets: Sets) -> Tensor:
    """The class (r,) whose prototype each set meets at the smallest first angle (algorithm II)."""
    return torch.stack([closeness(sets.bases, one) for one in prototypes], -1).argmax(-1)


def by_prototypes(
    maker: str, train: Points, sets: Mapping[int, Sets], tests: Mapping[int, list[Sets]], dims: Sequence[int],
    starts: int,
) -> By:  # fmt: skip
    """Accuracies by (l, m), a list over k each; for prototypes of images, which know no l, by (m, m)."""
    accuracies: By = {}
    own = maker in ("schubert", "flag_mean")
    for l, given in sets.items():
        if not own and accuracies:
            break
        for k in dims:
            made = [
                prototype(maker, images, given.of(label), k, starts)
                for label, images in enumerate(train.by_class())
            ]
            for m, asked in tests.items():
                value = accuracy(lambda one, made=made: nearest(made, one), asked)
                accuracies.setdefault((l if own else m, m), []).append(value)
    return accuracies


def summary(found: By, dims: Sequence[int]) -> dict[str, Any]:
    """Accuracies by l and m, and their means: at equal sizes, by l, by m, by k."""
    equal = {key: own for key, own in found.items() if key[0] == key[1]}
    by_dimension = {(k,): [own[i] for own in found.values()] for i, k in enumerate(dims)}
    return {
        **{f"accuracy_l{l}_m{m}": own for (l, m), own in found.items()},
        "accuracy": mean_of(equal.values()),
        "accuracy_of_many": mean_of(own for (_, m), own in equal.items() if m >= MANY),
        "accuracy_by_l": mean_by(found, 0),
        "accuracy_by_m": mean_by(found, 1),
        "accuracy_by_k": mean_by(by_dimension, 0),
    }


def by_neighbours(
    bases: Mapping[tuple[int, int], Tensor], sets: Mapping[int, Sets], tests: Mapping[int, list[Sets]]
) -> dict[str, Any]:
    """Accuracies of 1-NN on ``KᵀX`` by metric (algorithm I); ``bases[l, k]`` are the subspaces K."""
    accuracies: dict[str, dict[tuple[int], list[float]]] = {metric: {} for metric in METRICS}
    for (l, _), own in bases.items():
        for metric in METRICS:
            made = SubspaceNeighbors(own.mT @ sets[l].bases, sets[l].labels, metric)
            value = accuracy(lambda one, made=made, own=own: made.predict(own.mT @ one.bases), tests[l])
            accuracies[metric].setdefault((l,), []).append(value)
    first = accuracies["frobenius"]
    several = {metric: [v for (l,), v in own.items() if l > 1] for metric, own in accuracies.items()}
    return {
        **{f"{metric}_l{l}": own for metric in METRICS for (l,), own in accuracies[metric].items()},
        "accuracy": mean_of(first.values()),
        **{f"accuracy_{metric}": mean_of(several[metric]) for metric in METRICS},
        "accuracy_by_l_of_many": mean_by({key: own for key, own in first.items() if key[0] >= MANY}, 0),
    }


def fit_curves(train: Sets, test: Sets, dims: Sequence[int], name: str) -> dict[str, Any]:
    """Fits of training and test sets against k, and the gain a dimension before k = 4 and after."""
    fitted = [SchubertBestFit(k, starts=2, tolerance=1e-7).fit(train.bases) for k in dims]
    curves = {"train": [one.fit_ for one in fitted], "test": [one.score(test.bases) for one in fitted]}
    bend = min(range(len(dims)), key=lambda i: abs(dims[i] - 4))
    metrics: dict[str, Any] = {f"{split}_{name}": own for split, own in curves.items()}
    for split, own in curves.items():
        metrics[f"early_{split}_{name}"] = (own[bend] - own[0]) / (dims[bend] - dims[0])
        metrics[f"late_{split}_{name}"] = (own[-1] - own[bend]) / (dims[-1] - dims[bend])
    reached = [k for k, value in zip(dims, curves["test"], strict=True) if value >= 0.9 * max(curves["test"])]
    return metrics | {f"knee_{name}": float(reached[0])}


def haar_sets(r: int, n: int, l: int, generator: torch.Generator) -> Sets:
    """Random subspaces as sets of no class."""
    none = torch.zeros(r, dtype=torch.long)
    return Sets(haar_subspaces(r, n, l, generator, torch.float64), none, none[:, None])


def high_frequency(image: Tensor) -> float:
    """The share of an image's (h, w) power at more than an eighth of a cycle a pixel."""
    power = torch.fft.fft2(image - image.mean()).abs().square()
    rows, columns = (torch.fft.fftfreq(size).square() for size in image.shape)
    return float(power[(rows[:, None] + columns) > 1 / 64].sum() / power.sum())


def against_adam(x: Tensor, k: int, steps: int, seed: int) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """The article's solver beside two others on sets (r, n, l) in float32: fits, seconds, courses."""
    seen: list[list[float]] = []

    def watch(_: int, basis: Tensor) -> None:
        off = basis.T @ basis - torch.eye(k)
        seen.append([float(schubert_fit(x, polar(basis))), float(off.norm())])

    begun = time.perf_counter()
    made, _ = adam_penalty(Problem(x, 1, True), k, torch.Generator().manual_seed(seed), steps, watch)
    seconds = {"seconds_adam": time.perf_counter() - begun}
    fits: dict[str, Any] = {"fit_adam": float(schubert_fit(x, polar(made)))}
    curves = {"adam": [value for value, _ in seen], "adam_off": [off for _, off in seen]}
    for solver in ("alternating", "riemannian"):
        begun = time.perf_counter()
        fitted = SchubertBestFit(k, solver=solver, seed=seed).fit(x)
        seconds[f"seconds_{solver}"] = time.perf_counter() - begun
        fits[f"fit_{solver}"], curves[solver] = fitted.fit_, fitted.history_
    return fits | seconds | {"speedup": seconds["seconds_adam"] / seconds["seconds_alternating"]}, curves


def step_milliseconds(n: int, k: int, l: int, r: int, repeats: int) -> float:
    """The least time of a step of the article's solver on r random sets, of several."""
    generator = torch.Generator().manual_seed(0)
    x, times = torch.randn(r, n, l, generator=generator) / n**0.5, []
    for _ in range(repeats):
        begun = time.perf_counter()
        adam_penalty(Problem(x, 1, True), k, generator, 2)
        times.append(time.perf_counter() - begun)
    return 1e3 * min(times) / 2


def log_slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The slope of log y over log x by least squares."""
    a, b = (torch.tensor(values, dtype=torch.float64).log() for values in (x, y))
    a = a - a.mean()
    return float((a * b).sum() / a.square().sum())


def split_sets(train: Points, sizes: Sequence[int], seed: int) -> dict[int, Sets]:
    """Training sets of each size; the same for every arm of a seed."""
    return {l: grouped(train, l, torch.Generator().manual_seed(1000 * seed + l)) for l in sizes}


def asked_sets(test: Points, sizes: Sequence[int], groupings: int, seed: int) -> dict[int, list[Sets]]:
    """Test sets of each size in several groupings, of single images in one."""
    return {
        m: [
            grouped(test, m, torch.Generator().manual_seed(1000 * seed + 100 + 20 * m + i))
            for i in range(groupings if m > 1 else 1)
        ]
        for m in sizes
    }


def identities(generator: torch.Generator) -> dict[str, float]:
    """What the article says of equations 1 and 2 with all angles, and of every fit, as violations."""
    x = haar_subspaces(8, 12, 2, generator, torch.float64)
    mean, median = flag_mean(x, 3), flag_median(x, 3, 5000, 1e-14)
    squares, cosines = (
        SchubertBestFit(3, 2, objective, iterations=5000, tolerance=1e-15).fit(x).basis_
        for objective in ("cos2", "cos")
    )
    turns = haar_subspaces(8, 2, 2, generator, torch.float64)
    fits = [SchubertBestFit(3, starts=20, tolerance=1e-13).fit(one).fit_ for one in (x, x @ turns)]
    return {
        "flag_mean_violation": float(principal_angles(squares, mean).max()),
        "flag_median_violation": float(_chordal(x, cosines) / _chordal(x, median) - 1),
        "basis_violation": abs(fits[0] - fits[1]),
    }


def _chordal(x: Tensor, y: Tensor) -> Tensor:
    """The sum of chordal distances, which the flag median minimises."""
    return principal_angles(x, y).sin().square().sum(-1).sqrt().sum()
