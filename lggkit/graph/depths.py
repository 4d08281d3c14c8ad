"""Label variation of a batch at several depths at once (paper 1, eq. 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import in_memory_order, tensor
from lggkit.graph._squares import gram_matrix, squared_norms
from lggkit.graph.construct import latent_geometry_graph
from lggkit.graph.distances import vertices
from lggkit.graph.similarities import Similarity, cosine_similarity, cosines, flatten, overflown
from lggkit.graph.similarities import similarity as similarity_matrix
from lggkit.graph.variation import labels_variation

Latents = Sequence[Tensor] | Mapping[str, Tensor]


def depth_variations(
    latents: Latents,
    labels: Tensor,
    *,
    power: int = 2,
    k: int | None = None,
    similarity: str | Similarity = "cosine",
    normalized: bool = False,
    normalized_laplacian: bool = False,
    classes: int | None = None,
    negative: str = "zero",
) -> Tensor:
    """``σ_l = tr(Vᵀ L_l^power V)`` of the labels V on the graph of a batch at every depth (paper 1, eq. 5).

    The same as `label_variation` of each depth's `latent_geometry_graph`. Maps are
    read once and written once in either direction, in the order in which they lie in memory, and everything
    after their similarities is done for all depths together.

    Args:
        latents: floating point (n, ...), one a depth: a sequence, or a mapping by names.
        labels: integers (n,).
        power: m >= 1 of the Laplacian; the matrix power is not formed.
        k: neighbours a sample; None and k >= n are the full graph.
        similarity: ``"cosine"``; ``"rbf"`` at each depth's median distance; or a function from (n, d) to
            symmetric (n, n) weights.
        normalized: take ``D^(-1/2) A D^(-1/2)`` for A.
        normalized_laplacian: take ``I - D^(-1/2) A D^(-1/2)`` for ``D - A``.
        classes: changes nothing but the time that powers above 1 take; labels then lie in [0, classes).
        negative: ``"zero"``, negative similarities are no edges, or ``"keep"``, they are negative weights.

    Returns:
        One variation a depth, (depths,), in float32 (float64 for latents in float64).

    Raises:
        ValueError: there is no depth, the batches differ in size from each other or from the labels, or an
            option is none of the above.
        TypeError: ``latents`` are one tensor, or not floating point; ``labels`` are no integers; ``power`` or
            ``k`` is no int.
    """
    weights = _similarities(_maps(latents), similarity)
    options = {"similarity": lambda given: given, "normalized": normalized, "negative": negative}
    graphs = latent_geometry_graph(weights, k, **options)
    return labels_variation(graphs, labels, power, normalized_laplacian, classes)


def _maps(latents: Latents) -> list[Tensor]:
    if isinstance(latents, Tensor):
        raise TypeError(f"the latents are one tensor {tuple(latents.shape)}; give a list with one a depth")
    maps = list(latents.values() if isinstance(latents, Mapping) else latents)
    sizes = [len(tensor(x, "Each depth")) for x in maps]
    if len(set(sizes)) != 1:
        raise ValueError(f"the depths have {sizes} samples; give the same batch at one depth or more")
    return maps


def _similarities(maps: list[Tensor], kind: str | Similarity) -> Tensor:
    """Those of all pairs at every depth, (depths, n, n)."""
    if callable(kind):
        return torch.stack([similarity_matrix(flatten(x), kind) for x in maps])
    if kind != "cosine":
        return torch.stack([similarity_matrix(flatten(in_memory_order(x)), kind) for x in maps])
    rows = [vertices(flatten(in_memory_order(x))) for x in maps]
    grams = torch.stack([gram_matrix(x) for x in rows])
    if overflown(squared_norms(grams)):
        return torch.stack([cosine_similarity(x) for x in rows])
    return cosines(grams)
