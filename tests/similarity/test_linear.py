"""Linear maps against scikit-learn and what least squares promises."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score as sklearn_r2

from lggkit.similarity import LinearFit, fit_linear_map, mapping_mse, r2_score


def draw(seed, n=40, d=5):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("ridge", [0.0, 0.1, 30.0])
def test_maps_are_scikit_learns(ridge, intercept):
    x, y = draw(0) + 4, draw(1, d=3) + draw(0)[:, :3] - 2
    kind = Ridge(ridge, fit_intercept=intercept) if ridge else LinearRegression(fit_intercept=intercept)
    model = kind.fit(x.numpy(), y.numpy())
    found = fit_linear_map(x, y, ridge, intercept)
    np.testing.assert_allclose(found.weight.numpy().T, model.coef_, atol=1e-9)
    np.testing.assert_allclose(found.bias.numpy(), model.intercept_, atol=1e-9)
    np.testing.assert_allclose(found(x).numpy(), model.predict(x.numpy()), atol=1e-9)
    expected = sklearn_r2(y.numpy(), model.predict(x.numpy()), multioutput="variance_weighted")
    assert r2_score(found(x), y).item() == pytest.approx(expected)


@given(st.integers(0, 1000))
def test_a_linear_relation_is_found_and_maps_compose(seed):
    x, q, r = draw(seed), draw(seed + 1, 5, 5), draw(seed + 2, 5, 4)
    first, second = fit_linear_map(x, x @ q), fit_linear_map(x @ q, x @ q @ r)
    torch.testing.assert_close(first.weight, q, atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(
        first.weight @ second.weight, fit_linear_map(x, x @ q @ r).weight, atol=1e-6, rtol=1e-5
    )
    assert r2_score(first(x), x @ q).item() == pytest.approx(1)
    torch.testing.assert_close(fit_linear_map(x, x).weight, torch.eye(5).double(), atol=1e-8, rtol=0)


def test_residuals_are_orthogonal_and_ridge_errs_more_in_training():
    x, y = draw(0), draw(1, d=3)
    plain = fit_linear_map(x, y)
    assert (x.T @ (y - plain(x))).abs().max() < 1e-10
    errors = [mapping_mse(fit_linear_map(x, y, ridge)(x), y) for ridge in (0.0, 1.0, 10.0)]
    assert errors == sorted(errors)
    torch.testing.assert_close(fit_linear_map(x, y, 1e-9).weight, plain.weight)


def test_a_shift_of_the_image_moves_the_bias_alone():
    x, y = draw(0), draw(1)
    first, second = fit_linear_map(x, y, 2.0, True), fit_linear_map(x, y + 7, 2.0, True)
    torch.testing.assert_close(second.weight, first.weight)
    torch.testing.assert_close(second.bias, first.bias + 7)


@pytest.mark.parametrize("intercept", [True, False])
def test_batches_give_the_map_of_all_samples_also_far_from_the_origin(intercept):
    x, y = draw(0) + 1e3, draw(1) - 1e3
    fit = LinearFit(0.5, intercept)
    for a, b in zip(x.split(15), y.split(15), strict=True):
        fit.update(a, b)
    whole = fit_linear_map(x, y, 0.5, intercept)
    torch.testing.assert_close(fit.solve()(x), whole(x))
    torch.testing.assert_close(fit.solve().weight, whole.weight)
    assert fit.samples == 40


def test_the_two_means_differ_by_the_width():
    x, y = draw(0), draw(1)
    assert mapping_mse(x, y, "vector").item() == pytest.approx(5 * mapping_mse(x, y).item())
    assert mapping_mse(x, x) == 0 and r2_score(y.mean(0).expand_as(y), y).item() == pytest.approx(0)


def test_maps_take_the_type_of_what_they_map():
    found = fit_linear_map(draw(0).float(), draw(1).float())
    assert found.weight.dtype == torch.float64 and found(draw(2).float()).dtype == torch.float32


SAME = draw(0)[:, [0, 0]]
BAD = {
    "few": (lambda: fit_linear_map(draw(0, 4), draw(1, 4)), "4 samples decide no map of 5 features; add"),
    "dependent": (lambda: fit_linear_map(SAME, draw(1)), "features depend on each other"),
    "lengths": (lambda: fit_linear_map(draw(0), draw(1, 9)), "x has 40 samples and y 9"),
    "nan": (lambda: fit_linear_map(draw(0) * torch.nan, draw(1)), "x has entries that are not finite"),
    "ridge": (lambda: LinearFit(-1), "ridge is -1; give 0 for least squares or a positive"),
    "nothing": (lambda: LinearFit().solve(), "no samples were added; call update first"),
    "width": (lambda: fit_linear_map(draw(0), draw(1))(draw(2, d=3)), "the map is of width 5"),
    "constant": (lambda: r2_score(draw(0), torch.ones(40, 5).double()), "y is the same in every sample"),
    "shapes": (lambda: mapping_mse(draw(0), draw(1, d=3)), r"y \(40, 3\); give the same"),
    "reduction": (lambda: mapping_mse(draw(0), draw(1), "sum"), "must be one of element, vector"),
    "vector": (lambda: fit_linear_map(draw(0)[0], draw(1)), r"x has shape \(5,\); give samples"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_interpolation_needs_ridge():
    assert fit_linear_map(draw(0, 4), draw(1, 4), 1e-3).weight.isfinite().all()


@pytest.mark.parametrize("intercept", [False, True])
def test_a_part_of_the_columns_needs_no_other_pass(intercept):
    x, y = torch.randn(50, 6).double(), torch.randn(50, 4).double()
    fit = LinearFit(0.5, intercept).update(x, y)
    found = fit.part(slice(1, 5), slice(0, 3)).solve()
    expected = fit_linear_map(x[:, 1:5], y[:, :3], 0.5, intercept)
    torch.testing.assert_close(found.weight, expected.weight)
    torch.testing.assert_close(found.bias, expected.bias)
