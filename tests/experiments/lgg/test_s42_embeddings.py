import dataclasses

import pytest
import torch

from lggkit.experiments import base
from lggkit.experiments.embedding import EmbeddingLoss
from lggkit.experiments.embedding_runs import embeddings, network_of, split_images
from lggkit.experiments.graph_smoothness_loss import s44_robustness as s44
from lggkit.experiments.lgg import s42_embeddings as s42
from lggkit.study import paths
from lggkit.study.context import StudyContext
from lggkit.study.ledger import Ledger
from lggkit.training import TrainConfig

EXPERIMENT = s42.EXPERIMENT
ALL_EXPERIMENTS = base.all_experiments
LOSSES = ("graph_smoothness", "triplet", "soft_nearest_neighbor", "supervised_contrastive")
TABLE = ("cross_entropy", *LOSSES)
SWEPT = tuple(arm.name for arm in EXPERIMENT.arms if not arm.table)
TRIED = ("triplet_all-margin0.3", "soft_nearest_neighbor-temperature0.3")


@pytest.fixture(scope="module")
def quick():
    """The smoke protocol on larger batches, two corruptions, a second seed of two arms, some of a sweep."""
    training = TrainConfig(epochs=1, batch_size=256, learning_rate=0.05, augment=False)
    smoke = dataclasses.replace(
        EXPERIMENT.protocols["smoke"],
        training=training,
        sweep_training=training,
        corruptions=("impulse_noise", "contrast"),
        severities=(4,),
        corruption_images=100,
    )
    arms = tuple(
        dataclasses.replace(a, seeds={"smoke": 2 if a.name in ("cross_entropy", "triplet") else 1})
        for a in EXPERIMENT.arms
        if a.name in (*TABLE, *TRIED)
    )
    return dataclasses.replace(EXPERIMENT, protocols=EXPERIMENT.protocols | {"smoke": smoke}, arms=arms)


@pytest.fixture(scope="module")
def context(tmp_path_factory, quick):
    patch = pytest.MonkeyPatch()
    patch.setattr(s42, "EXPERIMENT", quick)
    patch.setattr(base, "all_experiments", lambda: [quick])
    patch.setattr("lggkit.experiments.get", lambda name: quick)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


def test_every_arm_gives_a_complete_record(records, quick):
    assert set(records) == {(s.arm, s.seed) for s in quick.specs("smoke")}
    assert {r.status for r in records.values()} == {"complete"}
    assert {arm for arm, _ in records} == {*TABLE, *TRIED}


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert metric in records[arm, 0].metrics, (arm, metric)


def test_means_are_over_cross_entropy_of_the_same_seed(records):
    for seed, record in ((seed, r) for (arm, seed), r in records.items() if arm in TABLE):
        own, reference = record.metrics, records["cross_entropy", seed].metrics
        ratios = [own[f"errors_{c}"][0] / reference[f"errors_{c}"][0] for c in ("impulse_noise", "contrast")]
        assert own["mce"] == pytest.approx(50 * sum(ratios))
    assert records["cross_entropy", 1].metrics["mce"] == pytest.approx(100)
    assert records["cross_entropy", 0].metrics["relative_mce"] == pytest.approx(100)


def test_embeddings_answer_by_a_vote_and_cross_entropy_by_its_logits(quick):
    for scale in ("smoke", "reduced", "paper"):
        votes = {arm: quick.spec(arm, scale).protocol.vote for arm in TABLE}
        assert votes == {"cross_entropy": None} | dict.fromkeys(LOSSES, 10)


def test_all_embeddings_have_one_size_and_start_alike(quick, context):
    networks = [s42.build_network(quick.spec(loss, "smoke"), context) for loss in LOSSES]
    images = context.data("digits").images[:3]
    outputs = [network.eval()(images) for network in networks]
    assert all(torch.equal(x, outputs[0]) for x in outputs) and outputs[0].shape == (3, 200)
    torch.testing.assert_close(outputs[0].norm(dim=1), torch.ones(3))


def test_every_loss_trains_another_network(quick, context, records):
    outputs = [context.trained(quick.spec(loss, "smoke")) for loss in LOSSES]
    images = context.data("digits").images[:20]
    with torch.no_grad():
        outputs = [network(images) for network in outputs]
    assert all((a - b).abs().max() > 1e-3 for i, a in enumerate(outputs) for b in outputs[:i])


