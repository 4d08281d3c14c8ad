"""Centred kernel alignment without bias, in one pass over the data (Kornblith 2019; Nguyen 2021).

The usual estimate of CKA is positive for independent data, the more so the fewer samples and the more
features: at 32 samples it reads 0.2 and above. Here HSIC has Song's unbiased estimate (2012), as a product of
U-centred matrices (Székely and Rizzo, 2014): ``HSIC = Σ_{i≠j} K̃_ij L̃_ij / (n (n - 3))``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, inverse_sqrt, matmul, tensor
from lggkit.similarity._scale import in_own_unit, spread, unit_of, wide_gram
from lggkit.similarity.null import Null, permutations

FEWEST = 4


def cka(x: Tensor, y: Tensor, unbiased: bool = True) -> Tensor:
    """``HSIC(K, L) / √(HSIC(K, K) HSIC(L, L))`` of the linear kernels of two representations.

    Args:
        x, y: floating point (n, d) and (n, d'), the same n >= 4 samples.
        unbiased: Song's estimate, which is about 0 for independent data and may be negative; False is the
            usual one, in [0, 1].

    Returns:
        A scalar, at most 1; 0 where a side does not vary. Differentiable.

    Raises:
        ValueError: the samples differ in number, are fewer than four or not finite.
        TypeError: a side is no tensor or not floating point.
    """
    x, y = _pair(x, y)
    centre = u_centred if unbiased else _double_centred
    a, b = (centre(matmul(z, z.T)).flatten() for z in (x, y))
    found = _aligned((a * b).sum(), a.square().sum(), b.square().sum())
    return found.to(torch.promote_types(x.dtype, y.dtype))


def cka_with_null(x: Tensor, y: Tensor, draws: int = 200, generator: torch.Generator | None = None) -> Null:
    """Unbiased `cka` beside what it is when the samples of one side are permuted.

    Raises:
        ValueError, TypeError: as `cka`; ``draws`` is below 1 or no int.
    """
    x, y = (z.detach() for z in _pair(x, y))
    a, b = (u_centred(matmul(z, z.T)) for z in (x, y))
    scale = inverse_sqrt(a.square().sum(), 0.0) * inverse_sqrt(b.square().sum(), 0.0)
    drawn = [((a * b[p][:, p]).sum() * scale).clamp(-1, 1) for p in permutations(len(x), draws, generator)]
    return Null(float(((a * b).sum() * scale).clamp(-1, 1)), torch.stack(drawn).double().cpu())


def u_centred(gram: Tensor) -> Tensor:
    """A Gram matrix (..., n, n) less row and column means of what is off its diagonal, which becomes zero.

    ``K̃_ij = K_ij - Σ_l K_il / (n-2) - Σ_l K_lj / (n-2) + Σ_lm K_lm / ((n-1)(n-2))`` for i ≠ j: the inner
    product of two such matrices over ``n (n - 3)`` is the unbiased estimate of HSIC.
    """
    n = gram.shape[-1]
    diagonal = torch.eye(n, dtype=torch.bool, device=gram.device)
    gram = gram.masked_fill(diagonal, 0.0)
    rows = gram.sum(-1, keepdim=True) / (n - 2)
    total = gram.sum((-2, -1), keepdim=True) / ((n - 1) * (n - 2))
    return (gram - rows - rows.mT + total).masked_fill(diagonal, 0.0)


class BatchedCKA:
    """CKA of every depth of one network with every depth of another, in one pass over batches.

    HSIC of each batch is unbiased, so that its mean over batches is too, whatever their size. A batch costs
    two Gram matrices a depth and one product of all pairs of depths; no more than a batch is held.

    Args:
        draws: how often the second network's samples are permuted within each batch, for `null`.
        generator: of the permutations.
    """

    def __init__(self, draws: int = 0, generator: torch.Generator | None = None) -> None:
        self.draws, self._generator = integer(draws, "draws", least=0), generator
        self._crossed: Tensor | None = None
        self._own: list[Tensor] = []
        self._permuted: list[Tensor] = []

    def update(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> None:
        """Adds a batch: latents (n, ...) of all depths of either network, n >= 4.

        Raises:
            ValueError: a depth has another number of samples, fewer than four, or values not finite; or there
                are other depths than in the batch before.
            TypeError: a depth is no tensor or not floating point.
        """
        sides = [_stacked(side) for side in (first, second)]
        n = sides[0].shape[1]
        if n != sides[1].shape[1]:
            raise ValueError("the two networks saw batches of other sizes; give both the same samples")
        parts = [_hsic(*sides), *(_own_hsic(side) for side in sides)]
        orders = permutations(n, self.draws, self._generator) if self.draws else ()
        parts += [_hsic(sides[0], sides[1][:, order][:, :, order]) for order in orders]
        if self._crossed is None:
            self._crossed, *self._own, self._permuted = *parts[:3], parts[3:]
        elif self._crossed.shape != parts[0].shape:
            raise ValueError(f"a batch has depths {tuple(parts[0].shape)}, the first {self.shape}; keep them")
        else:
            self._crossed = self._crossed + parts[0]
            self._own = [sums + part for sums, part in zip(self._own, parts[1:3], strict=True)]
            self._permuted = [sums + part for sums, part in zip(self._permuted, parts[3:], strict=True)]

    @property
    def shape(self) -> tuple[int, int]:
        """How many depths either network has; (0, 0) before the first batch."""
        return (0, 0) if self._crossed is None else tuple(self._crossed.shape)

    def value(self) -> Tensor:
        """CKA (depths, depths'), float64; 0 where a depth does not vary.

        Raises:
            ValueError: no batch was added.
        """
        if self._crossed is None:
            raise ValueError("no batch was added; call update first")
        return _aligned(self._crossed, self._own[0][:, None], self._own[1][None])

    def null(self) -> Tensor:
        """CKA with permuted samples (draws, depths, depths'), float64: what chance gives.

        Raises:
            ValueError: no batch was added, or nothing was drawn.
        """
        if not self._permuted:
            raise ValueError(f"draws is {self.draws} and nothing was permuted; give draws, then call update")
        return _aligned(torch.stack(self._permuted), self._own[0][:, None], self._own[1][None])


def _aligned(crossed: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return (crossed * inverse_sqrt(first, 0.0) * inverse_sqrt(second, 0.0)).clamp(-1, 1)


def _hsic(grams: Tensor, others: Tensor) -> Tensor:
    """Unbiased HSIC of Gram matrices (d, n, n) and (d', n, n) without diagonals, (d, d'), times n.

    The inner product of the U-centred ones: ``<K, L> + ΣK ΣL / ((n-1)(n-2)) - 2 / (n-2) <K1, L1>``.
    """
    inner = matmul(grams.flatten(1), others.flatten(1).T)
    return _without_bias(inner, *(one.sum(2) for one in (grams, others)))


def _own_hsic(grams: Tensor) -> Tensor:
    rows = grams.sum(2)
    inner = torch.linalg.vector_norm(grams, dim=(1, 2)).square().diag()
    return _without_bias(inner, rows, rows).diagonal()


def _without_bias(inner: Tensor, rows: Tensor, others: Tensor) -> Tensor:
    n = rows.shape[1]
    totals = torch.outer(rows.sum(1), others.sum(1)) / ((n - 1) * (n - 2))
    return (inner + totals - 2 / (n - 2) * matmul(rows, others.T)) / (n - 3)


def _double_centred(gram: Tensor) -> Tensor:
    rows = gram.mean(-1, keepdim=True)
    return gram - rows - rows.mT + gram.mean((-2, -1), keepdim=True)


def _stacked(depths: Sequence[Tensor]) -> Tensor:
    """Gram matrices of depths (depths, n, n) without their diagonals, in the widest type."""
    if not len(depths):
        raise ValueError("there are no depths; give the latents of one at least")
    samples = [_samples(depth, "x").detach() for depth in depths]
    for x in samples:
        _same_number(x, samples[0])
    grams = torch.stack([wide_gram(x) for x in samples])
    grams.diagonal(dim1=1, dim2=2).zero_()
    return grams


def _pair(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    x, y = _samples(x, "x"), _samples(y, "y")
    _same_number(x, y)
    return in_own_unit(x, (0, 1)), in_own_unit(y, (0, 1))


def _same_number(x: Tensor, y: Tensor) -> None:
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples and y {len(y)}; give the same samples to both")


def _samples(x: Tensor, name: str) -> Tensor:
    """Samples (n, d) less their mean, n >= 4."""
    if tensor(x, name).ndim < 2 or len(x) < FEWEST:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; give samples (n, d), at least {FEWEST}")
    x = accumulating(x, name).flatten(1)
    if not bool(x.detach().isfinite().all()):
        raise ValueError(f"{name} has entries that are not finite; leave those samples out")
    unit = unit_of(x, (0, 1))
    return spread(x / unit - (x / unit).mean(0), x / unit, 0) * unit
