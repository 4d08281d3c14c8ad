"""What the tests of transport share: a seed, and random problems with what they cost at least."""

import ot
import pytest
import torch

KINDS = {
    "uniform": lambda n, m, g: torch.rand(n, m, generator=g, dtype=torch.float64),
    "mostly small": lambda n, m, g: torch.rand(n, m, generator=g, dtype=torch.float64) ** 4,
    "distances": lambda n, m, g: torch.cdist(
        torch.randn(n, 3, generator=g, dtype=torch.float64),
        torch.randn(m, 3, generator=g, dtype=torch.float64),
    ),
    "ties": lambda n, m, g: torch.randint(4, (n, m), generator=g).double(),
}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def masses(n, g):
    """Uneven ones, the first of them zero where there are more."""
    weights = torch.rand(n, generator=g, dtype=torch.float64) ** 2 + 1e-4
    weights[0] *= n == 1
    return weights / weights.sum()


@pytest.fixture
def problem():
    """``problem(seed, kind, n, m, uneven)``: a cost matrix and marginals, in float64."""

    def made(seed, kind, n, m, uneven):
        g = torch.Generator().manual_seed(seed)
        return KINDS[kind](n, m, g), (masses(n, g), masses(m, g)) if uneven else None

    return made


@pytest.fixture
def least():
    """``least(cost, marginals)``: what POT's network simplex says."""

    def value(cost, marginals=None):
        mu, nu = marginals or ([], [])
        return float(ot.emd2(*(x if len(x) == 0 else x.numpy() for x in (mu, nu)), cost.numpy()))

    return value
