import pytest

from lggkit.experiments.recipes.stitched import relation
from lggkit.experiments.relative_representations.s13_robust_relative import EXPERIMENT


def test_exact_claims_hold(records):
    metrics = records["exact", 0].metrics
    assert metrics["cosine_invariance_violation"] < 1e-12 and metrics["intertwiner_residual"] < 1e-10
    assert metrics["robust_without_constant_violation"] < 1e-10
    assert metrics["robust_invariance_violation"] < 1e-4


def test_means_are_those_of_the_matrix(records):
    record = records["relative_robust", 0]
    matrix = record.arrays["accuracy"]
    assert record.metrics["accuracy_own"] == pytest.approx(matrix.diagonal().mean(), rel=1e-5)
    stitched = (matrix.sum() - matrix.trace()) / (matrix.size - len(matrix))
    assert record.metrics["accuracy_stitched"] == pytest.approx(stitched, rel=1e-5)


def test_pairs_are_told_apart():
    assert relation(("en", "network"), ("en", "network b")) == "seed"
    assert relation(("en", "words"), ("fr", "words")) == "language"
    assert relation(("en", "words"), ("en", "network b")) == "kind"
    assert relation(("en", "words"), ("fr", "network")) == "both"


def test_paper_protocol_is_the_codes():
    paper = EXPERIMENT.protocols["paper"]
    assert (paper.anchors, paper.epochs, paper.learning_rate) == (768, 40, 2e-4)
