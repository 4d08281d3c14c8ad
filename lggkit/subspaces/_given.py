"""What the functions of this wing are given, and one sentence where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, matmul, may_look, tensor

LOOSE = 1e-3
"""How far ``XᵀX`` may be from the identity, in its largest entry."""


def vectors(x: Tensor, name: str = "x") -> Tensor:
    """``x`` as (..., n, l) in the type it is accumulated in, with 1 <= l <= n."""
    x = accumulating(x, name)
    if x.ndim < 2 or not 1 <= x.shape[-1] <= x.shape[-2]:
        raise ValueError(
            f"{name} has shape {tuple(x.shape)}; give (..., n, l), l vectors of n numbers as columns, "
            "1 <= l <= n"
        )
    return x


def basis(x: Tensor, name: str = "x") -> Tensor:
    """``x`` as (..., n, l), if its columns are orthonormal where they can be looked at."""
    x = vectors(x, name)
    if x.numel() and may_look(x):
        off = (matmul(x.detach().mT, x.detach()) - torch.eye(x.shape[-1], dtype=x.dtype)).abs().amax()
        if not off <= LOOSE:
            raise ValueError(
                f"the columns of {name} are no orthonormal basis (off by {off.item():.2g}); pass it through "
                "orthonormal_basis first"
            )
    return x


def finite(x: Tensor, name: str = "x") -> Tensor:
    """``x`` itself; ValueError where an entry is seen to be NaN or infinite."""
    if may_look(x) and not bool(x.isfinite().all()):
        raise ValueError(f"{name} has entries that are NaN or infinite; leave out the sets that hold them")
    return x


def subspaces(x: Tensor | Sequence[Tensor], name: str = "x") -> Tensor:
    """r subspaces of one dimension as (r, n, l); a list of bases (n, l) is stacked."""
    if not isinstance(x, Tensor):
        x = _stacked([vectors(one, f"{name}[{i}]") for i, one in enumerate(x)], name)
    x = basis(x, name)
    if x.ndim != 3 or not len(x):
        raise ValueError(f"{name} has shape {tuple(x.shape)}; give at least one basis, as (r, n, l)")
    return x


def _stacked(x: list[Tensor], name: str) -> Tensor:
    shapes = sorted({tuple(one.shape) for one in x})
    if len(shapes) != 1:
        seen = ", ".join(map(str, shapes)) or "none"
        raise ValueError(f"{name} holds bases of shapes {seen}; give sets of one size (n, l)")
    return torch.stack(x)


def same_space(x: Tensor, y: Tensor) -> None:
    """Raises ValueError where two arrays of bases lie in spaces of different dimension."""
    if x.shape[-2] != y.shape[-2]:
        raise ValueError(
            f"bases have {x.shape[-2]} and {y.shape[-2]} coordinates; give subspaces of one space"
        )


def dimension(k: int, n: int, name: str = "k") -> int:
    """``k`` as the dimension of a subspace of R^n."""
    k = integer(k, name)
    if k > n:
        raise ValueError(f"{name} is {k}, but the space has {n} dimensions; choose 1 to {n}")
    return k


def meeting(c: int, k: int, l: int) -> int:
    """``c`` as a number of angles between subspaces of dimensions k and l."""
    c = integer(c, "c")
    if c > min(k, l):
        raise ValueError(
            f"c is {c}, but subspaces of dimensions {k} and {l} have {min(k, l)} angles; lower it"
        )
    return c


def labels_of(labels: Tensor, count: int) -> Tensor:
    """``labels`` as (count,) integers, one a subspace."""
    labels = tensor(labels, "labels")
    if labels.is_floating_point() or labels.is_complex() or labels.shape != (count,):
        raise ValueError(
            f"labels are {labels.dtype} {tuple(labels.shape)}; give one integer for each of {count} sets"
        )
    labels = labels.long()
    if count and may_look(labels) and int(labels.min()) < 0:
        raise ValueError(f"a label is {int(labels.min())}; give classes from 0 on")
    return labels
