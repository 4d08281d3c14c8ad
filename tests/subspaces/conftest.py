"""What the tests of subspaces share: subspaces that meet a planted one, and some that do not."""

import pytest
import torch

from lggkit.subspaces import haar_subspaces, orthonormal_basis


@pytest.fixture
def haar():
    """A function to r random bases of dimension l in float64."""

    def drawn(r, n, l, seed=0):
        return haar_subspaces(r, n, l, torch.Generator().manual_seed(seed), torch.float64)

    return drawn


@pytest.fixture
def planted(haar):
    """A function to a subspace W of dimension k, and r others that have a line of it in common with it."""

    def drawn(r, n, k, l, noise=0.0, seed=0):
        source = torch.Generator().manual_seed(1000 + seed)
        hidden = haar(1, n, k, seed)[0]
        own = hidden @ torch.randn(r, k, 1, generator=source, dtype=torch.float64)
        rest = torch.randn(r, n, l - 1, generator=source, dtype=torch.float64)
        shaken = own + noise * torch.randn(r, n, 1, generator=source, dtype=torch.float64)
        return hidden, orthonormal_basis(torch.cat([shaken, rest], -1))

    return drawn


@pytest.fixture
def turned(haar):
    """A function to the same subspaces in other bases."""

    def drawn(x, seed=7):
        return x @ haar(len(x), x.shape[-1], x.shape[-1], seed)

    return drawn
