"""Principal angles against SciPy's, small ones included; distances and fits against their definitions."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.subspaces import (
    haar_subspaces,
    orthonormal_basis,
    principal_angles,
    schubert_distance,
    schubert_fit,
)


def scipys(x, y):
    return torch.from_numpy(scipy.linalg.subspace_angles(x.numpy(), y.numpy())[::-1].copy())


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), data=st.data())
def test_angles_are_scipys_ascending(seed, n, data):
    l, k = (data.draw(st.integers(1, n)) for _ in range(2))
    source = torch.Generator().manual_seed(seed)
    x, y = (haar_subspaces(1, n, d, source, torch.float64)[0] for d in (l, k))
    found = principal_angles(x, y)
    torch.testing.assert_close(found, scipys(x, y), rtol=0, atol=1e-7)
    assert found.shape == (min(l, k),) and (found.diff() >= -1e-12).all()


@pytest.mark.parametrize("angle", [1e-9, 1e-6, 1e-3, 0.5, 1.2, np.pi / 2 - 1e-6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_angle_of_any_size_is_right_in_both_precisions(angle, dtype):
    x = torch.eye(5, 2, dtype=dtype)
    y = x.clone()
    y[0, 0], y[3, 0] = np.cos(angle), np.sin(angle)
    digits = torch.finfo(dtype).eps
    assert principal_angles(x, y)[1].item() == pytest.approx(angle, rel=10 * digits, abs=0)
    assert principal_angles(x, y)[0].item() == pytest.approx(0, abs=10 * digits)


def test_bases_are_broadcast_and_bases_of_one_subspace_are_the_same(haar, turned):
    x, y = haar(5, 9, 3), haar(1, 9, 4, 1)[0]
    found = principal_angles(x, y)
    assert found.shape == (5, 3)
    torch.testing.assert_close(found, torch.stack([scipys(one, y) for one in x]), rtol=0, atol=1e-7)
    torch.testing.assert_close(principal_angles(turned(x), y), found)
    rotation = haar(1, 9, 9, 3)[0]
    torch.testing.assert_close(principal_angles(rotation @ x, rotation @ y), found)


@pytest.mark.parametrize("same", [False, True])
def test_gradients_are_finite_and_right(haar, same):
    x = haar(2, 6, 2).requires_grad_()
    y = haar(1, 6, 3, 1)[0] if not same else x.detach()[0]
    principal_angles(orthonormal_basis(x), y).sum().backward()
    assert x.grad.isfinite().all()
    if not same:
        assert torch.autograd.gradcheck(lambda z: principal_angles(orthonormal_basis(z), y), x)


def test_a_distance_is_zero_exactly_where_subspaces_meet_in_so_many_dimensions(haar):
    y = haar(1, 8, 4)[0]
    x = orthonormal_basis(torch.cat([y[:, :2], haar(1, 8, 1, 5)[0]], -1))
    assert schubert_distance(x, y, 2).item() == pytest.approx(0, abs=1e-12)
    angles = principal_angles(x, y)
    assert schubert_distance(x, y, 3, norm=1).item() == pytest.approx(angles.sum().item())
    assert schubert_distance(x, y, 3, "sine", float("inf")).item() == pytest.approx(angles.sin().max().item())


@pytest.mark.parametrize("objective", ["cos2", "cos"])
@pytest.mark.parametrize("c", [1, 2, 3])
def test_a_fit_is_the_mean_over_its_angles_by_a_double_loop(haar, objective, c):
    x, y = haar(6, 10, 3), haar(1, 10, 4, 1)[0]
    cosines = [scipys(one, y)[j].cos().item() for one in x for j in range(c)]
    power = 2 if objective == "cos2" else 1
    expected = np.mean(np.power(cosines, power))
    assert schubert_fit(x, y, c, objective).item() == pytest.approx(expected)


def test_all_angles_of_a_fit_are_the_projected_basis(haar):
    x, y = haar(6, 10, 3), haar(1, 10, 4, 1)[0]
    whole = (x.mT @ y).square().sum() / 18
    torch.testing.assert_close(schubert_fit(x, y, 3), whole)


def test_the_gradient_of_a_fit_is_that_of_the_envelope_theorem(haar):
    x, y = haar(5, 7, 2), haar(1, 7, 3, 1)[0].requires_grad_()
    (slope,) = torch.autograd.grad(5 * schubert_fit(x, y), y)
    by_hand = torch.zeros_like(slope)
    for one in x:
        b = torch.linalg.svd(one.T @ y.detach()).Vh[:1].T
        by_hand += 2 * one @ one.T @ y.detach() @ b @ b.T
    torch.testing.assert_close(slope, by_hand)


def test_half_precision_is_accumulated_in_float32(haar):
    x, y = haar(3, 8, 2).bfloat16(), haar(1, 8, 3, 1)[0].float()
    assert orthonormal_basis(x).dtype == torch.float32
    assert principal_angles(orthonormal_basis(x), y).dtype == torch.float32


def test_a_fit_is_one_at_most_and_no_sets_have_no_angles():
    x = torch.linalg.qr(torch.randn(200, 9, 4, generator=torch.Generator().manual_seed(0))).Q
    for objective in ("cos", "cos2"):
        assert max(schubert_fit(one[None], one, 4, objective).item() for one in x) <= 1
    assert principal_angles(x[:0], x[0]).shape == (0, 4)
