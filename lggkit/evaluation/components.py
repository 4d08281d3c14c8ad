"""β-connectedness by a search for components, held against the death times: counterexamples are counted."""

from __future__ import annotations

import torch

from lggkit.topology import component_deaths

SETS, MOST = 200, 24
"""Random point sets, and the most points that one has."""


def connection_violations(generator: torch.Generator) -> int:
    """Point sets whose graph of pairs nearer than β is connected though a death is not below β, or reverse.

    Sizes, dimensions and β are random, β so that both cases come about; in float64. The search is scipy's.
    """
    violations = 0
    for _ in range(SETS):
        n, d = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((1, MOST), (1, 6)))
        x = torch.randn(n, d, generator=generator, dtype=torch.float64)
        deaths = component_deaths(x)
        beta = float(deaths[-1] if n > 1 else 1.0) * float(0.5 + torch.rand(1, generator=generator))
        violations += (_components(x, beta) == 1) != bool((deaths < beta).all())
    return violations


def _components(x: torch.Tensor, beta: float) -> int:
    from scipy.sparse.csgraph import connected_components

    near = (x.unsqueeze(1) - x.unsqueeze(0)).norm(dim=-1) < beta
    return int(connected_components(near.numpy(), directed=False)[0])
