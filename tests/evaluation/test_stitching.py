"""Scores of every encoder with every decoder against scikit-learn, and geometry whose answer is known."""

import pytest
import torch
from sklearn.metrics import f1_score
from sklearn.metrics import mean_absolute_error as sk_error

from lggkit.evaluation.invariance import intertwiner_residuals, invariance_violations
from lggkit.evaluation.stitching import (
    isometric_similarity,
    macro_f1,
    mean_absolute_error,
    spread_to_margin,
    stitched_scores,
)


@pytest.fixture
def source():
    return torch.Generator().manual_seed(0)


def test_f1_is_that_of_scikit_learn(source):
    answers, labels = torch.randint(4, (2, 60), generator=source)
    expected = 100 * f1_score(labels, answers, average="macro", labels=range(5), zero_division=0)
    assert macro_f1(answers, labels, 5) == pytest.approx(expected)


def test_rows_are_decoders_and_columns_encoders():
    labels = torch.tensor([0, 1, 1, 0])
    right = torch.eye(2)[labels]
    spaces, decoders = [right, right.flip(1)], [lambda x: x, lambda x: -x]
    scores = stitched_scores(spaces, decoders, labels, 2)
    assert list(scores) == ["accuracy", "f1"]
    assert scores["accuracy"].tolist() == scores["f1"].tolist() == [[100, 0], [0, 100]]


def test_ordered_classes_have_an_absolute_error(source):
    labels = torch.arange(5)
    spaces, decoders = [torch.eye(5), torch.eye(5).roll(-1, 0)], [lambda x: x]
    scores = stitched_scores(spaces, decoders, labels, 5, ordered=True)
    assert scores["mae"].tolist() == [[0.0, 100 * (4 * 1 + 4) / 5]]
    answers, labels = torch.randint(5, (2, 60), generator=source)
    assert mean_absolute_error(answers, labels) == pytest.approx(100 * sk_error(labels, answers))
    narrow = mean_absolute_error(answers.to(torch.uint8), labels.to(torch.uint8))
    assert narrow == pytest.approx(100 * sk_error(labels, answers))


def test_an_isometry_and_a_scale_do_not_matter(source):
    x = torch.randn(50, 6, generator=source, dtype=torch.float64)
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=source, dtype=torch.float64))
    assert isometric_similarity(x, 3 * x @ rotation + 1) == pytest.approx(1)
    stretched = x * torch.tensor([100.0, 1, 1, 1, 1, 1], dtype=torch.float64)
    assert isometric_similarity(x, stretched) < 0.8
    with pytest.raises(ValueError, match="x has 50 samples and y 49"):
        isometric_similarity(x, x[1:])
    with pytest.raises(ValueError, match="one point"):
        isometric_similarity(x, torch.ones(50, 2))


def test_spread_is_counted_in_distances_to_the_boundary():
    latents = torch.tensor([[1.0, 0], [3, 0], [-1, 0], [-3, 0]])
    labels, weight = torch.tensor([0, 0, 1, 1]), torch.tensor([[1.0, 0], [-1, 0]])
    ratio = spread_to_margin(latents, labels, weight, torch.zeros(2))
    assert ratio == pytest.approx(1 / 2), "one from the class's mean, two from the plane between"
    assert spread_to_margin(5 * latents, labels, weight, torch.zeros(2)) == pytest.approx(ratio)


def test_maps_are_invariant_to_what_the_paper_says_and_to_no_more(source):
    violations = invariance_violations(source, rounds=2)
    assert (
        violations["cosine_invariance_violation"] < 1e-12
        and violations["robust_without_constant_violation"] < 1e-12
    )
    assert violations["robust_invariance_violation"] < 1e-3
    assert violations["isometry_deviation_cosine"] < 1e-12 < 1e-3 < violations["isometry_deviation_robust"]


def test_only_members_of_the_group_intertwine(source):
    residuals = intertwiner_residuals(source)
    assert residuals["intertwiner_residual"] < 1e-12 < 1e-2 < residuals["residual_general"]
