import pytest

from lggkit.experiments.lgg.s33_latent_geometry_graphs import EXPERIMENT, SMOKE


def test_arrays_and_metrics_tell_the_same(records):
    record = records["resnet18", 0]
    sigma, depths = record.arrays["sigma"], [str(d) for d in record.arrays["depths"]]
    assert sigma.shape == (12, len(depths)) and depths[0] == "input" and depths[-1] == "output"
    for name, depth in SMOKE.figure_depths.items():
        assert record.metrics[f"sigma_{name}"] == pytest.approx(
            sigma[:, depths.index(depth)].mean(), rel=1e-5
        )
    assert record.metrics["sigma_all_depths"] == pytest.approx(sigma.mean(0).tolist(), rel=1e-5)
    assert record.arrays["thumbnails"].shape == (20, 1, 8, 8)
    assert set(map(str, record.arrays["class_names"])) == set(map(str, range(10)))


def test_all_networks_see_the_same_draws(records):
    trained, untrained = (records[arm, 0].arrays for arm in ("resnet18", "untrained"))
    assert (trained["thumbnails"] == untrained["thumbnails"]).all()
    assert (trained["adjacency_input"] == untrained["adjacency_input"]).all()
    assert (trained["adjacency_penultimate"] != untrained["adjacency_penultimate"]).any()


def test_the_network_of_normalisation_is_the_trained_one(records):
    trained, same, untrained, exact = (
        records[arm, 0].network for arm in ("resnet18", "normalization", "untrained", "exact")
    )
    assert trained == same != "" and untrained == exact == ""


def test_exact_claims_hold(records):
    metrics = records["exact", 0].metrics
    assert metrics["variation_zero_iff_no_edge_violations"] == 0
    assert metrics["unequal_dimensions_violation"] < 1e-6
    assert records["exact", 0].precision == "float64"


def test_paper_protocol_is_the_papers():
    paper = EXPERIMENT.protocols["paper"]
    assert (paper.dataset, paper.network, paper.width, paper.middle) == ("cifar10", "resnet18", 64, "block4")
    assert (paper.classes, paper.per_class, paper.k) == (4, 5, 5)
    assert (paper.training.epochs, paper.training.batch_size, paper.training.weight_decay) == (200, 128, 5e-4)
    assert paper.draws >= 200
