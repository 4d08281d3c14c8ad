"""Schubert varieties of best fit: the subspace that comes nearest to meeting each of r others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import integer, matmul, number, one_of, widest
from lggkit.subspaces._factors import polar, top_vectors
from lggkit.subspaces._given import basis, dimension, meeting, same_space, subspaces
from lggkit.subspaces.angles import OBJECTIVES, schubert_fit
from lggkit.subspaces.bases import haar_subspaces
from lggkit.subspaces.means import flag_mean
from lggkit.subspaces.solvers import STEPS, Problem, adam_penalty, alternating, riemannian

SOLVERS = {"alternating": alternating, "riemannian": riemannian}


class SchubertBestFit:
    """The k-dimensional subspace that maximises ``1/(rc) Σ_i Σ_{j<=c} cos² θ_ij`` over r given ones.

    θ_ij are the principal angles to subspace i, of which only the c smallest count: it need not be near the
    whole of each, only meet each in c dimensions. With c = min(l, k) and cos² it is the flag mean.

    Args:
        k: its dimension.
        c: dimensions in which it should meet each subspace, 1 to min(l, k).
        objective: ``"cos2"`` (equations 1 and 3) or ``"cos"`` (equations 2 and 4).
        solver: ``"alternating"`` goes to and fro between the vectors of the angles and the basis, each in
            closed form, and never lowers the objective; ``"riemannian"`` climbs on the Grassmannian;
            ``"adam_penalty"`` is the article's, for c = 1 and 40,000 steps by default.
        starts: from the flag mean, and from random subspaces; the best counts. Adam has one.
        iterations: the most; None is 500, or 40,000 of Adam.
        tolerance: stop when no start has gained more.
        seed: of the random starts, or of Adam's.

    After `fit`: ``basis_`` (n, k); ``intersections_`` (r, k, c), the coordinates b of the vectors ``K b``
    that come nearest to each subspace; ``fit_`` in [0, 1]; ``history_``, the objective of the best start at
    each iteration.

    Raises:
        ValueError: an option is out of range.
        TypeError: a count is no int, or the tolerance no number.

    Source: Karimov, Kirby, Peterson, "An algorithm for computing Schubert varieties of best fit" (2023).
    """

    basis_: Tensor
    intersections_: Tensor
    fit_: float
    history_: list[float]

    def __init__(
        self,
        k: int,
        c: int = 1,
        objective: str = "cos2",
        solver: str = "alternating",
        *,
        starts: int = 8,
        iterations: int | None = None,
        tolerance: float = 1e-9,
        seed: int = 0,
    ) -> None:
        one_of(objective, OBJECTIVES, "objective")
        one_of(solver, (*SOLVERS, "adam_penalty"), "solver")
        self.k, self.c = integer(k, "k"), integer(c, "c")
        if solver == "adam_penalty" and c != 1:
            raise ValueError(f"c is {c}, but the article's solver fits one angle; choose another solver")
        if not 0 <= number(tolerance, "tolerance") < math.inf:
            raise ValueError(f"tolerance is {tolerance!r}; give a number from 0 on, such as 1e-9")
        self.objective, self.solver, self.tolerance = objective, solver, tolerance
        self.starts, self.seed = integer(starts, "starts"), integer(seed, "seed", 0)
        usual = STEPS if solver == "adam_penalty" else 500
        self.iterations = usual if iterations is None else integer(iterations, "iterations")

    def fit(self, x: Tensor | Sequence[Tensor]) -> SchubertBestFit:
        """Find the subspace for r orthonormal bases (r, n, l), or a list of them of one size.

        Where the given ones span less than the space, the work is done within their span, which loses
        nothing, and but for Adam in float64. Nothing is differentiated through.

        Raises:
            ValueError: the bases are of unequal sizes or not orthonormal, or k or c does not fit them.
            TypeError: a tensor is none or not floating point.
        """
        x = subspaces(x).detach()
        _, n, l = x.shape
        meeting(self.c, dimension(self.k, n), l)
        with torch.autocast(x.device.type, enabled=False):
            if self.solver == "adam_penalty":
                subspace, self.history_ = self._of_adam(x)
            else:
                subspace, self.history_ = self._within(x.to(widest(x)))
        self.fit_ = float(schubert_fit(x.to(subspace.dtype), subspace, self.c, self.objective))
        self.basis_ = subspace.to(x.dtype)
        self.intersections_ = self.coordinates(x)
        return self

    def coordinates(self, x: Tensor) -> Tensor:
        """The c first right singular vectors b of ``XᵀK``, (..., k, c), each up to its sign."""
        x = self._fitting(x)
        product = matmul(x.mT, self.basis_)
        return top_vectors(matmul(product.mT, product), self.c)

    def intersection(self, x: Tensor) -> Tensor:
        """The vectors ``K b`` (..., n, c) of the subspace that come nearest to the given ones (..., n, l)."""
        coordinates = self.coordinates(x)
        return matmul(self.basis_, coordinates)

    def transform(self, x: Tensor) -> Tensor:
        """``Kᵀ X`` (..., k, l), the coordinates of bases in the subspace (algorithm I)."""
        x = self._fitting(x)
        return matmul(self.basis_.mT, x)

    def score(self, x: Tensor) -> float:
        """The fit of other subspaces (r, n, l), in [0, 1]."""
        return float(schubert_fit(x, self._fitted(), self.c, self.objective))

    def _fitted(self) -> Tensor:
        if not hasattr(self, "basis_"):
            raise ValueError("nothing is fitted yet; call fit first")
        return self.basis_

    def _fitting(self, x: Tensor) -> Tensor:
        own, x = self._fitted(), basis(x)
        same_space(x, own)
        return x.to(own.dtype)

    def _of_adam(self, x: Tensor) -> tuple[Tensor, list[float]]:
        generator = torch.Generator(x.device).manual_seed(self.seed)
        matrix, history = adam_penalty(self._problem(x), self.k, generator, self.iterations)
        return polar(matrix), torch.stack(history).tolist()

    def _within(self, x: Tensor) -> tuple[Tensor, list[float]]:
        """The best of all starts, in coordinates of the span of all subspaces where that is smaller."""
        r, n, l = x.shape
        if self.k <= r * l < n:
            frame = torch.linalg.qr(x.transpose(0, 1).reshape(n, r * l)).Q
            coordinates, history = self._within_all(frame.mT @ x)
            return frame @ coordinates, history
        return self._within_all(x)

    def _within_all(self, x: Tensor) -> tuple[Tensor, list[float]]:
        bases, history = SOLVERS[self.solver](
            self._problem(x), self._starts(x), self.iterations, self.tolerance
        )
        best = int(history[-1].argmax())
        return bases[best], torch.stack(history)[:, best].tolist()

    def _problem(self, x: Tensor) -> Problem:
        return Problem(x, self.c, self.objective == "cos2")

    def _starts(self, x: Tensor) -> Tensor:
        first = flag_mean(x, self.k)[None]
        if self.starts == 1 or self._solved_by_the_mean(x):
            return first
        generator = torch.Generator(x.device).manual_seed(self.seed)
        return torch.cat([first, haar_subspaces(self.starts - 1, x.shape[1], self.k, generator, x.dtype)])

    def _solved_by_the_mean(self, x: Tensor) -> bool:
        return self.objective == "cos2" and self.c == min(self.k, x.shape[-1])
