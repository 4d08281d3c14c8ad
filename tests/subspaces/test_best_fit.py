"""The best fit: known optima, planted subspaces, what holds for every solver."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.subspaces import SchubertBestFit, flag_mean, haar_subspaces, principal_angles, schubert_fit
from lggkit.subspaces.solvers import Problem


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    r=st.integers(1, 12),
    n=st.integers(2, 12),
    objective=st.sampled_from(["cos2", "cos"]),
    solver=st.sampled_from(["alternating", "riemannian"]),
    data=st.data(),
)
def test_the_objective_never_falls_and_lies_between_0_and_1(seed, r, n, objective, solver, data):
    l, k = (data.draw(st.integers(1, n)) for _ in range(2))
    c = data.draw(st.integers(1, min(l, k)))
    x = haar_subspaces(r, n, l, torch.Generator().manual_seed(seed), torch.float64)
    found = SchubertBestFit(k, c, objective, solver, starts=3, iterations=40).fit(x)
    history = torch.tensor(found.history_)
    assert (history.diff() >= -1e-12).all() and history.min() >= 0 and found.fit_ <= 1 + 1e-12
    assert found.fit_ >= history[-1] - 1e-9
    torch.testing.assert_close(found.basis_.T @ found.basis_, torch.eye(k, dtype=torch.float64))
    assert schubert_fit(x, found.basis_, c, objective).item() == pytest.approx(found.fit_)
    assert found.score(x) == pytest.approx(found.fit_)


@pytest.mark.parametrize("solver", ["alternating", "riemannian"])
@pytest.mark.parametrize("r", [9, 15, 30])
def test_a_planted_subspace_is_found_where_all_meet_it(planted, solver, r):
    hidden, x = planted(r, 40, 3, 3)
    found = SchubertBestFit(3, solver=solver).fit(x)
    assert found.fit_ > 1 - 1e-6
    if r > 9:
        assert principal_angles(found.basis_, hidden).max() < 1e-2
    assert schubert_fit(x, flag_mean(x, 3)) < found.fit_ - 0.01


def test_noise_takes_the_planted_subspace_away_smoothly(planted):
    errors = []
    for noise in (0.0, 0.01, 0.05):
        hidden, x = planted(60, 40, 3, 3, noise)
        errors.append(principal_angles(SchubertBestFit(3).fit(x).basis_, hidden).max().item())
    assert errors[0] < errors[1] < errors[2] < 0.5


def test_all_angles_squared_are_the_flag_mean(haar):
    x = haar(7, 12, 2)
    found, mean = SchubertBestFit(4, 2).fit(x).basis_, flag_mean(x, 4)
    torch.testing.assert_close(found @ found.T, mean @ mean.T)
    eigenvectors = torch.linalg.eigh((x @ x.mT).sum(0)).eigenvectors[:, -4:]
    torch.testing.assert_close(found @ found.T, eigenvectors @ eigenvectors.T)


def test_lines_are_pca_without_centring(haar):
    x = haar(9, 12, 1)
    found = SchubertBestFit(3).fit(x).basis_
    u = torch.linalg.svd(x[..., 0].T).U[:, :3]
    torch.testing.assert_close(found @ found.T, u @ u.T)


def test_as_many_dimensions_as_subspaces_meet_all(haar):
    assert SchubertBestFit(5).fit(haar(5, 30, 2)).fit_ == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_orthogonal_subspaces_share_what_there_is(k):
    x = torch.eye(12, dtype=torch.float64).reshape(12, 4, 3).transpose(0, 1)
    assert SchubertBestFit(k).fit(x).fit_ == pytest.approx(k / 4)


def test_the_optimum_grows_with_k_and_falls_with_c(planted):
    _, x = planted(20, 15, 3, 3, 0.3)
    by_k = [SchubertBestFit(k, starts=20).fit(x).fit_ for k in (1, 2, 3, 5)]
    by_c = [SchubertBestFit(4, c, starts=20).fit(x).fit_ for c in (1, 2, 3)]
    assert by_k == sorted(by_k) and by_c == sorted(by_c, reverse=True)


def test_the_work_within_the_span_is_the_work_in_the_space(haar, planted, turned):
    _, x = planted(6, 10, 2, 2, 0.2)
    frame = haar(1, 200, 10)[0]
    small, large = (SchubertBestFit(2, starts=20).fit(one) for one in (x, frame @ x))
    assert large.fit_ == pytest.approx(small.fit_, abs=1e-6)
    other = SchubertBestFit(2, starts=20).fit(turned(x))
    assert other.fit_ == pytest.approx(small.fit_, abs=1e-6)


@pytest.mark.parametrize("objective", ["cos2", "cos"])
def test_the_articles_solver_comes_near_the_same_optimum_and_not_above_it(planted, objective, monkeypatch):
    """With a softer penalty than the article's, whose 40,000 steps are too long for a test."""
    monkeypatch.setattr("lggkit.subspaces.solvers.RATE", 0.02)
    monkeypatch.setattr("lggkit.subspaces.solvers.PENALTY", 30)
    _, x = planted(12, 8, 2, 2, 0.2)
    ours = SchubertBestFit(2, objective=objective).fit(x)
    theirs = SchubertBestFit(2, objective=objective, solver="adam_penalty", iterations=1000).fit(x)
    assert theirs.fit_ == pytest.approx(ours.fit_, abs=1e-2)
    assert theirs.fit_ <= ours.fit_ + 1e-9 and len(theirs.history_) == 1000


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("sizes", [(2, 3, 1), (3, 2, 2), (1, 3, 1)])
def test_the_gradient_of_the_solvers_is_autograds(haar, squared, sizes):
    l, k, c = sizes
    x, y = haar(5, 7, l), haar(2, 7, k, 1)
    value, gradient = Problem(x, c, squared)(y)
    for i, one in enumerate(y):
        one = one.clone().requires_grad_()
        fit = schubert_fit(x, one, c, "cos2" if squared else "cos")
        (slope,) = torch.autograd.grad(5 * c * fit, one)
        torch.testing.assert_close(gradient[i] * (2 if squared else 1), slope)
        torch.testing.assert_close(value[i], fit.detach())


def test_intersections_are_the_nearest_vectors(planted):
    _, x = planted(8, 10, 2, 3, 0.2)
    fitted = SchubertBestFit(2).fit(x)
    near = fitted.intersection(x)
    assert fitted.intersections_.shape == (8, 2, 1) and near.shape == (8, 10, 1)
    torch.testing.assert_close(near.square().sum((1, 2)), torch.ones(8, dtype=torch.float64))
    cosines = (x.mT @ near).square().sum((1, 2)).sqrt()
    torch.testing.assert_close(cosines.acos(), principal_angles(x, fitted.basis_)[:, 0], rtol=1e-5, atol=1e-6)
    assert fitted.transform(x).shape == (8, 2, 3)


def test_a_list_of_bases_and_both_precisions_give_the_same(planted):
    _, x = planted(8, 10, 2, 3, 0.2)
    double, single = SchubertBestFit(2).fit(list(x)), SchubertBestFit(2).fit(x.float())
    assert single.basis_.dtype == torch.float32 and single.fit_ == pytest.approx(double.fit_, abs=1e-5)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_adam_fits_in_any_mode(haar, mode):
    def fitted(x):
        return SchubertBestFit(2, solver="adam_penalty", iterations=20).fit(x).basis_

    expected = fitted(haar(4, 6, 2))
    with mode():
        torch.testing.assert_close(fitted(haar(4, 6, 2)), expected)
