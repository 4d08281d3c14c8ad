"""The label variation regulariser: no sudden change from depth to depth (paper 1, section 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lggkit.graph import flatten, label_variation, latent_geometry_graph
from lggkit.objectives.pairs import Latents

REDUCTIONS = ("mean", "sum")


def variation_smoothness(
    latents: Latents,
    labels: Tensor,
    *,
    power: int = 2,
    k: int | None = None,
    similarity: str = "cosine",
    normalized: bool = False,
    normalized_laplacian: bool = False,
    reduction: str = "mean",
    classes: int | None = None,
) -> Tensor:
    """``Σ_l |σ_{l+1} - σ_l|`` over consecutive depths (paper 1, eq. 8)."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")
    variations = depth_variations(
        latents,
        labels,
        power=power,
        k=k,
        similarity=similarity,
        normalized=normalized,
        normalized_laplacian=normalized_laplacian,
        classes=classes,
    )
    steps = variations.diff().abs()
    return steps.mean() if reduction == "mean" else steps.sum()


def depth_variations(
    latents: Latents,
    labels: Tensor,
    *,
    power: int = 2,
    k: int | None = None,
    similarity: str = "cosine",
    normalized: bool = False,
    normalized_laplacian: bool = False,
    classes: int | None = None,
) -> Tensor:
    """``σ_l = tr(Vᵀ L^power V)`` of the graph of every depth, shape (depths,)."""
    maps = latents.values() if isinstance(latents, Mapping) else latents
    graphs = torch.stack(
        [latent_geometry_graph(flatten(x), k, similarity, normalized=normalized) for x in maps]
    )
    return label_variation(graphs, labels, power, normalized_laplacian, classes)
