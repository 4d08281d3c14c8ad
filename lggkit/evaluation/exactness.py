"""Exact claims of paper 1, tried on random graphs and embeddings in float64."""

from __future__ import annotations

import torch

from lggkit import graph

TRIALS = 2_000


def zero_variation_violations(generator: torch.Generator, n: int = 8) -> int:
    """Graphs, out of many sparse random ones, where σ = 0 and "no inter-class edge" disagree.

    σ is taken by its definition, Σ_c s_cᵀ L s_c, which knows of no pairs of classes; below 1e-9 it is 0.
    """
    weights = torch.rand(TRIALS, n, n, generator=generator, dtype=torch.float64)
    kept = torch.rand(TRIALS, n, n, generator=generator) < 0.03
    a = torch.triu(weights * kept, diagonal=1)
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
