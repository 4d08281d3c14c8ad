"""Relative representations: a sample as its similarities to anchors, plain and robust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, broadcast, matmul, one_of, tensor, unit_of
from lggkit.graph.similarities import directions
from lggkit.similarity.anchors import BY_DIFFERENCES
from lggkit.similarity.statistics import Statistics

KINDS = ("cosine", "inner", "euclidean")


def relative_map(x: Tensor, anchors: Tensor, kind: str = "cosine", root_scaled: bool = False) -> Tensor:
    """``T(x)_ij = sim(x_i, a_j)``, the relative representation of samples.

    With the cosine it is invariant to orthogonal maps and positive uniform scales of samples and anchors
    alike. A zero vector (norm <= 1e-12) has cosine 0 with all, and zero gradient.

    Args:
        x: floating point (..., n, d), n >= 1.
        anchors: floating point (..., k, d), k >= 1, in the same space.
        kind: ``"cosine"``, the papers', in [-1, 1]; ``"inner"``, the inner product; ``"euclidean"``, the
            distance with a minus sign, <= 0.
        root_scaled: whether to divide by ``√k`` once more, as the authors' code does with the plain map. The
            poster has no such factor.

    Returns:
        Coordinates (..., n, k), float32 (float64 where a side is in float64).

    Raises:
        ValueError: a side is empty or no (..., n, d), the widths or the leading dimensions differ, or the
            kind is none of these.
        TypeError: a side is no tensor or not floating point.

    Source: Moschella et al., "Relative representations enable zero-shot latent space communication" (2023),
    eq. 1; García-Castellanos et al. (2024), section 1.
    """
    one_of(kind, KINDS, "kind")
    x, anchors = _points(x, "x"), _points(anchors, "anchors")
    if x.shape[-1] != anchors.shape[-1]:
        raise ValueError(
            f"x has width {x.shape[-1]} and anchors {anchors.shape[-1]}; take both through one encoder"
        )
    broadcast({"x": x.shape[:-2], "anchors": anchors.shape[:-2]}, "spaces")
    coordinates = _OF_KIND[kind](x, anchors)
    return coordinates / anchors.shape[-2] ** 0.5 if root_scaled else coordinates


def robust_relative_map(
    x: Tensor,
    anchors: Tensor,
    statistics: Statistics | None = None,
    shared: bool = True,
    root_scaled: bool = False,
) -> Tensor:
    """``T((x - μ)/σ)`` against anchors normalised alike: the robust relative representation.

    It is invariant to shifts and to permutations times invertible diagonal matrices (negative entries too)
    of samples and anchors, up to the small constant of the normalisation; it is not to other isometries.

    Args:
        x: the batch, floating point (..., n, d).
        anchors: floating point (..., k, d), in the same space.
        statistics: mean and variance of each feature; those of the batch by default, which then needs n >= 2.
        shared: whether anchors are normalised by the same statistics, as in the authors' code, or by their
            own.
        root_scaled: as of `relative_map`.

    Returns:
        Cosines (..., n, k) in [-1, 1].

    Raises:
        ValueError: as `relative_map`, or a batch of one sample has no statistics.
        TypeError: a side is no tensor or not floating point.

    Source: García-Castellanos et al. (2024), section 3.
    """
    of_samples = Statistics.of(x) if statistics is None else statistics
    other = of_samples if shared else Statistics.of(anchors)
    return relative_map(of_samples.normalize(x), other.normalize(anchors), root_scaled=root_scaled)


@dataclass(frozen=True, eq=False)
class RelativeSpace:
    """Anchors of one encoder with all that its relative map needs: call it with latents (n, d).

    Spaces of several encoders whose anchors are parallel (the same samples in the same order) can be decoded
    by one another's decoders, see `stitch`.
    """

    anchors: Tensor
    statistics: Statistics | None = None
    kind: str = "cosine"
    root_scaled: bool = False

    def __call__(self, latents: Tensor) -> Tensor:
        """Coordinates (n, k) of latents (n, d)."""
        if self.statistics is None:
            return relative_map(latents, self.anchors, self.kind, self.root_scaled)
        x, anchors = self.statistics.normalize(latents), self.statistics.normalize(self.anchors)
        return relative_map(x, anchors, self.kind, self.root_scaled)


def stitch(
    encoder: Callable[[Tensor], Tensor],
    space: Callable[[Tensor], Tensor],
    decoder: Callable[[Tensor], Tensor],
) -> Callable[[Tensor], Tensor]:
    """``x -> decoder(space(encoder(x)))``: any encoder with any decoder, nothing trained.

    Args:
        encoder: of one training, from samples to latents (n, d).
        space: the relative map with this encoder's own anchors, such as a `RelativeSpace`.
        decoder: of another training, from coordinates (n, k).

    Returns:
        The function.

    Raises:
        TypeError: a part cannot be called.
    """
    for name, part in {"encoder": encoder, "space": space, "decoder": decoder}.items():
        if not callable(part):
            raise TypeError(f"the {name} is a {type(part).__name__}: give a function or a module.")
    return lambda x: decoder(space(encoder(x)))


def _points(x: Tensor, name: str) -> Tensor:
    if tensor(x, name).ndim < 2 or 0 in x.shape[-2:]:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; give (..., n, d) with n, d >= 1")
    return accumulating(x, name)


def _cosines(x: Tensor, anchors: Tensor) -> Tensor:
    return matmul(directions(x), directions(anchors).mT)


def _minus_distances(x: Tensor, anchors: Tensor) -> Tensor:
    """By differences: products lose every digit of points far from the origin."""
    dtype = torch.promote_types(x.dtype, anchors.dtype)
    x, anchors = x.to(dtype), anchors.to(dtype)
    unit = torch.maximum(unit_of(x, (-2, -1)), unit_of(anchors, (-2, -1)))
    return -torch.cdist(x / unit, anchors / unit, compute_mode=BY_DIFFERENCES) * unit


_OF_KIND = {
    "cosine": _cosines,
    "inner": lambda x, anchors: matmul(x, anchors.mT),
    "euclidean": _minus_distances,
}
