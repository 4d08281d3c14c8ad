"""Similarities against angles on a circle, naive loops and finite differences."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import (
    check_nonnegative,
    cosine_similarity,
    flatten,
    rbf_similarity,
    similarity,
)

ANGLES = torch.tensor([0.0, 10.0, 25.0, 90.0, 100.0], dtype=torch.float64).deg2rad()


def on_circle(angles, radius=1.0):
    return radius * torch.stack((angles.cos(), angles.sin()), -1)


def test_cosine_is_the_cosine_of_the_angle_whatever_the_radius():
    x = on_circle(ANGLES, torch.tensor([1.0, 2.0, 1e-3, 7.0, 1e3], dtype=torch.float64).unsqueeze(-1))
    expected = torch.tensor([[math.cos(a - b) for b in ANGLES] for a in ANGLES], dtype=torch.float64)
    torch.testing.assert_close(cosine_similarity(x), expected)


def test_rbf_is_the_exponential_of_the_chord():
    chord = torch.tensor(
        [[2 * math.sin(abs(a - b) / 2) for b in ANGLES] for a in ANGLES], dtype=torch.float64
    )
    torch.testing.assert_close(rbf_similarity(on_circle(ANGLES), 0.5), torch.exp(-(chord**2) / (2 * 0.25)))


def test_rbf_by_default_takes_the_median_distance_of_each_graph():
    x = torch.tensor([[[0.0], [1.0], [3.0]], [[0.0], [10.0], [30.0]]])
    expected = torch.exp(-torch.tensor([1.0, 9.0, 4.0]) / (2 * 2.0**2))
    for bandwidth in (None, "median", torch.tensor([2.0, 20.0])):
        rows = rbf_similarity(x, bandwidth)[:, [0, 0, 1], [1, 2, 2]]
        torch.testing.assert_close(rows, expected.expand(2, 3))


def test_no_gradient_flows_through_the_median():
    x = torch.rand(5, 3, dtype=torch.float64, requires_grad=True)
    width = torch.pdist(x.detach()).sort().values[4:6].mean().item()
    ours = torch.autograd.grad(rbf_similarity(x).square().sum(), x)[0]
    torch.testing.assert_close(ours, torch.autograd.grad(rbf_similarity(x, width).square().sum(), x)[0])


@pytest.mark.parametrize("function", [cosine_similarity, lambda x: rbf_similarity(x, 0.8)])
def test_gradients_of_first_and_second_order(function):
    x = torch.rand(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, x)
    assert torch.autograd.gradgradcheck(function, x)


@pytest.mark.parametrize("kind", ["cosine", "rbf"])
def test_coinciding_points_and_a_zero_vector_have_finite_gradients(kind):
    x = torch.tensor([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0], [3.0, 1.0]], requires_grad=True)
    s = similarity(x, kind)
    weight = torch.arange(16.0).reshape(4, 4)
    (s * weight).sum().backward()
    assert x.grad.isfinite().all() and s.isfinite().all()
    assert s[0, 1].item() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(s[0], s[1])


def test_a_zero_vector_has_cosine_zero_with_all_and_no_gradient():
    x = torch.tensor([[0.0, 0.0], [1.0, 2.0]], requires_grad=True)
    s = cosine_similarity(x)
    s.sum().backward()
    assert s[0].tolist() == [0, 0] and s[:, 0].tolist() == [0, 0]
    assert x.grad[0].tolist() == [0, 0]


def test_nan_stays_visible():
    x = torch.rand(4, 3)
    x[1, 0] = torch.nan
    s = cosine_similarity(x)
    assert s[1].isnan().all() and s[:, 1].isnan().all() and s[0, [0, 2, 3]].isfinite().all()
    assert rbf_similarity(x).isnan().any(-1).all()


def test_one_vertex_and_one_place():
    assert cosine_similarity(torch.ones(1, 3)).tolist() == [[pytest.approx(1)]]
    assert rbf_similarity(torch.ones(1, 3)).tolist() == [[1]]
    assert rbf_similarity(torch.ones(4, 3)).tolist() == [[1] * 4] * 4


@pytest.mark.parametrize("kind", ["cosine", "rbf"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_half_precision_is_accumulated_in_float32(kind, dtype):
    x = (torch.rand(6, 300) + 1).to(dtype).requires_grad_()
    s = similarity(x, kind)
    s.sum().backward()
    assert s.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert x.grad.dtype == dtype and x.grad.isfinite().all()
    torch.testing.assert_close(s.double(), similarity(x.double(), kind), atol=1e-5, rtol=0)


def test_autocast_does_not_round():
    x = torch.rand(6, 50)
    with torch.autocast("cpu", torch.bfloat16):
        assert (
            torch.equal(cosine_similarity(x), cosine_similarity(x.clone()))
            and (x @ x.T).dtype == torch.bfloat16
        )
        inside = cosine_similarity(x)
    torch.testing.assert_close(inside, cosine_similarity(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", ["cosine", "rbf"])
def test_leading_dimensions_are_separate_graphs(kind):
    x = torch.rand(2, 3, 5, 4)
    batched = similarity(x, kind)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(batched[i, j], similarity(x[i, j], kind))


def test_any_function_will_do_if_its_shape_fits():
    x = torch.rand(4, 3)
    assert torch.equal(similarity(x, lambda v: v @ v.mT), x @ x.T)
    with pytest.raises(ValueError, match=r"must return shape \(4, 4\), got \(4,\)"):
        similarity(x, lambda v: v.sum(-1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7), st.integers(1, 5), st.floats(1e-3, 1e3))
def test_cosine_ignores_scales_and_rotations_and_rbf_isometries(seed, n, d, scale):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q
    scales = scale * torch.rand(n, 1, generator=generator, dtype=torch.float64) + 1e-3
    torch.testing.assert_close(cosine_similarity(x @ rotation * scales), cosine_similarity(x))
    moved = scale * (x @ rotation) + 5
    torch.testing.assert_close(rbf_similarity(moved), rbf_similarity(x), atol=1e-6, rtol=1e-6)


def test_check_nonnegative_names_what_it_saw():
    x = torch.tensor([[0.0, 1.0]])
    assert check_nonnegative(x) is x
    with pytest.raises(ValueError, match=r"pooled has entries .* \(minimum -2\).*'rbf'"):
        check_nonnegative(-2 * x, "pooled")
    with pytest.raises(ValueError, match="NaN"):
        check_nonnegative(x * torch.nan)


def test_batch_dimensions_are_counted_from_the_front():
    with pytest.raises(ValueError, match="batch_dims must be at least 0, got -1"):
        flatten(torch.rand(3, 2, 2), -1)
    with pytest.raises(TypeError, match=r"batch_dims must be an int, got 1\.0"):
        flatten(torch.rand(3, 2, 2), 1.0)


def test_flatten_makes_one_vector_a_vertex():
    assert flatten(torch.zeros(5, 2, 3, 4)).shape == (5, 24)
    assert flatten(torch.zeros(7, 5, 2, 3, 4), batch_dims=1).shape == (7, 5, 24)
    assert flatten(torch.zeros(5, 2)).shape == (5, 2)
    with pytest.raises(ValueError, match="got shape"):
        flatten(torch.zeros(5))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "cos"}, ValueError, "'cosine', 'rbf' or a function, got 'cos'"),
        ({"bandwidth": 1.0}, ValueError, "only means something with the similarity 'rbf'"),
        ({"kind": "rbf", "bandwidth": 0.0}, ValueError, "positive number"),
        ({"kind": "rbf", "bandwidth": math.nan}, ValueError, "positive number"),
        ({"kind": "rbf", "bandwidth": "mean"}, ValueError, "'median'"),
    ],
)
def test_wrong_arguments_say_what_to_do(arguments, error, message):
    with pytest.raises(error, match=message):
        similarity(torch.rand(3, 2), **arguments)


@pytest.mark.parametrize(("x", "error"), [(torch.rand(3), ValueError), (torch.rand(0, 3), ValueError)])
def test_wrong_shapes_are_refused(x, error):
    with pytest.raises(error, match=r"shape \(\.\.\., n, d\)"):
        cosine_similarity(x)


def test_integers_are_refused():
    with pytest.raises(TypeError, match=r"got torch.uint8: convert it, e\.g\. with \.float\(\)"):
        cosine_similarity(torch.zeros(3, 2, dtype=torch.uint8))


@pytest.mark.parametrize("scale", [1e-19, 1e-20, 1e-21, 1e-22, 1e-30])
@pytest.mark.parametrize("bandwidth", [None, torch.tensor(0.0), torch.tensor(1e-30), 1e-30])
def test_rbf_gradients_are_finite_at_any_scale(scale, bandwidth):
    x = (scale * torch.randn(6, 3, generator=torch.Generator().manual_seed(0))).requires_grad_()
    weights = rbf_similarity(x, bandwidth)
    weights.sum().backward()
    assert torch.isfinite(weights).all() and torch.isfinite(x.grad).all()


def test_a_bandwidth_keeps_the_digits_of_double_precision():
    x = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = torch.exp(-(torch.cdist(x, x) ** 2) / (2 * 0.3**2))
    torch.testing.assert_close(rbf_similarity(x, 0.3), expected, rtol=1e-12, atol=1e-15)
