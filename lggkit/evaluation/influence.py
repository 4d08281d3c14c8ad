"""What weighs in a graph, normalised or not (paper 1, 3.3.2 and 4.1), and exact claims on random graphs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from lggkit import graph
from lggkit.graph.neighbors import off_diagonal

DISPLACEMENT = 10.0


def normalization_influence(latents: Sequence[Tensor], generator: torch.Generator) -> dict[str, float]:
    """What dimension and one displaced sample weigh, with and without step 4 (paper 1, claims 10 and 20).

    Latents are one (n, d) tensor a depth; `displaced` moves the first sample of the last.

    Raises:
        ValueError: as for `weight_spread`, `displaced` and `first_sample_share`.
    """
    moved = displaced(latents[-1], generator)
    plain, normalized = (weight_spread(latents, normalized=choice) for choice in (False, True))
    return {
        "dimension_spread_plain": plain["level"],
        "dimension_spread_normalized": normalized["level"],
        "contrast_spread_plain": plain["contrast"],
        "contrast_spread_normalized": normalized["contrast"],
        "eclipse_share_plain": first_sample_share(graph.pairwise_distance(moved)),
        "eclipse_share_cosine": first_sample_share(graph.latent_geometry_graph(moved, normalized=False)),
        "eclipse_share_normalized": first_sample_share(graph.latent_geometry_graph(moved)),
    }


def coefficient_of_variation(values: Iterable[float]) -> float:
    """Standard deviation over mean of values that are 0 or more: 0 where all are equal.

    Raises:
        ValueError: there are no values, one is negative or not finite, or all are 0.
    """
    sample = torch.tensor([float(value) for value in values], dtype=torch.float64)
    if not len(sample) or not (sample >= 0).all() or not 0 < sample.sum() < math.inf:
        raise ValueError(f"values are {sample.tolist()}; give finite ones from 0 on, and one above 0")
    return float(sample.std(correction=0) / sample.mean())


def weight_spread(latents: Iterable[Tensor], normalized: bool) -> dict[str, float]:
    """How differently the full cosine graphs of one batch at several depths (n, d) are scaled.

    ``level`` is the coefficient of variation over depths of the mean edge weight, ``contrast`` that of the
    weights' own coefficient of variation within a graph, which no rescaling of a graph changes.

    Raises:
        ValueError: a graph has no edge weights above 0 to divide by, or weights that are not finite.
    """
    graphs = [graph.latent_geometry_graph(x, normalized=normalized) for x in latents]
    weights = [a[off_diagonal(len(a), a.device)] for a in graphs]
    return {
        "level": coefficient_of_variation(w.mean().item() for w in weights),
        "contrast": coefficient_of_variation(_contrast(w) for w in weights),
    }


def _contrast(weights: Tensor) -> float:
    level = weights.mean().item()
    if not 0 < level < math.inf:
        raise ValueError(f"the mean edge weight is {level:g}; take latents whose cosines are above 0")
    return (weights.std() / weights.mean()).item()


def displaced(x: Tensor, generator: torch.Generator) -> Tensor:
    """Latents (n, d) with the first sample moved by ten median norms in a random non-negative direction.

    Raises:
        ValueError: the median norm is 0 or not finite.
    """
    size = x.norm(dim=1).median()
    if not 0 < size < math.inf:
        raise ValueError(f"the median norm is {size:g}; give finite latents, most of them not 0")
    direction = torch.randn(x.shape[1], generator=generator).abs().to(x)
    step = DISPLACEMENT * size * direction / direction.norm()
    return torch.cat([x[:1] + step, x[1:]])


def first_sample_share(a: Tensor) -> float:
    """The first sample's share of a symmetric matrix's (n, n) sum of squares: 2/n where all count alike.

    Raises:
        ValueError: the matrix is 0 everywhere, or not finite somewhere, so that there is no share.
    """
    # By the largest entry, as squares overflow, or vanish, long before entries do.
    most = a.abs().max()
    if not 0 < float(most) < float("inf"):
        raise ValueError(
            f"the largest entry of the matrix is {float(most)}; give one that is finite and not 0"
        )
    squares = (a / most).double().square()
    return float((squares[0].sum() + squares[:, 0].sum() - squares[0, 0]) / squares.sum())


TRIALS = 2_000


def zero_variation_violations(generator: torch.Generator, n: int = 8) -> int:
    """Graphs, out of many sparse random ones, where σ = 0 and "no inter-class edge" disagree.

    σ is taken by its definition, Σ_c s_cᵀ L s_c, which knows of no pairs of classes; below 1e-9 it is 0.
    """
    weights = torch.rand(TRIALS, n, n, generator=generator, dtype=torch.float64)
    present = torch.rand(TRIALS, n, n, generator=generator) < 0.03
    a = torch.triu(weights * present, diagonal=1)
    a, labels = a + a.mT, torch.randint(0, 3, (TRIALS, n), generator=generator)
    no_edge = graph.inter_class_edges(a, labels) == 0
    variation = graph.signal_variation(a, graph.class_indicators(labels, 3, a.dtype))
    return int((no_edge != (variation.abs() < 1e-9)).sum())


def dimension_violation(generator: torch.Generator, n: int = 32, d: int = 16, wider: int = 512) -> float:
    """Largest difference between graphs of the same points in d and, isometrically, in more dimensions."""
    x = torch.rand(n, d, generator=generator, dtype=torch.float64)
    frame, _ = torch.linalg.qr(torch.randn(wider, d, generator=generator, dtype=torch.float64))
    pairs = [graph.latent_geometry_graph(points, k=5) for points in (x, x @ frame.T)]
    return float((pairs[0] - pairs[1]).abs().max())
