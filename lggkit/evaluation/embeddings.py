"""Classifiers on top of an embedding, fitted to training embeddings, by scikit-learn; errors in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from lggkit.evaluation import _given
from lggkit.evaluation._arrays import classes, rows
from lggkit.evaluation.neighbors import neighbor_error

Labelled = tuple[Tensor, Tensor]
"""Embeddings (n, d) and their labels (n,)."""


def knn_error(base: Tensor, base_labels: Tensor, queries: Tensor, labels: Tensor, k: int) -> float:
    """Percentage of queries that a vote among their ``k`` nearest base embeddings gets wrong.

    Args:
        base, queries: embeddings (n, d), by Euclidean distance; as they are, so that normalising is the
            network's business.
        base_labels, labels: their classes, (n,). Of classes with equal votes the first one wins.

    Raises:
        ValueError: k is not between 1 and the size of the base (scikit-learn's message).
    """
    return neighbor_error(base, base_labels, queries, labels, k, metric="euclidean")


@dataclass(frozen=True)
class SvcResult:
    """What `svc_error` found: errors in percent, and the chosen ``c`` and ``gamma``.

    ``error`` is on the queries, ``validation_error`` on the embeddings held out for the choice.
    """

    error: float
    validation_error: float
    c: float
    gamma: float


def svc_error(
    base: Tensor,
    base_labels: Tensor,
    queries: Tensor,
    labels: Tensor,
    *,
    subset: int | None = 5000,
    validation: float = 0.2,
    c: Sequence[float] = (0.1, 1.0, 10.0, 100.0),
    gamma: Sequence[float] = (0.1, 1.0, 10.0),
    seed: int = 0,
) -> SvcResult:
    """Error of a support vector classifier with radial basis functions ``exp(-gamma ‖x - y‖²)``.

    C and gamma are those with the least error on a part of the base that is held out; the classifier is then
    fitted to the whole of it. Queries have no say. Training embeddings that are separated perfectly leave
    several without an error: of equals that with C nearest to 1 is taken, then that with gamma nearest to 1
    unit, nearest by ratio, and of equally near values the smaller.

    Args:
        base, queries: embeddings (n, d); base_labels, labels: their classes, (n,).
        subset: how many of the base are used at most, drawn so that each class keeps its share; None for all.
        validation: the share of them that is held out for the choice.
        c: values of C to try.
        gamma: values to try, in units of 1 / (d · variance of all entries).
        seed: of both draws.

    Raises:
        ValueError: a class has too few embeddings to be split (scikit-learn's message), or a value of C or
            gamma is not positive.
        TypeError: such a value is no number.
    """
    from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
    from sklearn.svm import SVC

    costs, factors = _plainest_first("c", c), _plainest_first("gamma", gamma)
    x, y = _stratified(base, base_labels, subset, seed)
    unit = 1 / (x.shape[1] * x.astype(np.float64).var() or 1.0)
    grid = {"C": costs, "gamma": [unit * factor for factor in factors]}
    split = StratifiedShuffleSplit(1, test_size=validation, random_state=seed)
    search = GridSearchCV(SVC(), grid, cv=split, error_score="raise").fit(x, y)
    errors = (
        100 * (1 - float(s)) for s in (search.score(rows(queries), classes(labels)), search.best_score_)
    )
    return SvcResult(*errors, c=float(search.best_params_["C"]), gamma=float(search.best_params_["gamma"]))


def _plainest_first(name: str, values: Sequence[float]) -> list[float]:
    """From 1 outwards by ratio: of equally good candidates the search takes the first."""
    if not len(values):
        raise ValueError(f"{name} is empty; give at least one value to try")
    values = [_given.number(f"a value of {name}", value) for value in values]
    return sorted(values, key=lambda value: (round(abs(math.log(value)), 9), value))


def linear_probe_error(
    base: Tensor,
    base_labels: Tensor,
    queries: Tensor,
    labels: Tensor,
    *,
    subset: int | None = None,
    seed: int = 0,
) -> float:
    """Error of multinomial logistic regression (C = 1) on features standardised over the base.

    Args:
        base, queries: embeddings (n, d); base_labels, labels: their classes, (n,).
        subset: how many of the base are used at most, drawn so that each class keeps its share; None for all.
        seed: of this draw.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    probe.fit(*_stratified(base, base_labels, subset, seed))
    return 100 * (1 - float(probe.score(rows(queries), classes(labels))))


def classifier_errors(base: Labelled, queries: Labelled, svc_subset: int | None) -> dict[str, float]:
    """Errors in percent of one neighbour, an SVC (on a subset) and a linear probe, with the SVC's options."""
    svc = svc_error(*base, *queries, subset=svc_subset)
    return {
        "error_1nn": knn_error(*base, *queries, 1),
        "error_svc": svc.error,
        "svc_c": svc.c,
        "svc_gamma": svc.gamma,
        "error_probe": linear_probe_error(*base, *queries),
    }


def _stratified(x: Tensor, labels: Tensor, most: int | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    points, y = rows(x), classes(labels)
    if most is None or most >= len(y):
        return points, y
    sizes = np.unique(y, return_counts=True)[1]
    if len(sizes) <= most and (sizes.min() < 2 or len(y) - most < len(sizes)):
        chosen = _by_shares(y, most, np.random.default_rng(seed))
        return points[chosen], y[chosen]
    points, _, y, _ = train_test_split(points, y, train_size=most, stratify=y, random_state=seed)
    return points, y


def _by_shares(y: np.ndarray, most: int, source: np.random.Generator) -> np.ndarray:
    """Places of ``most`` samples, at least one a class, where scikit-learn wants as many to be left over."""
    order = source.permutation(len(y))
    _, places, sizes = np.unique(y[order], return_inverse=True, return_counts=True)
    rank = np.empty(len(y), dtype=int)
    for label in range(len(sizes)):
        rank[places == label] = np.arange(sizes[label])
    share = np.where(rank, (rank + 0.5) / sizes[places], 0)
    return np.sort(order[np.argsort(share, kind="stable")[:most]])
