"""A subspace as a unit of a network (algorithm III): sets go in, coordinates of nearest vectors come out."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lggkit.graph._precision import accumulating, integer, matmul, number
from lggkit.subspaces._factors import polar, top_vectors
from lggkit.subspaces._given import basis, dimension, meeting, same_space
from lggkit.subspaces.angles import schubert_fit


class SchubertNode(nn.Module):
    """A trainable k-dimensional subspace K of R^n: a set goes to the vectors of K that come nearest to it.

    ``forward`` gives b, the c first right singular vectors of ``XᵀK``, for which the article needs an inner
    optimisation. b does not depend on the basis of the set; its sign, which nothing determines, is such that
    its largest entry is positive. K is the polar factor of ``weight`` (n, k), orthonormal by construction, so
    that no penalty is needed.

    Args:
        n: dimension of the space.
        k: dimension of the subspace, 1 to n.
        c: vectors for each set, 1 to min(l, k).
        detached: whether what follows has no gradient to K, as in the article; K then learns by `angle_loss`.

    Raises:
        ValueError: a number is out of range.
        TypeError: a number is no int.
    """

    def __init__(self, n: int, k: int, c: int = 1, detached: bool = False) -> None:
        super().__init__()
        self.c, self.detached = meeting(c, dimension(k, integer(n, "n")), n), detached
        self.weight = nn.Parameter(torch.linalg.qr(torch.randn(n, k)).Q)

    @property
    def basis(self) -> Tensor:
        """The orthonormal basis K (n, k), differentiable."""
        return polar(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Coordinates b (..., k, c) of orthonormal bases (..., n, l), c of length one for each set."""
        own = self.basis.detach() if self.detached else self.basis
        x = basis(x)
        same_space(x, own)
        meeting(self.c, own.shape[-1], x.shape[-1])
        product = matmul(x.mT, own)
        vectors = top_vectors(matmul(product.mT, product), self.c)
        largest = vectors.detach().gather(-2, vectors.detach().abs().argmax(-2, keepdim=True))
        return vectors * largest.sign()

    def angle_loss(self, x: Tensor) -> Tensor:
        """One less the fit of sets (r, n, l): the mean of the sines squared of the c smallest angles."""
        return 1 - schubert_fit(x, self.basis, self.c)


class SquaredCosineHead(nn.Module):
    """Logits ``Σ_c (b_cᵀ w)² / T`` of the classes' centroids w: b and -b have the same (equation 7).

    Args:
        k: length of b.
        classes: number of them.
        temperature: T > 0.

    Raises:
        ValueError: a number is out of range.
        TypeError: a count is no int, or the temperature no number.
    """

    def __init__(self, k: int, classes: int, temperature: float = 0.1) -> None:
        super().__init__()
        if not 0 < number(temperature, "temperature") < math.inf:
            raise ValueError(f"temperature is {temperature!r}; give a positive number, such as 0.1")
        self.temperature = temperature
        self.weight = nn.Parameter(torch.randn(integer(k, "k"), integer(classes, "classes")) / math.sqrt(k))

    def forward(self, b: Tensor) -> Tensor:
        """Logits (..., classes) of coordinates (..., k, c).

        Raises:
            ValueError: b has another length.
        """
        if b.ndim < 2 or b.shape[-2] != len(self.weight):
            raise ValueError(f"b has shape {tuple(b.shape)}; give (..., {len(self.weight)}, c)")
        return matmul(accumulating(b, "b").mT, self.weight).square().sum(-2) / self.temperature
