import dataclasses

import pytest

from lggkit.experiments.lgg import s33_latent_geometry_graphs as s33
from lggkit.study.context import StudyContext
from lggkit.training import TrainConfig

EXPERIMENT = s33.EXPERIMENT


@pytest.fixture(scope="module")
def quick():
    """The smoke protocol with one epoch and few draws."""
    training = TrainConfig(epochs=1, batch_size=64, learning_rate=0.05, augment=False)
    smoke = dataclasses.replace(
        s33.SMOKE, training=training, draws=12, neighbor_base=150, neighbor_queries=60
    )
    return dataclasses.replace(EXPERIMENT, protocols={"smoke": smoke}, seeds={"smoke": 1})


@pytest.fixture(scope="module")
def context(quick, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(s33, "EXPERIMENT", quick)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


@pytest.fixture(scope="module")
def records(quick, context):
    return {r.arm: r for r in s33.measure(quick.specs("smoke"), context)}


def test_every_arm_gives_a_complete_record(records):
    assert set(records) == {arm.name for arm in EXPERIMENT.arms}
    assert {r.status for r in records.values()} == {"complete"}


def test_one_arm_counts_the_training_that_all_share(quick, context, monkeypatch):
    monkeypatch.setattr(s33.time, "monotonic", lambda: 7.0)
    for measure in ("_influence", "_variation"):
        monkeypatch.setattr(s33, measure, lambda *_: ({}, {}))
    specs = [quick.spec(arm, "smoke") for arm in ("resnet18", "normalization")]
    (trained,) = context.trainings(specs[:1])
    assert [r.seconds for r in s33.measure(specs, context)] == [trained.seconds, 0]


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert metric in records[arm].metrics, (arm, metric)


def test_arrays_and_metrics_tell_the_same(records):
    record, settings = records["resnet18"], s33.SMOKE
    sigma, depths = record.arrays["sigma"], [str(d) for d in record.arrays["depths"]]
    assert sigma.shape == (12, len(depths)) and depths[0] == "input" and depths[-1] == "output"
    for name, depth in settings.figure_depths.items():
        assert record.metrics[f"sigma_{name}"] == pytest.approx(
            sigma[:, depths.index(depth)].mean(), rel=1e-5
        )
    assert record.metrics["sigma_all_depths"] == pytest.approx(sigma.mean(0).tolist(), rel=1e-5)
    assert record.arrays["thumbnails"].shape == (20, 1, 8, 8)
    assert set(map(str, record.arrays["class_names"])) == set(map(str, range(10)))


def test_all_networks_see_the_same_draws(records):
    trained, untrained = (records[arm].arrays for arm in ("resnet18", "untrained"))
    assert (trained["thumbnails"] == untrained["thumbnails"]).all()
    assert (trained["adjacency_input"] == untrained["adjacency_input"]).all()
    assert (trained["adjacency_penultimate"] != untrained["adjacency_penultimate"]).any()


def test_exact_claims_hold(records):
    metrics = records["exact"].metrics
    assert metrics["variation_zero_iff_no_edge_violations"] == 0
    assert metrics["unequal_dimensions_violation"] < 1e-6


def test_a_diverged_training_is_a_record(quick, monkeypatch, tmp_path):
    wild = dataclasses.replace(quick.protocols["smoke"].training, learning_rate=1e30)
    protocol = dataclasses.replace(quick.protocols["smoke"], training=wild)
    monkeypatch.setattr(s33, "EXPERIMENT", dataclasses.replace(quick, protocols={"smoke": protocol}))
    context = StudyContext(weights=tmp_path, commit="test")
    record = next(s33.measure(s33.EXPERIMENT.specs("smoke", "resnet18"), context))
    assert record.status == "diverged" and "loss" in record.reason and record.metrics == {}


def test_paper_protocol_is_the_papers():
    paper = EXPERIMENT.protocols["paper"]
    assert (paper.dataset, paper.network, paper.width, paper.middle) == ("cifar10", "resnet18", 64, "block4")
    assert (paper.classes, paper.per_class, paper.k) == (4, 5, 5)
    assert (paper.training.epochs, paper.training.batch_size, paper.training.weight_decay) == (200, 128, 5e-4)
    assert paper.draws >= 200
