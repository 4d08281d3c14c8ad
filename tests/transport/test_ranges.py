"""Costs of near pairs beside far points, and Wasserstein distances of high order."""

import pytest
import torch
from scipy.spatial.distance import cdist

from lggkit.transport import cost_matrix, empirical_wasserstein


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("width", [3, 800])
def test_near_pairs_beside_a_far_cluster_keep_their_distance(dtype, batch, width):
    x = drawn(*batch, 60, width).to(dtype)
    x[..., 30:, :] = (1e-3 * x[..., 30:, :] + 1e4).to(dtype)
    y = (x + 1e-4 * drawn(*batch, 60, width, seed=1).to(dtype)).clone()
    found = cost_matrix(x, y).reshape(-1, 60, 60)
    for one, a, b in zip(found, x.reshape(-1, 60, width), y.reshape(-1, 60, width), strict=True):
        torch.testing.assert_close(one.double(), torch.from_numpy(cdist(a, b)), rtol=1e-5, atol=0)


def test_a_far_cluster_does_not_hide_a_near_pair():
    x, y = torch.tensor([[0.0], [1e4]]).double(), torch.tensor([[1e-4], [1e4]]).double()
    assert cost_matrix(x, y)[0, 0].item() == pytest.approx(1e-4)
    assert empirical_wasserstein(x, y).item() == pytest.approx(5e-5)


def test_gradients_of_mended_pairs():
    x, y = drawn(3, 600).repeat(20, 1), drawn(60, 600, seed=1)
    near = x + 1e-7 * y
    x.requires_grad_()
    (slope,) = torch.autograd.grad(cost_matrix(x, near).diagonal().sum(), x)
    apart = (x - near).detach()
    torch.testing.assert_close(slope, apart / apart.norm(dim=1, keepdim=True), rtol=1e-8, atol=1e-10)


def of_sorted(x, y, p):
    """W_p on a line, by logarithms."""
    logs = p * (x.sort().values - y.sort().values).abs().log()
    return ((logs.logsumexp(0) - torch.tensor(float(len(x))).log()) / p).exp().item()


@pytest.mark.parametrize("p", [50, 400, 5000])
@pytest.mark.parametrize("far", [0.0, 1e3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_order_leaves_the_range(p, far, dtype):
    x = torch.cat((drawn(8), drawn(8, seed=1) + far)).to(dtype)
    y = torch.cat((drawn(8, seed=2), drawn(8, seed=3) + far)).to(dtype)
    found = empirical_wasserstein(x[:, None], y[:, None], p).item()
    assert found == pytest.approx(of_sorted(x.double(), y.double(), p), rel=1e-5)


def test_the_gradient_of_a_high_order_is_that_of_differences():
    x, y = drawn(5, 2).requires_grad_(), drawn(4, 2, seed=1)
    assert torch.autograd.gradcheck(lambda a: empirical_wasserstein(a, y, 60), x)


@pytest.mark.parametrize("scale", [1e-9, 1e9, 1e200])
def test_no_scale_changes_a_cosine(scale):
    x, y = drawn(5, 4), drawn(3, 4, seed=1)
    expected = torch.from_numpy(cdist(x, y, "cosine"))
    torch.testing.assert_close(cost_matrix(scale * x, y, "cosine"), expected)
    torch.testing.assert_close(cost_matrix(x, scale * y, "cosine"), expected)


def test_leading_dimensions_have_to_fit():
    with pytest.raises(ValueError, match=r"leading dimensions differ \(x \(2,\), y \(3,\)\); give the same"):
        cost_matrix(drawn(2, 4, 3), drawn(3, 4, 3))
    assert cost_matrix(drawn(2, 4, 3), drawn(5, 3)).shape == (2, 4, 5)
