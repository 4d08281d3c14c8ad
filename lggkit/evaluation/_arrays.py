"""Embeddings as arrays for scikit-learn and scipy, and bounded draws of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lggkit.data.checks import as_integer
from lggkit.graph._precision import tensor
from lggkit.graph.classes import integers


def rows(x: Tensor) -> np.ndarray:
    """Embeddings (n, d...) of any device and floating type as an array (n, d), float32 or float64.

    Raises:
        ValueError: an entry is not finite, or there is no (n, d...).
        TypeError: ``x`` is no tensor or not floating point.
    """
    if not tensor(x, "The embeddings").is_floating_point():
        raise TypeError(f"the embeddings are {x.dtype}; convert them, e.g. with .float()")
    if x.ndim < 2:
        raise ValueError(f"the embeddings have shape {tuple(x.shape)}; give one row an image, (n, d)")
    bad = int((~torch.isfinite(x)).sum())
    if bad:
        raise ValueError(
            f"{bad} of {x.numel()} entries of the embeddings are not finite; look where they first appear"
        )
    flat = x.detach().flatten(1).cpu()
    return (flat if flat.element_size() >= 4 else flat.float()).numpy()


def classes(labels: Tensor) -> np.ndarray:
    """Integer labels (n,) of any device as an array; TypeError where they are none."""
    return integers(labels).cpu().numpy()


def directions(x: np.ndarray) -> np.ndarray:
    """Rows (n, d) in float64 and of length one, whatever their scale; rows of zeros stay as they are."""
    x = x.astype(np.float64)
    x /= _not_zero(np.abs(x).max(1, keepdims=True, initial=0))
    x /= _not_zero(np.linalg.norm(x, axis=1, keepdims=True))
    return x


def _not_zero(size: np.ndarray) -> np.ndarray:
    return np.where(size > 0, size, 1)


def draw(n: int, most: int, seed: int) -> np.ndarray:
    """At most ``most`` of the indices 0..n-1, ascending; which ones depends on nothing but the arguments.

    Raises ``ValueError`` where ``most`` is below 1, ``TypeError`` where it is no integer.
    """
    most = as_integer("the number of points to look at", most, 1)
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def labelled(
    x: Tensor, labels: Tensor, most: int | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (n, d) in float64 and their classes (n,), at most ``most`` of them.

    Raises:
        ValueError: there are not as many labels as embeddings, or there are none.
        TypeError: either is no tensor, or ``labels`` are no integers.
    """
    if len(x) != len(labels):
        raise ValueError(f"there are {len(x)} embeddings and {len(labels)} labels; give one label for each")
    if not len(x):
        raise ValueError("there are no embeddings; give one at least")
    indices = draw(len(x), len(x) if most is None else most, seed)
    return rows(x)[indices].astype(np.float64), classes(labels)[indices]