@pytest.mark.parametrize("scale", ["smoke", "reduced", "paper"])
def test_the_networks_of_section_44_are_trained_once(scale, monkeypatch):
    monkeypatch.setattr(base, "all_experiments", ALL_EXPERIMENTS)
    for arm in ("cross_entropy", "graph_smoothness"):
        ours, theirs = (network_of(e.spec(arm, scale, 1)) for e in (EXPERIMENT, s44.EXPERIMENT))
        assert ours == theirs and ours.experiment.startswith("graph_smoothness_loss")
    for arm in LOSSES[1:]:
        spec = EXPERIMENT.spec(arm, scale, 1)
        assert network_of(spec) == spec


@pytest.mark.parametrize("scale", ["reduced", "paper"])
def test_the_protocol_is_that_of_section_44(scale):
    for arm in ("cross_entropy", "graph_smoothness"):
        ours, theirs = (dataclasses.asdict(e.spec(arm, scale).protocol) for e in (EXPERIMENT, s44.EXPERIMENT))
        assert {name: ours[name] for name in theirs} | {"sweep_training": None} == theirs


def test_how_the_classes_lie_is_seen_on_the_embedding(records):
    for arm, record in ((arm, r) for (arm, _), r in records.items() if arm in TABLE):
        assert 0 < record.metrics["scatter_ratio"] < 1.2, arm
        assert record.metrics["clusters_per_class"] >= 1 and -1 <= record.metrics["silhouette"] <= 1
    scatter = {
        arm: r.metrics["scatter_ratio"]
        for (arm, seed), r in records.items()
        if "scatter_ratio" in r.metrics and seed == 0
    }
    assert len(set(scatter.values())) == len(scatter)


def test_a_sweep_changes_one_option_of_one_loss_and_holds_images_out():
    temperatures = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    expected = {f"triplet-margin{m:g}": EmbeddingLoss("triplet", margin=m) for m in (0.1, 0.3, 1.0)}
    expected |= {
        f"triplet_all-margin{m:g}": EmbeddingLoss("triplet", margin=m, mining="all") for m in (0.1, 0.3, 1.0)
    }
    expected |= {
        f"{name}-temperature{t:g}": EmbeddingLoss(name, temperature=t)
        for name, tried in (
            ("soft_nearest_neighbor", temperatures[2:5]),
            ("supervised_contrastive", temperatures),
        )
        for t in tried
    }
    assert set(expected) == set(SWEPT)
    usual = EXPERIMENT.spec("triplet", "reduced").protocol
    for arm, loss in expected.items():
        own = dataclasses.replace(usual, sweep=True, loss=loss)
        assert EXPERIMENT.spec(arm, "reduced").protocol == own
        assert own.own_held_out == 5000 and own.own_training == usual.own_training


@pytest.mark.parametrize("rival", s42.RIVALS)
def test_the_rivals_have_the_options_that_err_least_on_images_held_out(rival):
    """What was measured decides, at reduced scale and on no test image; no outermost value is the best."""
    found = {r.arm: r.metrics for r in Ledger(paths.results()).records(EXPERIMENT.name, "reduced")}
    tried = {
        dataclasses.replace(sweep.loss, **{sweep.option: value}): found[arm]["validation_error_10nn"]
        for sweep in s42.SWEEPS
        if sweep.rival == rival
        for value, arm in sweep.arms.items()
    }
    best = min(tried, key=tried.get)
    assert best == s42.RIVALS[rival]
    (sweep,) = (s for s in s42.SWEEPS if s.rival == rival and s.loss.mining == best.mining)
    assert min(sweep.values) < getattr(best, sweep.option) < max(sweep.values)


@pytest.mark.parametrize("arm", TRIED)
def test_a_swept_network_answers_for_images_that_it_did_not_see(arm, records, quick, context):
    spec = quick.spec(arm, "smoke")
    kept, held = split_images(spec.protocol, context)
    assert len(held) == 200
    model = context.trained(spec)
    base, queries = (embeddings(model, part.images, spec.protocol) for part in (kept, held))
    nearest = torch.cdist(queries, base).topk(10, largest=False).indices
    voted = torch.stack([row.bincount(minlength=10).argmax() for row in kept.labels[nearest]])
    wrong = 100 * (voted != held.labels).float().mean().item()
    metrics = records[arm, 0].metrics
    assert metrics["validation_error_10nn"] == pytest.approx(wrong, abs=1.1)
    assert set(metrics) == {"validation_error_10nn", "error_10nn"} and 0 <= metrics["error_10nn"] < 95
