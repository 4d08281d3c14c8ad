import pytest
import torch

from lggkit.subspaces import haar_subspaces, orthonormal_basis


@pytest.mark.parametrize("method", ["qr", "svd"])
def test_a_basis_is_orthonormal_and_spans_the_same(method):
    x = torch.randn(4, 9, 3, dtype=torch.float64)
    q = orthonormal_basis(x, method)
    torch.testing.assert_close(q.mT @ q, torch.eye(3, dtype=torch.float64).expand(4, 3, 3))
    torch.testing.assert_close(q @ (q.mT @ x), x)


@pytest.mark.parametrize("scale", [1e-20, 1, 1e15])
def test_rank_is_judged_at_the_scale_of_the_vectors(scale):
    x = torch.randn(9, 3, dtype=torch.float64) * scale
    orthonormal_basis(x)
    x[:, 2] = x[:, 0] + x[:, 1]
    with pytest.raises(ValueError, match="3 vectors has rank 2; leave out"):
        orthonormal_basis(torch.stack([torch.randn(9, 3, dtype=torch.float64) * scale, x]))


def test_haar_subspaces_have_the_mean_projector_of_uniform_ones():
    x = haar_subspaces(4000, 6, 2, torch.Generator().manual_seed(0))
    mean = (x @ x.mT).mean(0)
    torch.testing.assert_close(mean, torch.eye(6) / 3, rtol=0, atol=0.02)
    again = haar_subspaces(4000, 6, 2, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)
