"""When the components of a growing Vietoris-Rips complex die: degree-zero persistence, with gradient."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, may_look, tensor, widest
from lggkit.graph.distances import pairwise_distance, root
from lggkit.similarity._scale import in_own_unit

FEW = 2**18
"""Differences of all pairs that are taken as they are; of more numbers distances are products."""


def component_deaths(x: Tensor) -> Tensor:
    """Finite death times of the components of point sets: the edges of their minimum spanning trees.

    Every point is born at 0; where the complex grows by distance, a component dies at each length of an edge
    of the tree. The tree is found without gradient, by Prim's algorithm on all sets at once, and constant
    under differentiation; lengths are taken from differences of the points. Equal distances may give another
    tree, never other lengths. Points that coincide die at 0, with zero gradient. A single point has no
    finite death.

    Args:
        x: point sets, floating point (..., n, d), n >= 1; leading dimensions are independent sets.

    Returns:
        Death times >= 0 in the unit of ``x``, ascending, (..., n - 1); float32 (float64 stays). Births are 0.

    Raises:
        ValueError: ``x`` has another shape.
        TypeError: ``x`` is no tensor or not floating point.

    Source: Hofer et al., "Topologically densified distributions" (2020), section 2; García-Castellanos et al.
    (2024), section 4.
    """
    if tensor(x, "x").ndim < 2 or 0 in x.shape[-2:]:
        raise ValueError(f"x has shape {tuple(x.shape)}; give point sets (..., n, d) with n >= 1, d >= 1")
    points = accumulating(x)
    flat = points.reshape(points.shape[:-2].numel(), *points.shape[-2:])
    heads, tails = _tree(_distances(flat.detach()))
    sets = torch.arange(len(flat), device=flat.device).unsqueeze(1)
    lengths = _lengths(flat[sets, heads] - flat[sets, tails])
    return lengths.sort(-1).values.reshape(*points.shape[:-2], points.shape[-2] - 1)


def _lengths(edges: Tensor) -> Tensor:
    """The norms of edges (..., d), in a unit of their own in which float32 holds the squares."""
    unit = edges.detach().abs().amax(-1, keepdim=True)
    unit = torch.where((unit > 0) & unit.isfinite(), unit, 1.0)
    return unit.squeeze(-1) * root((edges / unit).square().sum(-1))


def _distances(x: Tensor) -> Tensor:
    """Distances (s, n, n), finite where the points are: a tree needs no more of them than their order."""
    x = in_own_unit(x, (1, 2)) if x.dtype == widest(x) else x
    few = may_look(x) and x.numel() * x.shape[1] <= FEW
    way = "donot_use_mm_for_euclid_dist"
    wide = x.to(widest(x))
    distances = torch.cdist(wide, wide, compute_mode=way) if few else pairwise_distance(x)
    return distances.clamp(max=torch.finfo(distances.dtype).max)


def spanning_tree(distances: Tensor) -> tuple[Tensor, Tensor]:
    """The ends of the edges of minimum spanning trees, by Prim's algorithm on all graphs at once.

    Args:
        distances: complete graphs, symmetric and finite, floating point (s, n, n).

    Returns:
        Two int64 tensors (s, n - 1): the vertex that joins, and the one it is joined to.

    Raises:
        ValueError: the shape is another, or a distance is not finite (seen on the CPU only).
        TypeError: ``distances`` are no tensor or not floating point.
    """
    distances = accumulating(distances, "distances")
    shape = distances.shape
    if len(shape) != 3 or shape[1] != shape[2] or not shape[1]:
        raise ValueError(f"distances have shape {tuple(shape)}; give complete graphs (s, n, n) with n >= 1")
    if may_look(distances) and not bool(distances.isfinite().all()):
        raise ValueError("distances are NaN or infinite in places; give complete graphs of numbers only")
    return _tree(distances)


def _tree(distances: Tensor) -> tuple[Tensor, Tensor]:
    return (_tree_of_arrays if may_look(distances) else _tree_of_tensors)(distances)


def _tree_of_tensors(distances: Tensor) -> tuple[Tensor, Tensor]:
    size, n = distances.shape[:2]
    graphs = torch.arange(size, device=distances.device)
    nearest = distances[:, 0].clone()
    nearest[:, 0] = torch.inf
    inside = torch.zeros(size, n, dtype=torch.bool, device=distances.device)
    inside[:, 0] = True
    parent = torch.zeros(size, n, dtype=torch.int64, device=distances.device)
    edges = [distances.new_zeros(size, 0, 2).long()]
    for _ in range(n - 1):
        new = nearest.argmin(1)
        edges.append(torch.stack([new, parent[graphs, new]], 1).unsqueeze(1))
        inside = inside.scatter(1, new.unsqueeze(1), True)
        row = distances[graphs, new]
        parent = torch.where(row < nearest, new.unsqueeze(1), parent)
        nearest = torch.minimum(row, nearest).masked_fill(inside, torch.inf)
    tree = torch.cat(edges, 1)
    return tree[..., 0], tree[..., 1]


def _tree_of_arrays(distances: Tensor) -> tuple[Tensor, Tensor]:
    """The same in NumPy, which takes a quarter of the time to begin an operation on the CPU."""
    array = distances.detach().numpy()
    size, n = array.shape[:2]
    graphs, nearest = np.arange(size), array[:, 0].copy()
    nearest[:, 0] = np.inf
    inside = np.zeros((size, n), dtype=bool)
    inside[:, 0] = True
    parent, edges = np.zeros((size, n), dtype=np.int64), np.empty((2, size, n - 1), dtype=np.int64)
    for step in range(n - 1):
        new = nearest.argmin(1)
        edges[:, :, step] = new, parent[graphs, new]
        inside[graphs, new] = True
        row = array[graphs, new]
        np.copyto(parent, new[:, None], where=row < nearest)
        np.minimum(row, nearest, out=nearest)
        nearest[inside] = np.inf
    heads, tails = torch.from_numpy(edges)
    return heads, tails


def beta_connected(x: Tensor, beta: float) -> Tensor:
    """Whether point sets are β-connected: all death times of degree zero lie in (0, β).

    Args:
        x: point sets of distinct points, (..., n, d).
        beta: a positive length in the unit of ``x``.

    Returns:
        Booleans (...); true for a single point.

    Raises:
        ValueError: ``beta`` is not positive, or ``x`` has another shape.
    """
    return (component_deaths(x) < positive(beta)).all(-1)


def positive(beta: float) -> float:
    """``beta`` itself, if it is above 0; else ValueError."""
    if not 0 < beta < float("inf"):
        raise ValueError(f"beta is {beta}; give a positive length in the unit of the points")
    return beta
