import dataclasses

import pytest
import torch
from lggkit.experiments.corruption_runs import Robustness, robustness_metrics
from lggkit.experiments.embedding import EmbeddingLoss
from lggkit.experiments.embedding_runs import embeddings, network_of, split_images

from lggkit.experiments import base
from lggkit.experiments.graph_smoothness_loss import s44_robustness as s44
from lggkit.experiments.lgg import s42_embeddings as s42
from lggkit.study.context import StudyContext
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


def robustness(record):
    errors = {name: record.metrics[f"errors_{name}"] for name in ("impulse_noise", "contrast")}
    return Robustness(record.metrics["clean_error"], errors)


def test_means_are_over_cross_entropy_of_the_same_seed(records):
    for seed, record in ((seed, r) for (arm, seed), r in records.items() if arm in TABLE):
        expected = robustness_metrics(robustness(record), robustness(records["cross_entropy", seed]))
        found = {name: value for name, value in record.metrics.items() if name in expected}
        assert found == {name: pytest.approx(value) for name, value in expected.items()}
        assert "mce" in found


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
    """A loss that does not reach the network would leave it as it began."""
    networks = [context.trained(quick.spec(loss, "smoke")) for loss in LOSSES]
    networks.append(s42.build_network(quick.spec(LOSSES[0], "smoke"), context))
    weights = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
    assert not any(torch.equal(a, b) for i, a in enumerate(weights) for b in weights[:i])


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


def test_how_the_classes_lie_is_seen_on_the_embedding(records, quick, context, monkeypatch):
    for arm, record in ((arm, r) for (arm, _), r in records.items() if arm in TABLE):
        assert record.metrics["scatter_ratio"] >= 0, arm
        assert record.metrics["clusters_per_class"] >= 1 and -1 <= record.metrics["silhouette"] <= 1
    seen = {}
    for measure, value in {"clusters_per_class": [1, 4], "scatter_ratio": 0.5, "silhouette": 0.25}.items():
        monkeypatch.setattr(s42, measure, lambda *x, m=measure, v=value: seen.setdefault(m, x) and v)
    spec, test = quick.spec("triplet", "smoke"), context.data("digits", train=False)
    model = context.trained(spec)
    found = s42._of_classes(spec, model, context)
    assert found == {"clusters_per_class": 2.5, "scatter_ratio": 0.5, "silhouette": 0.25}
    for points, labels in seen.values():
        assert torch.equal(labels, test.labels[:200])
        torch.testing.assert_close(points, embeddings(model, test.images[:200], spec.protocol))


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
def test_the_rivals_have_options_that_were_tried_on_images_held_out_and_no_outermost(rival):
    """Whether they err least is for the records to say, and they change when they are measured again."""
    chosen = s42.RIVALS[rival]
    (sweep,) = (s for s in s42.SWEEPS if s.rival == rival and s.loss.mining == chosen.mining)
    value = getattr(chosen, sweep.option)
    assert min(sweep.values) < value < max(sweep.values) and value in sweep.values
    assert chosen == dataclasses.replace(sweep.loss, **{sweep.option: value})
    settings = EXPERIMENT.spec(sweep.arms[value], "reduced").protocol
    assert settings.loss == chosen and settings.own_held_out == 5000


@pytest.mark.parametrize("arm", TRIED)
def test_a_swept_network_answers_for_images_that_it_did_not_see(arm, records, quick, context, bounds):
    spec, test = quick.spec(arm, "smoke"), context.data("digits", train=False)
    kept, held = split_images(spec.protocol, context)
    assert len(held) == 200
    model, metrics = context.trained(spec), records[arm, 0].metrics
    base, *asked = (
        (embeddings(model, part.images, spec.protocol), part.labels) for part in (kept, held, test)
    )
    assert set(metrics) == {"validation_error_10nn", "error_10nn"}
    for name, queries in zip(("validation_error_10nn", "error_10nn"), asked, strict=True):
        assert bounds.within(metrics[name], bounds.votes(base, queries, 10)), name
