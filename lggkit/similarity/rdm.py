"""Representational dissimilarity matrices: how far apart a representation holds each pair of stimuli.

An RDM is symmetric (m, m) with zero diagonal; NaN is a pair that nobody measured (article 6, eq. 2 and 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, inverse_sqrt, matmul, one_of, tensor
from lggkit.graph.distances import pairwise_distance
from lggkit.similarity._scale import unit_of

METRICS = ("correlation", "cosine", "euclidean")
BLOCK, STRIPS = 1 << 24, 8
"""Entries of the features that are centred at a time; strips of stimuli, each times those after it."""


def compute_rdm(features: Tensor, metric: str = "correlation") -> Tensor:
    """``R_ij = 1 - r(x_i, x_j)``, one minus Pearson's correlation of two stimuli's features (eq. 2).

    Features are centred and multiplied a block of columns at a time, so that 200,000 of them need no second
    copy. Differentiable.

    Args:
        features: x, floating point (m, n), a row a stimulus; (m, ...) is flattened.
        metric: ``"correlation"``, ``"cosine"``, the same without centring, or ``"euclidean"``.

    Returns:
        The RDM (m, m), in [0, 2], or >= 0 in the unit of the features; float32 (float64 of float64).

    Raises:
        ValueError: fewer than two stimuli, no features, entries that are not finite, a stimulus whose
            features are all alike (correlation) or zero (cosine), or an unknown metric.
        TypeError: the features are no tensor or not floating point.
    """
    one_of(metric, METRICS, "The metric")
    x = _features(features)
    if metric == "euclidean":
        return pairwise_distance(x)
    unit = unit_of(x, 1)
    gram = _gram(x, unit, centred=metric == "correlation")
    norms = torch.diagonal(gram)
    lengths = sum((block / unit).square().sum(1) for block in _blocks(x.detach())).sqrt()
    _check_norms(norms.detach(), lengths, metric)
    scale = inverse_sqrt(norms, 0.0)
    return _zero_diagonal((1 - gram * (scale[:, None] * scale[None])).clamp(0, 2))


def rdm_vector(rdm: Tensor) -> Tensor:
    """The pairs of an RDM (..., m, m) as a vector (..., m(m-1)/2), the upper triangle row by row.

    Raises:
        ValueError: the matrices are not square.
        TypeError: it is no tensor or not floating point.
    """
    rdm = square("The RDM", rdm)
    row, column = torch.triu_indices(*rdm.shape[-2:], offset=1, device=rdm.device)
    return rdm[..., row, column]


def rdm_matrix(pairs: Tensor) -> Tensor:
    """The RDM (..., m, m) of a vector of its pairs (..., m(m-1)/2), with zero diagonal.

    Raises:
        ValueError: no whole m has so many pairs.
        TypeError: it is no tensor or not floating point.
    """
    pairs = accumulating(pairs, "The vector of pairs")
    count = pairs.shape[-1] if pairs.ndim else 0
    m = round((1 + (1 + 8 * count) ** 0.5) / 2)
    if m * (m - 1) // 2 != count or m < 2:
        raise ValueError(f"the vector has {count} entries; an RDM of m stimuli has m(m-1)/2, such as 3 or 6.")
    row, column = torch.triu_indices(m, m, offset=1, device=pairs.device)
    half = pairs.new_zeros(*pairs.shape[:-1], m, m)
    half[..., row, column] = pairs
    return half + half.mT


def mean_rdm(rdms: Tensor) -> Tensor:
    """The mean of RDMs (s, m, m) over s, each pair over those who have it (not NaN).

    Raises:
        ValueError: there are none, or they are not square.
        TypeError: they are no tensor or not floating point.
    """
    rdms = square("The RDMs", rdms)
    if rdms.ndim < 3 or not len(rdms):
        raise ValueError(f"the RDMs have shape {tuple(rdms.shape)}; stack them as (s, m, m), s >= 1.")
    return rdms.nanmean(0)


def category_rdms(labels: Tensor, classes: Sequence[int] | None = None) -> Tensor:
    """One RDM a category: 0 for pairs inside it, 1 for all other pairs (article 6, figure 2).

    Args:
        labels: integers (m,).
        classes: whose RDMs, in order; None takes those that occur, sorted.

    Returns:
        (c, m, m), float64, with zero diagonal.

    Raises:
        ValueError: labels are no vector, or fewer than two stimuli.
        TypeError: labels are no tensor of integers.
    """
    if tensor(labels, "labels").is_floating_point() or labels.is_complex():
        raise TypeError(f"labels are {labels.dtype}; give integers, as of labels.long().")
    if labels.ndim != 1 or len(labels) < 2:
        raise ValueError(f"labels have shape {tuple(labels.shape)}; give one a stimulus, at least two.")
    chosen = labels.unique() if classes is None else torch.as_tensor(classes, device=labels.device)
    inside = labels == chosen[:, None]
    return _zero_diagonal(1 - (inside[:, :, None] & inside[:, None]).double())


def square(name: str, rdm: Tensor) -> Tensor:
    """``rdm`` in its accumulating type, if it is (..., m, m) with m >= 2; else ValueError."""
    rdm = accumulating(rdm, name)
    if rdm.ndim < 2 or rdm.shape[-1] != rdm.shape[-2] or rdm.shape[-1] < 2:
        raise ValueError(f"{name} must have shape (..., m, m) with m >= 2, got {tuple(rdm.shape)}.")
    return rdm


def _features(features: Tensor) -> Tensor:
    if tensor(features, "features").ndim < 2 or len(features) < 2 or not features[0].numel():
        raise ValueError(f"features have shape {tuple(features.shape)}; give (m, n), m >= 2 and n >= 1.")
    x = accumulating(features, "features").flatten(1)
    if bad := int((~x.detach().isfinite()).any(1).sum()):
        raise ValueError(f"{bad} of {len(x)} stimuli have features that are not finite; leave those out.")
    return x


def _gram(x: Tensor, unit: Tensor, centred: bool) -> Tensor:
    """Products of all pairs of rows in units: strips from the diagonal on, a block of columns at a time."""
    mean = x.mean(1, keepdim=True) / unit if centred else 0.0
    total = x.new_zeros(len(x), len(x))
    starts = range(0, len(x), -(-len(x) // STRIPS))
    for block in _blocks(x):
        part = block / unit - mean
        for start, rows in zip(starts, part.split(starts.step), strict=True):
            strip = total[start : start + len(rows), start:]
            strip += matmul(rows, part[start:].T)
    return total.triu() + total.triu(1).T


def _blocks(x: Tensor) -> tuple[Tensor, ...]:
    return x.split(max(1, BLOCK // len(x)), 1)


def _check_norms(norms: Tensor, lengths: Tensor, metric: str) -> None:
    alike = norms <= (4 * torch.finfo(norms.dtype).eps * lengths) ** 2
    if bad := int(alike.sum()):
        what = "that are all alike" if metric == "correlation" else "that are all zero"
        raise ValueError(
            f"{bad} of {len(norms)} stimuli have features {what}, and no {metric}; leave those out."
        )


def _zero_diagonal(rdm: Tensor) -> Tensor:
    return rdm.masked_fill(torch.eye(rdm.shape[-1], dtype=torch.bool, device=rdm.device), 0.0)
