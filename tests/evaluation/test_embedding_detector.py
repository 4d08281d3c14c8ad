"""Detectors of attacks on embeddings: known answers, invariances, bad input."""

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.svm import LinearSVC

from lggkit.evaluation import EmbeddingDetector, fourier_spectrum


def draws(n, d, shift=0.0, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_separable_classes_have_auroc_one_and_one_distribution_has_half():
    clean, attacked = draws(200, 5), draws(200, 5, 9.0, 1)
    assert EmbeddingDetector().fit(clean, attacked).auroc(clean, attacked) == 1
    same = [draws(2000, 3, seed=s) for s in range(4)]
    assert EmbeddingDetector().fit(*same[:2]).auroc(*same[2:]) == pytest.approx(0.5, abs=0.04)


def test_two_gaussians_come_near_the_best_detector():
    clean, attacked = draws(4000, 4), draws(4000, 4, 0.6, 1)
    best = 0.5 * (1 + math.erf(1.2 / 2))
    found = EmbeddingDetector().fit(clean, attacked).auroc(draws(4000, 4, seed=2), draws(4000, 4, 0.6, 3))
    assert found == pytest.approx(best, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_are_those_of_scikit_learn(dtype):
    clean, attacked = draws(60, 4).to(dtype), draws(50, 4, 0.7, 1).to(dtype)
    x, y = torch.cat([clean, attacked]).double().numpy(), np.repeat((0, 1), (60, 50))
    oracle = LinearSVC(C=0.3, dual=False).fit(x, y).decision_function(x)
    detector = EmbeddingDetector(c=0.3, standardise=False).fit(clean, attacked)
    np.testing.assert_allclose(
        detector.decision_function(torch.cat([clean, attacked])), oracle, rtol=1e-3, atol=1e-4
    )
    assert detector.auroc(clean, attacked) == pytest.approx(roc_auc_score(y, oracle), abs=1e-3)
    right = ((oracle[:60] <= 0).mean() + (oracle[60:] > 0).mean()) / 2
    assert detector.accuracy(clean, attacked) == pytest.approx(right, abs=1e-3)


def test_standardised_scores_do_not_depend_on_units_and_ignore_constant_features():
    clean, attacked = draws(80, 3), draws(80, 3, 0.5, 1)
    units = torch.tensor([1.0, 50.0, 0.01]).double()
    plain = EmbeddingDetector().fit(clean, attacked).decision_function(clean)
    other = EmbeddingDetector().fit(clean * units + 3, attacked * units + 3)
    torch.testing.assert_close(other.decision_function(clean * units + 3), plain, rtol=1e-6, atol=1e-6)
    wider = [torch.cat([x, torch.full_like(x[:, :1], 2.0)], 1) for x in (clean, attacked)]
    found = EmbeddingDetector().fit(*wider).decision_function(wider[0])
    torch.testing.assert_close(found, plain, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("d", [6, 7])
def test_spectra_of_vectors(d):
    x = draws(5, d)
    full = np.fft.fft(x.numpy())[:, : d // 2 + 1]
    magnitude, phase = fourier_spectrum(x), fourier_spectrum(x, "phase")
    np.testing.assert_allclose(magnitude, np.abs(full), atol=1e-12)
    np.testing.assert_allclose(torch.cos(phase), np.cos(np.angle(full)), atol=1e-9)
    torch.testing.assert_close(fourier_spectrum(x.roll(2, 1)), magnitude)
    torch.testing.assert_close(fourier_spectrum(3 * x, "phase"), phase)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda: EmbeddingDetector(c=0), "c is 0"),
        (lambda: EmbeddingDetector().decision_function(draws(2, 2)), "call fit first"),
        (lambda: EmbeddingDetector().fit(draws(3, 2), draws(3, 4)), "2 features and attacked ones 4"),
        (lambda: EmbeddingDetector().fit(draws(0, 2), draws(3, 2)), "0 clean and 3 attacked"),
        (lambda: EmbeddingDetector().fit(draws(3, 2) / 0, draws(3, 2)), "not finite"),
        (
            lambda: EmbeddingDetector().fit(draws(9, 2), draws(9, 2, 1)).auroc(*[draws(3, 3)] * 2),
            "fitted to 2",
        ),
        (lambda: fourier_spectrum(draws(2, 3), "power"), "power"),
        (lambda: fourier_spectrum(draws(2, 3)[0]), r"give embeddings \(n, d\)"),
    ],
)
def test_bad_input_is_one_sentence(call, fault):
    with pytest.raises(ValueError, match=fault):
        call()


@pytest.mark.parametrize("x", [[-2.0, 0, 0], [0.0, -1, 2, 2, -1], [-2.0, 0, -1, 0, -1, 0, -1, 0]])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_phases_are_above_minus_pi(x, dtype):
    x = torch.tensor([x], dtype=dtype)
    phases = fourier_spectrum(x, "phase")
    assert (phases > -math.pi).all()
    again = torch.polar(fourier_spectrum(x), phases)
    torch.testing.assert_close(again, torch.fft.rfft(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize("measure", ["auroc", "accuracy"])
def test_an_empty_side_has_no_score(measure):
    x = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    detector = EmbeddingDetector().fit(x, x + 1)
    with pytest.raises(ValueError, match="there are 20 clean and 0 attacked embeddings; give some of each"):
        getattr(detector, measure)(x, x[:0])
