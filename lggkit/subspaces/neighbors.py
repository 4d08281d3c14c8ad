"""Classifying sets by prototypes (algorithm II) and by nearest neighbours (algorithm I and its repairs)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, matmul, one_of
from lggkit.similarity._scale import unit_of
from lggkit.subspaces._factors import polar
from lggkit.subspaces._given import basis, finite, labels_of, same_space, subspaces, vectors
from lggkit.subspaces.angles import principal_angles, schubert_distance


class SubspacePrototypes:
    """A subspace for each class; a set has the class whose subspace it meets at the smallest angles.

    Args:
        bases: orthonormal (n, k), one a class in the order of the labels; their dimensions may differ.
        c: smallest angles that count, by the root of their squares' sum; article 5 has 1.

    Raises:
        ValueError: there is no basis, one is not orthonormal, or they lie in different spaces.
    """

    def __init__(self, bases: Sequence[Tensor], c: int = 1) -> None:
        if not len(bases):
            raise ValueError("bases are empty; give one subspace for each class")
        self.bases, self.c = [basis(one, f"bases[{i}]") for i, one in enumerate(bases)], integer(c, "c")
        for one in self.bases:
            same_space(one, self.bases[0])

    @classmethod
    def of(
        cls, x: Tensor, labels: Tensor, make: Callable[[Tensor], Tensor], c: int = 1
    ) -> SubspacePrototypes:
        """Prototypes that ``make`` finds of the sets (r, n, l) of each class, labels from 0 on without a gap.

        For instance ``lambda x: flag_mean(x, 3)`` or ``lambda x: SchubertBestFit(3).fit(x).basis_``.

        Raises:
            ValueError: labels are not one integer a set, or a class between 0 and the largest has no set.
        """
        x = subspaces(x)
        labels = labels_of(labels, len(x))
        counts = torch.bincount(labels)
        if not bool(counts.all()):
            raise ValueError(f"class {int(counts.argmin())} has no set; number the classes without a gap")
        return cls([make(x[labels == label]) for label in range(len(counts))], c)

    def distances(self, x: Tensor) -> Tensor:
        """How far sets (..., n, l) are from meeting each prototype, (..., classes), in radians."""
        return torch.stack([schubert_distance(x, one, self.c) for one in self.bases], -1)

    def predict(self, x: Tensor) -> Tensor:
        """The nearest class of each set, (...)."""
        return self.distances(x).argmin(-1)


def _frobenius(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x.flatten(1), y.flatten(1), compute_mode="donot_use_mm_for_euclid_dist")


def _projection(x: Tensor, y: Tensor) -> Tensor:
    return _frobenius(matmul(x, x.mT), matmul(y, y.mT))


def _procrustes(x: Tensor, y: Tensor) -> Tensor:
    """``min_R ‖X - Y R‖`` over orthogonal R, by differences: a few sets at once, and R constant."""
    few = max(1, FEW // max(1, y.numel()))
    return torch.cat([_turned_apart(part, y) for part in x.split(few)])


def _turned_apart(x: Tensor, y: Tensor) -> Tensor:
    q, l, side_by_side = len(x), x.shape[2], x.transpose(0, 1).flatten(1)
    turns = polar(matmul(y.detach().mT, side_by_side.detach()).unflatten(2, (q, l)).transpose(1, 2))
    apart = side_by_side - matmul(y, turns.transpose(1, 2).flatten(2))
    return torch.linalg.vector_norm(apart.unflatten(2, (q, l)), dim=(1, 3)).T


def _geodesic(x: Tensor, y: Tensor) -> Tensor:
    return torch.linalg.vector_norm(principal_angles(x[:, None], y), dim=-1)


FEW = 2**22
"""Numbers of differences that are held at once."""
DISTANCES = {
    "frobenius": _frobenius,
    "projection": _projection,
    "procrustes": _procrustes,
    "geodesic": _geodesic,
}
POWERS = {"frobenius": 1, "projection": 2, "procrustes": 1, "geodesic": 0}
"""The power of the matrices' unit that a distance is in."""


def set_distances(x: Tensor, y: Tensor, metric: str = "projection") -> Tensor:
    """Distances of all pairs of matrices (q, n, l) and (r, n, l), as (q, r).

    ``"frobenius"`` is ``‖X - Y‖``, which depends on the bases that were chosen and not on the subspaces
    alone. ``"projection"`` is ``‖X Xᵀ - Y Yᵀ‖`` and ``"procrustes"`` ``min_R ‖X - Y R‖`` over orthogonal R;
    both ignore the choice, also where columns are not orthonormal, as those of ``KᵀX``. ``"geodesic"`` is
    the norm of all principal angles of orthonormal bases.

    Raises:
        ValueError: shapes differ, entries are not finite (seen on the CPU only), there is no such metric, or
            bases for angles are not orthonormal.
        TypeError: a tensor is none or not floating point.
    """
    distances, unit = _in_own_unit(x, y, metric)
    return distances if metric == "geodesic" else distances * unit ** POWERS[metric]


def _in_own_unit(x: Tensor, y: Tensor, metric: str) -> tuple[Tensor, Tensor]:
    """Distances of matrices in a unit in which no square vanishes or overflows, and that unit."""
    one_of(metric, tuple(DISTANCES), "metric")
    for name, one in (("x", x), ("y", y)):
        if accumulating(one, name).ndim != 3 or one.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"{name} has shape {tuple(one.shape)}; give matrices of one size, (q, n, l) and (r, n, l)"
            )
    x, y = finite(accumulating(x, "x"), "x"), finite(accumulating(y, "y"), "y")
    dtype = torch.promote_types(x.dtype, y.dtype)
    x, y = x.to(dtype), y.to(dtype)
    if metric == "geodesic":
        return _geodesic(x, y), x.new_ones(())
    unit = torch.maximum(*(unit_of(one, (0, 1, 2)).reshape(()) for one in (x, y)))
    return DISTANCES[metric](x / unit, y / unit), unit


class SubspaceNeighbors:
    """A set has the class that most of its nearest training sets have, by a metric of `set_distances`.

    Args:
        x: training sets (r, n, l).
        labels: integers (r,), from 0 on.
        metric: see `set_distances`.
        k: neighbours that vote, 1 to r; of classes with as many votes, the lowest number.

    Raises:
        ValueError: as for `set_distances`; labels are not one integer a set, or k does not fit.
    """

    def __init__(self, x: Tensor, labels: Tensor, metric: str = "projection", k: int = 1) -> None:
        one_of(metric, tuple(DISTANCES), "metric")
        self.x, self.metric, self.k = vectors(x) if metric == "geodesic" else x, metric, integer(k, "k")
        self.labels = labels_of(labels, len(x))
        if self.k > len(x):
            raise ValueError(f"k is {k}, but there are {len(x)} sets; choose 1 to {len(x)}")

    def predict(self, x: Tensor) -> Tensor:
        """The classes (q,) of sets (q, n, l)."""
        nearest = _in_own_unit(x, self.x, self.metric)[0].topk(self.k, largest=False).indices
        votes = torch.nn.functional.one_hot(self.labels[nearest], int(self.labels.max()) + 1).sum(1)
        return votes.argmax(-1)
