import pytest

from lggkit.experiments.geometries_of_learning.a05_schubert_best_fit import EXPERIMENT


def test_the_paper_protocol_is_the_articles():
    paper = EXPERIMENT.protocols["paper"]
    assert (paper.dataset, paper.share, paper.adam_steps) == ("catdog", 0.78, 40_000)
    assert paper.sizes == tuple(range(1, 6)) and paper.dims == tuple(range(1, 11))
    assert EXPERIMENT.seeds["paper"] >= 40


def test_with_single_images_three_prototypes_are_one(records):
    """Best fit and flag mean of lines are PCA of images of length one."""
    ours, mean = (records[f"{arm}_prototypes", 0].metrics for arm in ("svbf", "flag_mean"))
    assert ours["accuracy_l1_m1"] == mean["accuracy_l1_m1"]


def test_a_node_of_one_dimension_tells_nothing_apart(records):
    assert records["svbf_node", 0].metrics["accuracy_by_k"][0] == pytest.approx(50)


def test_identities_hold_and_the_flag_median_is_another(records):
    metrics = records["exact", 0].metrics
    assert metrics["flag_mean_violation"] < 1e-5 and metrics["basis_violation"] < 1e-6
    assert metrics["flag_median_violation"] > 1e-3


def test_fits_of_those_that_were_fitted_are_higher_and_rise(records):
    metrics = records["fit", 0].metrics
    for name in ("cats", "dogs", "both", "haar"):
        train = metrics[f"train_{name}"]
        assert train == sorted(train) and train[-1] > metrics[f"test_{name}"][-1]


def test_angles_are_those_that_the_second_algorithm_compares(records):
    record = records["angles", 0]
    angles, labels = record.arrays["angles"], record.arrays["labels"]
    assert angles.shape == (len(labels), 2) and angles.min() >= 0 and angles.max() <= 90
    own = angles[range(len(labels)), labels].mean()
    assert record.metrics["angle_own"] == pytest.approx(own, rel=1e-5)
