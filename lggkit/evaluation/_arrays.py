"""Embeddings as arrays for scikit-learn and scipy, and bounded draws of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lggkit.evaluation import _given


def rows(x: Tensor) -> np.ndarray:
    """Embeddings (n, d...) of any device and floating type as an array (n, d), float32 or float64.

    Raises:
        TypeError: they are no tensor.
        ValueError: an entry is not finite.
    """
    x = _given.tensor("embeddings", x)
    bad = int((~torch.isfinite(x)).sum())
    if bad:
        raise ValueError(
            f"{bad} of {x.numel()} entries of the embeddings are not finite; look where they first appear"
        )
    flat = x.detach().flatten(1).cpu()
    return (flat if flat.element_size() >= 4 else flat.float()).numpy()


def draw(n: int, most: int, seed: int) -> np.ndarray:
    """At most ``most`` of the indices 0..n-1, ascending; which ones depends on nothing but the arguments."""
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def labelled(
    x: Tensor, labels: Tensor, most: int | None = None, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (n, d) in float64 and their classes (n,), at most ``most`` of them.

    Raises:
        TypeError: they are no tensors, or labels no integers.
        ValueError: there are not as many labels as embeddings.
    """
    labels = _given.classes(labels)
    if len(x) != len(labels):
        raise ValueError(f"there are {len(x)} embeddings and {len(labels)} labels; give one label for each")
    kept = draw(len(x), len(x) if most is None else most, seed)
    return rows(x)[kept].astype(np.float64), labels.cpu().numpy()[kept]
