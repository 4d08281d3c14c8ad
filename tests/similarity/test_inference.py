"""Weighted models, intervals over stimuli and noise ceilings, against SciPy and scikit-learn."""

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap
from sklearn.linear_model import LinearRegression

from lggkit.similarity import (
    bootstrap_stimuli,
    category_rdms,
    compare_rdms,
    compare_resampled,
    compute_rdm,
    fit_weighted_rdm,
    noise_ceiling,
    rdm_vector,
    resampled_rdm,
    subsample_stimuli,
    without_copies,
)

LABELS = torch.arange(24) // 6
BASIS = category_rdms(LABELS)


def noisy(seed, size=0.5):
    noise = torch.randn(24, 40, generator=torch.Generator().manual_seed(seed)).double()
    prototypes = torch.randn(4, 40, generator=torch.Generator().manual_seed(99)).double()
    return compute_rdm(prototypes[LABELS] + size * noise)


@pytest.mark.parametrize("nonnegative", [True, False])
def test_a_mixture_is_recovered(nonnegative):
    weights = torch.tensor([0.3, 0.0, 1.2, 0.1]).double()
    target = torch.einsum("c,cij->ij", weights, BASIS) + 0.7 * (1 - torch.eye(24).double())
    fit = fit_weighted_rdm(BASIS, target, nonnegative)
    torch.testing.assert_close(fit.weights, weights)
    assert fit.intercept == pytest.approx(0.7)
    torch.testing.assert_close(fit.prediction, target)


def test_without_signs_it_is_scikit_learns_and_no_worse_than_any_category():
    target = noisy(1)
    model = LinearRegression().fit(rdm_vector(BASIS).numpy().T, rdm_vector(target).numpy())
    fit = fit_weighted_rdm(BASIS, target, nonnegative=False)
    np.testing.assert_allclose(fit.weights.numpy(), model.coef_, atol=1e-10)
    assert fit.intercept == pytest.approx(model.intercept_)
    single = compare_rdms(BASIS, target)
    assert compare_rdms(fit.prediction, target) >= single.max() - 1e-12
    signs = LinearRegression(positive=True, fit_intercept=False)
    expected = signs.fit(rdm_vector(BASIS).numpy().T, rdm_vector(target).numpy()).coef_
    found = fit_weighted_rdm(BASIS, target, intercept=False).weights
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-10)


def test_missing_pairs_are_left_out_and_several_targets_are_averaged():
    targets = torch.stack([noisy(1), noisy(2)])
    whole = fit_weighted_rdm(BASIS, targets.mean(0))
    torch.testing.assert_close(fit_weighted_rdm(BASIS, targets).weights, whole.weights)
    holed = targets.clone()
    holed[:, 0, 1:] = holed[:, 1:, 0] = torch.nan
    rest = fit_weighted_rdm(BASIS[:, 1:, 1:], targets[:, 1:, 1:])
    torch.testing.assert_close(fit_weighted_rdm(BASIS, holed).weights, rest.weights)


def test_intervals_are_scipys():
    values = torch.rand(20, generator=torch.Generator().manual_seed(0)).double()
    found = bootstrap_stimuli(lambda places: values[places].mean(-1), 20, 300, seed=5)
    rng = np.random.default_rng(5)
    expected = bootstrap((values.numpy(),), np.mean, n_resamples=300, method="BCa", batch=256, rng=rng)
    interval = expected.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.value == pytest.approx(values.mean().item()) and found.low < found.value < found.high


def test_what_does_not_change_has_a_point_for_an_interval():
    found = bootstrap_stimuli(lambda places: torch.ones(len(places)).double(), 10, 50)
    assert (found.low, found.value, found.high) == (1, 1, 1)


def test_an_interval_holds_its_value_and_copies_do_not_count():
    found = compare_resampled(noisy(1), noisy(2), 200, seed=1)
    assert found.low < found.value < found.high
    places = torch.tensor([[0, 0, 7, 3]])
    chosen = without_copies(resampled_rdm(noisy(1), places), places)
    assert chosen[0, 0, 1].isnan() and chosen[0, 1, 2] == noisy(1)[0, 7]
    several = torch.arange(24).repeat(1, 2)
    apart = [resampled_rdm(compute_rdm(torch.randn(24, 9, generator=g(s))), several) for s in (1, 2)]
    assert compare_rdms(*apart) > 0.05 + compare_rdms(*(without_copies(r, several) for r in apart))


def test_subsamples_have_no_copies():
    def most_often(places):
        return torch.stack([place.bincount().max() for place in places]).double()

    assert (subsample_stimuli(most_often, 12, 9, 40) == 1).all()
    assert subsample_stimuli(most_often, 12, 9, 40).shape == (40,)
    assert (bootstrap_stimuli(most_often, 12, 40).values > 1).any()


def test_the_ceiling_is_one_without_noise_and_zero_without_signal():
    same = torch.stack([noisy(1)] * 3)
    for end in noise_ceiling(same):
        torch.testing.assert_close(end, torch.ones(3).double())
    rdms = torch.stack([compute_rdm(torch.randn(24, 9, generator=g(i)).double()) for i in range(4)])
    lower, upper = noise_ceiling(rdms)
    assert lower.abs().max() < 0.3 and (upper > lower).all()


def g(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("method", ["pearson", "spearman", "kendall"])
def test_the_lower_end_leaves_the_person_out(method):
    rdms = torch.stack([noisy(seed)[:12, :12] for seed in range(3)])
    lower, upper = noise_ceiling(rdms, method)
    if method == "pearson":
        pairs = rdm_vector(rdms).numpy()
        scaled = (pairs - pairs.mean(1, keepdims=True)) / pairs.std(1, keepdims=True)
        assert lower[0].item() == pytest.approx(np.corrcoef(pairs[0], scaled[1:].mean(0))[0, 1])
        assert upper[0].item() == pytest.approx(np.corrcoef(pairs[0], scaled.mean(0))[0, 1])
    assert (upper >= lower).all()


BAD = {
    "shapes": (lambda: fit_weighted_rdm(BASIS[0], BASIS[0]), r"give \(c, m, m\)"),
    "few": (lambda: fit_weighted_rdm(torch.rand(3, 3, 3), torch.rand(3, 3)), "3 pairs decide no 3 weights"),
    "level": (lambda: bootstrap_stimuli(len, 10, level=95), "level is 95; give a share such as 0.95"),
    "stimuli": (lambda: bootstrap_stimuli(len, 2), "stimuli must be at least 3, got 2"),
    "size": (lambda: subsample_stimuli(len, 5, 6), "size is 6 of 5 stimuli"),
    "one person": (lambda: noise_ceiling(torch.rand(1, 4, 4)), "of two people or more"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
