"""Graph knowledge distillation: a student's latent geometry graphs against its teacher's (paper 1, 4.1)."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph import class_mask, knn_mask, latent_geometry_graph, symmetrize
from lggkit.graph._precision import integer
from lggkit.objectives.pairs import Latents, paired

REDUCTIONS = ("sum", "mean")


def gkd(
    student: Latents,
    teacher: Latents,
    *,
    k: int | None = None,
    similarity: str = "cosine",
    bandwidth: float | str | None = None,
    normalized: bool = True,
    order: str = "mask-first",
    exponent: int = 1,
    edges: str | None = None,
    labels: Tensor | None = None,
    reduction: str = "sum",
    negative: str = "zero",
) -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} Σ_{ij} (Â_T^l - Â_S^l)²_ij``, the graph distillation loss (paper 1, section 4.1).

    The paper prints the Frobenius norm; its authors' code minimises the square, with weight 25 and the mean
    over layers, which is the default here. ``reduction="mean"`` divides by the n² entries as well: mind the
    factor (16,384 at n = 128) when you carry a weight over.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher. The cosine wants them without negative entries, as a ReLU gives them: of
            others it sees only the pairs at acute angles, see ``negative``. ``similarity="rbf"`` sees all;
            `check_latents` tells which they are.
        k, similarity, bandwidth, normalized, exponent: of both graphs, see
            `lggkit.graph.latent_geometry_graph`; k=None and k >= n are the full graph.
        order: ``"mask-first"`` is the paper's: each network has its own k nearest neighbours, symmetrised,
            then normalised. ``"normalize-first"`` is the authors' code: both full graphs are normalised, then
            both keep the edges of the *teacher's* k nearest neighbours in its own, symmetrised.
        edges: None keeps all edges; ``"inter"`` only those between distinct classes, ``"intra"`` only those
            within a class, at the place where ``order`` masks.
        labels: integers (n,), needed for ``edges`` and only then.
        reduction: over the n² entries, ``"sum"`` or ``"mean"``; layers are always averaged.
        negative: ``"zero"``, negative similarities are no edges of either graph, or ``"keep"``, the authors'
            code: a degree can then be near 0 or below, and loss and gradient are huge; see
            `lggkit.graph.latent_geometry_graph`.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit (see `paired`), k < 1, ``edges`` and ``labels`` do not come
            together or come with ``k``, or an option is unknown.
        TypeError: latents are no tensors or not floating point, ``k`` or ``exponent`` is no int, ``labels``
            no integers.
    """
    _check(edges, labels, k, reduction)
    k = None if k is None else integer(k, "k")
    pairs = paired(student, teacher, in_order=not isinstance(similarity, str))
    fixed = None if edges is None else class_mask(labels, edges)
    graph = {
        "similarity": similarity,
        "bandwidth": bandwidth,
        "normalized": normalized,
        "exponent": exponent,
        "negative": negative,
    }
    total = sum(_difference(ours, theirs, k, fixed, order, graph) for ours, theirs in pairs)
    entries = pairs[0][0].shape[0] ** 2 if reduction == "mean" else 1
    return total / (len(pairs) * entries)


def _difference(
    student: Tensor, teacher: Tensor, k: int | None, mask: Tensor | None, order: str, graph: dict
) -> Tensor:
    """The sum of squares of the difference of one layer's graphs."""
    if order == "normalize-first" and k is not None:
        mask, k = _teachers_neighbors(teacher, k, graph), None
    edges = {"k": k, "mask": mask, "order": order}
    ours, theirs = (latent_geometry_graph(x, **edges, **graph) for x in (student, teacher))
    return (theirs - ours).square().sum()


def _teachers_neighbors(teacher: Tensor, k: int, graph: dict) -> Tensor:
    """The mask of the k largest entries in each row of the teacher's complete graph, in either direction."""
    complete = latent_geometry_graph(teacher, order="normalize-first", **graph | {"exponent": 1})
    return symmetrize(knn_mask(complete, k))


def _check(edges: str | None, labels: Tensor | None, k: int | None, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")
    if (edges is None) != (labels is None):
        raise ValueError(f"edges is {edges!r} and labels {_seen(labels)}; give both or neither")
    if edges is not None and k is not None:
        raise ValueError(f"edges is {edges!r} and k is {k}; give one of the two")


def _seen(labels: Tensor | None) -> str:
    return f"of shape {tuple(labels.shape)}" if isinstance(labels, Tensor) else repr(labels)
