"""Value and gradient of the fit of many candidates at once, and what three solvers make of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.subspaces._factors import polar, top_vectors

PENALTY, RATE, STEPS = 1e4, 1e-3, 40_000
"""The paper's weight of the penalty, learning rate and number of steps."""
HALVINGS, SUFFICIENT, SLACK = 20, 1e-4, 1e-13


@dataclass(frozen=True)
class Problem:
    """r subspaces ``x`` (r, n, l), how many angles count, and whether their cosines are squared."""

    x: Tensor
    c: int
    squared: bool

    def __call__(self, basis: Tensor) -> tuple[Tensor, Tensor]:
        """The fit (s,) of bases (s, n, k), and half its gradient times rc (cos²), or that (cos), (s, n, k).

        The gradient is ``Σ_i X_i A_i S_i^p B_iᵀ`` with the c first singular triples of ``X_iᵀ K``, p = 1 for
        cos² and 0 for cos: the angles' vectors count as constant (the envelope theorem).
        """
        r, n, l = self.x.shape
        flat = self.x.transpose(1, 2).reshape(r * l, n)
        product = (flat @ basis).unflatten(-2, (r, l))
        left, right, squares = self._triples(product)
        value = squares if self.squared else squares.sqrt()
        inner = (left @ right.mT).flatten(-3, -2)
        return value.mean((-2, -1)), flat.mT @ inner

    def _triples(self, product: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Left and right vectors, one of them times its singular value for cos², and the values squared."""
        wide = product.shape[-2] <= product.shape[-1]
        m = product if wide else product.mT
        one = top_vectors(m @ m.mT, self.c)
        other = m.mT @ one
        squares = other.square().sum(-2)
        if not self.squared:
            other = other / squares.sqrt().clamp(min=torch.finfo(m.dtype).tiny)[..., None, :]
        return (one, other, squares) if wide else (other, one, squares)


def alternating(
    problem: Problem, basis: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, list[Tensor]]:
    """Vectors of the angles for fixed K, then the best K for fixed vectors, in turn.

    For fixed vectors the objective is convex in K (linear for cos), so that the polar factor of its gradient
    never lowers it: the history ascends.
    """
    history: list[Tensor] = []
    for _ in range(iterations):
        value, gradient = problem(basis)
        history.append(value)
        if len(history) > 1 and bool((value - history[-2] <= tolerance).all()):
            break
        basis = polar(gradient)
    return basis, history


def riemannian(
    problem: Problem, basis: Tensor, iterations: int, tolerance: float
) -> tuple[Tensor, list[Tensor]]:
    """Steepest ascent on the Grassmannian, with Barzilai and Borwein's steps, halved until enough.

    The gradient is projected onto the horizontal space, ``G - K KᵀG``; a step is taken back by QR.
    """
    history: list[Tensor] = []
    value, gradient = problem(basis)
    slope, step = _horizontal(basis, gradient), torch.ones_like(value)
    for _ in range(iterations):
        history.append(value)
        if len(history) > 1 and bool((value - history[-2] <= tolerance).all()):
            break
        moved, step, reached, gradient = _searched(problem, basis, slope, step, value)
        later = _horizontal(moved, gradient)
        step = _length(moved - basis, slope - later, step)
        basis, slope, value = moved, later, reached
    return basis, history


def _horizontal(basis: Tensor, gradient: Tensor) -> Tensor:
    return gradient - basis @ (basis.mT @ gradient)


def _searched(
    problem: Problem, basis: Tensor, slope: Tensor, step: Tensor, value: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The step halved until the value has grown enough; one that never does is not taken."""
    enough = SUFFICIENT * slope.square().sum((-2, -1)) / (len(problem.x) * problem.c)
    for _ in range(HALVINGS):
        moved = torch.linalg.qr(basis + step[:, None, None] * slope).Q
        reached, gradient = problem(moved)
        short = reached < value + step * enough - SLACK
        if not bool(short.any()):
            return moved, step, reached, gradient
        step = torch.where(short, step / 2, step)
    moved = torch.where((reached < value)[:, None, None], basis, moved)
    return moved, step, *problem(moved)


def _length(moved: Tensor, change: Tensor, before: Tensor) -> Tensor:
    """Barzilai and Borwein's length of a step; where the curvature is not above 0, twice the last."""
    along = (moved * change).sum((-2, -1))
    length = moved.square().sum((-2, -1)) / along.abs().clamp(min=torch.finfo(moved.dtype).tiny)
    return torch.where(along > 0, length.clamp(max=1e6), 2 * before).clamp(min=1e-12)


def adam_penalty(
    problem: Problem,
    k: int,
    generator: torch.Generator,
    steps: int = STEPS,
    watch: Callable[[int, Tensor], None] | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """The article's solver: Adam on K (n, k) and b (r, k), uniform in [0, 1], orthogonality as a penalty.

    ``-Σ_i b_iᵀ Kᵀ X_i X_iᵀ K b_i + λ ‖KᵀK - I‖²`` with b_i of length one; the article writes the penalty
    without a norm, the squared Frobenius norm is our reading. ``watch`` sees K after each thousand steps.
    """
    with torch.inference_mode(False), torch.enable_grad():
        return _descended(Problem(problem.x.clone(), problem.c, problem.squared), k, generator, steps, watch)


def _descended(
    problem: Problem, k: int, generator: torch.Generator, steps: int, watch: Callable | None
) -> tuple[Tensor, list[Tensor]]:
    x, options = problem.x, {"generator": generator, "dtype": problem.x.dtype, "device": problem.x.device}
    basis = torch.rand(x.shape[1], k, **options).requires_grad_()
    coordinates = torch.rand(len(x), k, 1, **options).requires_grad_()
    optimiser = torch.optim.Adam([basis, coordinates], lr=RATE)
    history, identity = [], torch.eye(k, dtype=x.dtype, device=x.device)
    for made in range(steps):
        unit = coordinates / torch.linalg.vector_norm(coordinates, dim=1, keepdim=True)
        squares = ((x.mT @ basis) @ unit).square().sum((1, 2))
        reached = squares.sum() if problem.squared else squares.sqrt().sum()
        loss = PENALTY * (basis.mT @ basis - identity).square().sum() - reached
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(reached.detach() / len(x))
        if watch is not None and made % 1000 == 999:
            watch(made + 1, basis.detach())
    return basis.detach(), history
