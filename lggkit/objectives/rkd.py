"""Relational knowledge distillation: RKD-D, by distances, which paper 1 has as a peer, RKD-A, by angles."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.graph._precision import inverse_sqrt, unit_of
from lggkit.graph._squares import squared_distances
from lggkit.graph.distances import root, vertices
from lggkit.objectives.pairs import Latents, paired

MEANS = ("all", "positive")


def rkd_distance(student: Latents, teacher: Latents, *, mean_over: str = "all") -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} mean_ij h(d_S^l(i, j) / μ_S^l - d_T^l(i, j) / μ_T^l)``, RKD-D.

    ``d(i, j)`` is the Euclidean distance of two samples' latents, ``μ`` the mean of a batch's distances, and
    h the smooth L1 (Huber) function with threshold 1. The outer mean is over all n² ordered pairs, the zero
    diagonal included, as in Park et al.'s code; that of paper 1 leaves out pairs at distance 0 and so weighs
    n/(n - 1) times as much. A batch whose samples all coincide has distances 0.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher.
        mean_over: the pairs that μ counts: ``"all"`` n(n - 1) of distinct samples, as Park et al. define it,
            or those at a ``"positive"`` distance, as both codes have it. It matters where samples coincide,
            and the second jumps where they part.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`, or ``mean_over`` is none of these.
        TypeError: latents are no tensors or not floating point.

    Source: Park, Kim, Lu, Cho, "Relational knowledge distillation" (2019), eq. 4-6; paper 1, section 4.1.
    """
    pairs = paired(student, teacher, in_order=False)
    losses = [F.smooth_l1_loss(*(relative_distance(x, mean_over) for x in pair)) for pair in pairs]
    return sum(losses) / len(losses)


def relative_distance(x: Tensor, mean_over: str = "all") -> Tensor:
    """Distances of all pairs in units of their mean over the pairs of distinct samples.

    Args:
        x: floating point (n, d).
        mean_over: ``"all"`` such pairs, or those at a ``"positive"`` distance.

    Returns:
        Distances >= 0 without unit, (n, n), zero diagonal.

    Raises:
        ValueError: ``mean_over`` is neither, or ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.
    """
    if mean_over not in MEANS:
        raise ValueError(f"mean_over is {mean_over!r}; choose one of {', '.join(MEANS)}")
    x = _in_range(vertices(x))
    distance = root(squared_distances(x))
    n, total = x.shape[-2], distance.sum((-2, -1), keepdim=True)
    pairs = n * (n - 1) if mean_over == "all" else (distance > 0).sum((-2, -1), keepdim=True)
    nothing = total == 0
    return torch.where(nothing, 0.0, distance * (pairs / torch.where(nothing, 1.0, total))).to(x.dtype)


BLOCK = {"cpu": 2**17, "cuda": 2**24}
"""How many angles are held at a time: on a processor what its cache keeps, on a GPU what keeps it busy."""


def rkd_angle(student: Latents, teacher: Latents) -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} mean_ijk h(cos ∠_S^l(i, j, k) - cos ∠_T^l(i, j, k))``, RKD-A.

    ``∠(i, j, k)`` is the angle at j between the directions to i and to k, and h the smooth L1 (Huber)
    function with threshold 1. The mean is over all n³ ordered triplets, as in the authors' code, also where
    two of the three are one sample. The cosine with a direction of length 0 is 0: of i = j, and of samples
    that coincide, see `lggkit.graph.pairwise_distance`. Where samples are near each other in units of others'
    distances, the angles are taken in float64.

    By the law of cosines the angles follow from the n² distances, without the n² × d differences. They are
    gone through in blocks, and their gradient with them: memory grows with n², time with n³. The gradient
    cannot be differentiated again, nor taken by the transforms of ``torch.func``.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher.

    Returns:
        The loss in [0, 1.5], a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`.
        TypeError: latents are not floating point.

    Source: Park, Kim, Lu, Cho, "Relational knowledge distillation" (2019), eq. 7-9.
    """
    pairs = paired(student, teacher, in_order=False)
    losses = [_Angles.apply(*map(_relative_squares, pair)).to(vertices(pair[0]).dtype) for pair in pairs]
    return sum(losses) / len(losses)


def _relative_squares(x: Tensor) -> Tensor:
    """The squared distances (n, n) in units of the largest, at any scale of x within the type's range."""
    square = squared_distances(_in_range(vertices(x)))
    largest = square.detach().amax()
    return square / torch.where(largest == 0, 1.0, largest)


def _in_range(x: Tensor) -> Tensor:
    """x, what is in float64 in a unit in which that holds the squares; those of float32 it holds."""
    return x / unit_of(x, (-2, -1)) if x.dtype == torch.float64 else x


class _Angles(torch.autograd.Function):
    """From the squared distances (n, n) of both networks to the mean over angles, and back."""

    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor) -> Tensor:
        n = len(student)
        dtype = torch.promote_types(student.dtype, teacher.dtype)
        given, student, teacher = student, student.to(dtype), teacher.to(dtype)
        ours, theirs = (inverse_sqrt(square) for square in (student, teacher))
        loss, gradient = student.new_zeros(()), torch.zeros_like(student)
        rows = max(1, BLOCK.get(student.device.type, BLOCK["cuda"]) // n**2)
        for start in range(0, n, rows):
            at = slice(start, start + rows)
            cosine, target = _cosines(student, ours, at), _cosines(teacher, theirs, at)
            loss += F.smooth_l1_loss(cosine, target, reduction="sum")
            _descend(gradient, cosine, target, ours, at)
        ctx.save_for_backward(given, (gradient / n**3).to(given.dtype))
        return loss / n**3

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        student, gradient = ctx.saved_tensors
        return _Once.apply(student, grad * gradient), None


class _Once(torch.autograd.Function):
    """Says that a gradient cannot be differentiated, which once_differentiable misses where it is 1 times."""

    @staticmethod
    def forward(ctx: Any, student: Tensor, gradient: Tensor) -> Tensor:
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> None:
        raise RuntimeError("rkd_angle has no second derivative; take the first without create_graph")


def _cosines(square: Tensor, inverse: Tensor, at: slice) -> Tensor:
    """The cosines (b, n, n) of the angles at some vertices, between all pairs of others."""
    side, unit = square[at], inverse[at]
    cosine = (side.unsqueeze(-1) + side.unsqueeze(-2)).sub_(square)
    return cosine.mul_(unit.unsqueeze(-1) / 2).mul_(unit.unsqueeze(-2))


def _descend(gradient: Tensor, cosine: Tensor, target: Tensor, inverse: Tensor, at: slice) -> None:
    """Add the derivative by the squared distances of what the angles at some vertices contribute."""
    unit = inverse[at]
    slope = torch.sub(cosine, target, out=target).clamp_(-1, 1)
    # A distance is a side of the angles at its ends, twice by symmetry: it divides the cosine ...
    gradient[at] -= cosine.mul_(slope).sum(-1) * unit.square()
    slope.mul_(unit.unsqueeze(-1)).mul_(unit.unsqueeze(-2))
    # ... and adds to its numerator, from which the opposite side, every distance in turn, is subtracted.
    gradient[at] += slope.sum(-1)
    gradient -= slope.sum(0) / 2
