"""Labels on the vertices: masks, indicators, edges between classes (paper 1, definitions 3 and 6)."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._precision import as_adjacency, integer, may_look, one_of, tensor

CLASS_MASKS = ("inter", "intra")


def class_mask(labels: Tensor, kind: str = "inter") -> Tensor:
    """Which pairs of vertices are of distinct classes, or of one class.

    Args:
        labels: integers (..., n).
        kind: ``"inter"`` for distinct classes, ``"intra"`` for one class, without the diagonal.

    Returns:
        The mask, bool (..., n, n).

    Raises:
        ValueError: ``kind`` is neither.
        TypeError: ``labels`` are no integers.
    """
    one_of(kind, CLASS_MASKS, "The class mask")
    labels = integers(labels)
    differ = labels.unsqueeze(-1) != labels.unsqueeze(-2)
    if kind == "inter":
        return differ
    return ~differ & ~torch.eye(labels.shape[-1], dtype=torch.bool, device=labels.device)


def class_indicators(
    labels: Tensor, classes: int | None = None, dtype: torch.dtype = torch.float32
) -> Tensor:
    """The label indicator vectors V as columns (paper 1, definitions 3 and 6).

    Args:
        labels: integers (..., n), in [0, classes) where ``classes`` is given.
        classes: with it, column j is class j. Without, there are n columns: column j is the class of vertex j
            if j is the first vertex of its class, and zero otherwise. (The number of classes is not looked
            at, so that nothing waits for the device.)
        dtype: of the result.

    Returns:
        V in {0, 1}, shape (..., n, classes) or (..., n, n).

    Raises:
        ValueError: ``classes`` < 1, or labels lie outside [0, classes). The latter is seen on the CPU only,
            not in compiled code or under vmap, since elsewhere it would wait for the device.
        TypeError: ``labels`` are no integers, or ``classes`` is no int.
    """
    if classes is not None:
        labels, classes = integers(labels), integer(classes, "classes")
        _check_range(labels, classes)
        return (labels.unsqueeze(-1) == torch.arange(classes, device=labels.device)).to(dtype)
    same = ~class_mask(labels)
    earlier = same.tril(-1).any(-1)
    return (same & ~earlier.unsqueeze(-2)).to(dtype)


def inter_class_edges(a: Tensor, labels: Tensor) -> Tensor:
    """The number of undirected edges (non-zero weights) between distinct classes.

    Args:
        a: symmetric adjacency or mask, (..., n, n).
        labels: integers (..., n).

    Returns:
        Counts, int64 (...), from 0 to n(n-1)/2.

    Raises:
        ValueError: ``a`` is not square, or there is not one label a vertex.
        TypeError: ``a`` is neither floating point nor Boolean, or ``labels`` are no integers.
    """
    a = as_adjacency(a)
    return ((a != 0) & labelled(a, labels)).sum((-2, -1)) // 2


def labelled(a: Tensor, labels: Tensor) -> Tensor:
    """The inter-class mask of the vertices of ``a``; ValueError if their numbers differ."""
    if tensor(labels, "labels").shape[-1:] != a.shape[-1:]:
        many = a.ndim > 2 and labels.ndim == 1
        hint = (
            f" These are graphs of shape {tuple(a.shape)}: did feature maps miss `flatten`?" if many else ""
        )
        raise ValueError(
            f"There must be one label a vertex: {a.shape[-1]}, got labels {tuple(labels.shape)}.{hint}"
        )
    return class_mask(labels)


def _check_range(labels: Tensor, classes: int) -> None:
    if not may_look(labels) or not labels.numel():
        return
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(
            f"labels run from {low} to {high}, outside [0, {classes}): give the number of classes."
        )


def integers(labels: Tensor) -> Tensor:
    """The labels, if they are integers (..., n), wide unsigned ones as int64; else TypeError."""
    if tensor(labels, "labels").is_floating_point() or labels.is_complex() or labels.ndim == 0:
        raise TypeError(
            f"labels must be integers of shape (..., n), got {labels.dtype} {tuple(labels.shape)}."
        )
    # torch compares and gathers few of its newer unsigned types.
    return labels.long() if labels.dtype in (torch.uint16, torch.uint32, torch.uint64) else labels
