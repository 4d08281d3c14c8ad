import dataclasses
import re
from statistics import mean

import pytest
import torch
from lggkit.experiments.embedding import EmbeddingLoss
from lggkit.experiments.embedding_runs import (
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    embeddings,
    network_of,
    split_images,
    training_images,
)

from lggkit.evaluation import SvcResult
from lggkit.experiments import pair_losses, step_time
from lggkit.experiments.graph_smoothness_loss import s43_classification as s43
from lggkit.latents import latents
from lggkit.objectives import graph_smoothness
from lggkit.study.context import StudyContext
from lggkit.training import MultiStep, Stream, TrainConfig

EXPERIMENT = s43.EXPERIMENT
CHOSEN = f"weight{GRAPH_SMOOTHNESS.weight:g}"


@pytest.fixture(scope="module")
def quick():
    """The smoke protocol on larger batches, for one epoch, a seed an arm but for one arm of the table."""
    training = TrainConfig(epochs=1, batch_size=256, learning_rate=0.05, augment=False)
    fast = {"training": training, "sweep_training": training, "timed_steps": 2}
    smoke = dataclasses.replace(s43.SMOKE, **fast)
    arms = tuple(
        dataclasses.replace(a, seeds=a.seeds | {"smoke": 2 if a.name == "cross_entropy-cifar10" else 1})
        for a in EXPERIMENT.arms
    )
    return dataclasses.replace(EXPERIMENT, protocols=EXPERIMENT.protocols | {"smoke": smoke}, arms=arms)


@pytest.fixture(scope="module")
def context(tmp_path_factory, quick):
    patch = pytest.MonkeyPatch()
    patch.setattr(s43, "EXPERIMENT", quick)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


def test_every_arm_gives_a_complete_record(records, quick):
    assert set(records) == {(s.arm, s.seed) for s in quick.specs("smoke")}
    assert {r.status for r in records.values()} == {"complete"}


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert isinstance(records[arm, 0].metrics[metric], float), (arm, metric)


SHARED = tuple(f"{name}-cifar10" for name in ("kmax", "d10", "alpha2", CHOSEN))


def test_arms_that_share_a_network_have_its_history_and_one_of_them_counts_its_training(
    records, context, quick, monkeypatch
):
    first, *others = (records[name, 0] for name in SHARED)
    for other in others:
        assert other.curves == first.curves and other.metrics.keys() == first.metrics.keys()
    specs = [quick.spec(name, "smoke") for name in SHARED]
    assert {network_of(spec) for spec in specs} == {specs[0]}
    monkeypatch.setattr(s43.time, "monotonic", lambda: 7.0)
    monkeypatch.setattr(s43, "_of_network", lambda *_: {})
    (trained,) = context.trainings(specs[:1])
    assert [r.seconds for r in s43.measure(specs, context)] == [trained.seconds, 0, 0, 0]


def test_arms_of_one_figure_have_networks_of_their_own(quick):
    """At smoke scale, where SVHN's stand-in is CIFAR-10's, their networks are too."""
    wide = {"d200-cifar10", "weight10_d200-cifar10"}
    specs = {arm.name: quick.spec(arm.name, "smoke") for arm in quick.arms if arm.name != "exact"}
    owners = {name: network_of(spec) for name, spec in specs.items()}
    assert len({owners[name] for name in wide}) == len({owners[name] for name in SHARED}) == 1
    others = [name for name in owners if name not in wide | set(SHARED) and not name.endswith("-svhn")]
    alone = [owners[name] for name in others]
    assert len(set(alone)) == len(alone)


def test_only_sweeps_hold_images_out_and_only_the_table_tries_every_classifier(records):
    for (name, _), record in records.items():
        arm = EXPERIMENT.arm(name)
        swept = "sweep" in arm.changes
        assert ("validation_error_10nn" in record.metrics) == swept
        in_table = not swept and "8of10" not in name and name != "exact"
        for metric in ("error_1nn", "error_svc", "error_probe", "relative_step_time"):
            assert (metric in record.metrics) == in_table, (name, metric)


@torch.no_grad()
def places(model, depth, data):
    """Embeddings in float64, and labels."""
    return latents(model.eval(), data.images / 255, [depth])[depth].double(), data.labels


@pytest.mark.parametrize(
    ("arm", "depth"),
    [
        ("cross_entropy-cifar10", "penultimate"),
        ("kmax-cifar10", "output"),
        ("graph_smoothness_8of10-cifar10", "output"),
    ],
)
def test_neighbours_are_sought_among_the_images_kept_in_the_depth_of_the_loss(
    records, context, quick, bounds, arm, depth
):
    spec = quick.spec(arm, "smoke")
    model, test = context.trained(spec), context.data("digits", train=False)
    kept, held = split_images(spec.protocol, context)
    metrics = records[arm, 0].metrics
    base = places(model, depth, kept)
    asked = {"error_1nn": (test, 1), "error_10nn": (test, 10), "validation_error_10nn": (held, 10)}
    for name, (data, k) in asked.items():
        if name in metrics:
            assert bounds.within(metrics[name], bounds.votes(base, places(model, depth, data), k)), name
    assert ("validation_error_10nn" in metrics) == bool(len(held))


def test_cross_entropy_answers_by_its_logits(records, context, quick, bounds):
    test = context.data("digits", train=False)
    for seed in (0, 1):
        model = context.trained(quick.spec("cross_entropy-cifar10", "smoke", seed))
        found = records["cross_entropy-cifar10", seed].metrics["test_error"]
        assert bounds.within(found, bounds.logits(model, test.images / 255, test.labels))
    assert all(
        ("test_error" in r.metrics) == (a.startswith("cross_entropy-")) for (a, _), r in records.items()
    )


@pytest.mark.parametrize("arm", ["kmax-cifar10", "k5-cifar10", "alpha100-cifar10", "weight1000-cifar10"])
def test_the_loss_a_pair_is_the_mean_edge_weight_between_classes_of_the_first_batches(
    records, context, quick, arm
):
    spec = quick.spec(arm, "smoke")
    settings, model = spec.protocol, s43.build_network(spec, context).train()
    batch = Stream(training_images(settings, context), settings.own_training, spec.seed).batch(0)
    outputs = model(batch.images).detach().double()
    distances = torch.cdist(outputs, outputs, compute_mode="donot_use_mm_for_euclid_dist")
    joined = torch.ones_like(distances, dtype=torch.bool)
    if settings.own_loss.k is not None:
        own = distances.clone().fill_diagonal_(torch.inf)
        joined = own <= own.kthvalue(settings.own_loss.k, dim=1, keepdim=True).values
        joined = joined | joined.T
    between = batch.labels[:, None] != batch.labels
    expected = (joined * torch.exp(-settings.own_loss.alpha * distances))[between].mean().item()
    assert records[arm, 0].metrics["initial_pair_loss"] == pytest.approx(expected, rel=2e-3, abs=1e-7)


def test_the_time_of_a_step_is_over_that_of_cross_entropy(records, context, quick, monkeypatch):
    for (arm, _), record in records.items():
        if arm.startswith("cross_entropy-"):
            assert record.metrics["relative_step_time"] == 1
    assert records["graph_smoothness-cifar10", 0].metrics["relative_step_time"] > 0
    calls, seconds = (
        [],
        {"graph_smoothness": [9.0, 9.0, 9.0, 3.0, 4.0, 3.0], "cross_entropy": [9.0] * 3 + [2.0] * 3},
    )

    def timed(run):
        loss = (
            "graph_smoothness"
            if run.model.model.__class__.__name__ == "EmbeddingNetwork"
            else "cross_entropy"
        )
        calls.append(loss)
        return seconds[loss][calls.count(loss) - 1]

    monkeypatch.setattr(step_time, "_timed", timed)
    spec = quick.spec("graph_smoothness-cifar10", "smoke")
    reference = quick.spec("cross_entropy-cifar10", "smoke")
    assert step_time.relative_step_time(spec, reference, context, steps=3) == 1.5
    assert calls == ["graph_smoothness", "cross_entropy"] * 6, "in turn, after three steps to warm up"


def test_timing_leaves_the_random_state_alone(context, quick):
    state = torch.get_rng_state()
    specs = [quick.spec(f"{loss}-cifar10", "smoke") for loss in ("graph_smoothness", "cross_entropy")]
    step_time.relative_step_time(*specs, context, steps=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_two_forms_of_the_loss_agree_and_a_wrong_one_would_not(records, monkeypatch):
    assert records["exact", 0].metrics["pair_sum_violation"] < 1e-12
    right = pair_losses.graph_smoothness
    monkeypatch.setattr(pair_losses, "graph_smoothness", lambda *x, k, alpha: right(*x, k=k, alpha=alpha) / 2)
    assert pair_losses.pair_sum_violation(torch.Generator().manual_seed(0)) == pytest.approx(0.5)
    monkeypatch.setattr(pair_losses, "graph_smoothness", lambda *x, k, alpha: right(*x, k=None, alpha=alpha))
    assert pair_losses.pair_sum_violation(torch.Generator().manual_seed(0)) > 0.1


def test_clusters_and_scatter_are_those_of_the_test_images(records, context, quick):
    spec, metrics = quick.spec("k5-cifar10", "smoke"), records["k5-cifar10", 0].metrics
    test = context.data("digits", train=False)
    points = embeddings(context.trained(spec), test.images, spec.protocol)
    assert all(isinstance(count, int) and count >= 1 for count in metrics["clusters_by_class"])
    assert len(metrics["clusters_by_class"]) == 10
    assert metrics["clusters_per_class"] == pytest.approx(mean(metrics["clusters_by_class"]))
    distances, same = torch.cdist(points, points), test.labels[:, None] == test.labels
    others = ~torch.eye(len(test), dtype=torch.bool)
    expected = distances[same & others].mean() / distances[~same].mean()
    assert metrics["scatter_ratio"] == pytest.approx(expected.item(), rel=0.01)


def test_the_svc_sees_a_bounded_part_clusters_are_sought_in_the_test_set_and_steps_are_timed(
    quick, context, monkeypatch
):
    svc, timed, clustered = [], [], []
    monkeypatch.setattr(s43, "clusters_per_class", lambda x, y: clustered.append(len(x)) or [1, 2])
    monkeypatch.setattr(
        s43, "svc_error", lambda *x, subset: svc.append(subset) or SvcResult(1.0, 2.0, 3.0, 4.0)
    )
    monkeypatch.setattr(s43, "relative_step_time", lambda *x: timed.append(x) or 1.5)
    spec = quick.spec("graph_smoothness-cifar10", "smoke", 0)
    (record,) = s43.measure([spec], context)
    assert svc == [200] and [record.metrics[f"svc_{name}"] for name in ("c", "gamma")] == [3.0, 4.0]
    assert clustered == [500] and record.metrics["clusters_per_class"] == 1.5
    ((ours, reference, _, steps),) = timed
    assert ours == spec and steps == quick.protocols["smoke"].timed_steps
    assert reference.protocol == quick.spec("cross_entropy-cifar10", "smoke").protocol


def test_the_training_loss_is_that_of_the_last_epoch(quick, context, monkeypatch):
    result = context.trainings([quick.spec("kmax-cifar10", "smoke")])[0]
    longer = dataclasses.replace(result, curves={"train_loss": [5.0, 3.0, 4.0]})
    monkeypatch.setattr(s43, "_of_embedding", lambda *_: {})
    found = s43._of_network(quick.spec("kmax-cifar10", "smoke"), longer, context)
    assert found["final_train_loss"] == pytest.approx(4.0 / GRAPH_SMOOTHNESS.weight)
    heavy = quick.spec("weight1000-cifar10", "smoke")
    assert s43._of_network(heavy, longer, context)["final_train_loss"] == pytest.approx(0.004)


def test_a_diverged_training_is_a_record(quick, monkeypatch, tmp_path):
    wild = dataclasses.replace(quick.protocols["smoke"].training, learning_rate=1e30)
    protocol = dataclasses.replace(quick.protocols["smoke"], sweep_training=wild)
    monkeypatch.setattr(s43, "EXPERIMENT", dataclasses.replace(quick, protocols={"smoke": protocol}))
    context = StudyContext(weights=tmp_path, commit="test")
    (record,) = s43.measure(s43.EXPERIMENT.specs("smoke", "unnormalized-cifar10"), context)
    assert record.status == "diverged" and record.reason and record.metrics == {}


def settings_of(arm, scale="paper"):
    return EXPERIMENT.spec(arm, scale).protocol


def test_the_papers_protocol_is_the_papers():
    for name in ("cifar10", "svhn"):
        training = settings_of(f"graph_smoothness-{name}").own_training
        assert (training.optimizer, training.learning_rate, training.epochs) == ("sgd", 0.1, 200)
        assert training == dataclasses.replace(
            settings_of(f"cross_entropy-{name}").own_training, flip=name != "svhn"
        )
    adam = settings_of("graph_smoothness-cifar100").own_training
    assert (adam.optimizer, adam.learning_rate, adam.weight_decay) == ("adam", 1e-3, 1e-4)
    assert adam.schedule == MultiStep((100, 150), 0.1) and adam.batch_size == 100
    for name, classes in (("cifar10", 10), ("cifar100", 100), ("svhn", 10)):
        settings = settings_of(f"graph_smoothness-{name}")
        assert (settings.dataset, settings.data_name, settings.own_dimension) == (name, name, classes)
        assert settings.own_loss == EmbeddingLoss(alpha=2.0, k=None, reduction="sum")
        assert (settings.network, settings.width, settings.normalization) == ("preact_resnet18", 64, "l2")
        assert settings_of(f"cross_entropy-{name}").loss == CROSS_ENTROPY


def unchanged_but_for(field, arm):
    """An arm's settings at paper scale, after a look at every other field than the one named."""
    found, usual = settings_of(arm), settings_of("kmax-cifar10")
    assert dataclasses.replace(found, **{field: getattr(usual, field)}) == usual
    return found


def test_sweeps_vary_what_they_say_and_nothing_else():
    usual = settings_of("kmax-cifar10")
    assert (usual.own_held_out, usual.own_training.epochs) == (5000, 60)
    assert usual.own_training.schedule == MultiStep((30, 45), 0.1)
    for k in (1, 5, 10, 20, 50):
        loss = dataclasses.replace(usual.own_loss, k=k)
        assert unchanged_but_for("loss_changes", f"k{k}-cifar10").own_loss == loss
    for d in (2, 5, 10, 20, 50, 200):
        assert settings_of(f"d{d}-cifar10") == dataclasses.replace(usual, dimension=d)
    for name, alpha in (("0.5", 0.5), ("1", 1.0), ("2", 2.0), ("5", 5.0), ("20", 20.0), ("100", 100.0)):
        loss = dataclasses.replace(usual.own_loss, alpha=alpha)
        assert unchanged_but_for("loss_changes", f"alpha{name}-cifar10").own_loss == loss
    assert settings_of("unnormalized-cifar10") == dataclasses.replace(usual, normalization=None)
    for weight in (1, 10, 100, 1000):
        loss = EmbeddingLoss(reduction="mean", weight=float(weight))
        assert unchanged_but_for("loss", f"weight{weight}-cifar10").own_loss == loss
        wide = dataclasses.replace(usual, loss=loss, dimension=200)
        assert settings_of(f"weight{weight}_d200-cifar10") == wide
    summed = EXPERIMENT.spec("sum_reduction-cifar10", "reduced").protocol
    assert summed.own_loss == usual.own_loss == EmbeddingLoss(reduction="sum")
    assert EXPERIMENT.spec("kmax-cifar10", "reduced").protocol.own_loss == GRAPH_SMOOTHNESS


@pytest.mark.parametrize("end", ["-cifar10", "_d200-cifar10"])
def test_the_size_of_the_loss_is_one_of_those_tried_on_images_held_out_and_no_outermost(end):
    """Whether it errs least is for the records to say, and they change when they are measured again."""
    tried = {
        float(size[1]): EXPERIMENT.spec(arm.name, "reduced").protocol
        for arm in EXPERIMENT.arms
        if (size := re.fullmatch(rf"weight(\d+){end}", arm.name))
    }
    assert min(tried) < GRAPH_SMOOTHNESS.weight < max(tried) and GRAPH_SMOOTHNESS.weight in tried
    for weight, settings in tried.items():
        assert settings.own_loss == dataclasses.replace(GRAPH_SMOOTHNESS, weight=weight)
        assert settings.sweep and settings.own_held_out == 5000


def test_the_loss_a_pair_after_training_is_that_of_the_trained_network(records, context, quick):
    spec = quick.spec("kmax-cifar10", "smoke")
    model = context.trained(spec).eval()
    batch = Stream(training_images(spec.protocol, context), spec.protocol.own_training, spec.seed).batch(0)
    expected = graph_smoothness(model(batch.images).detach(), batch.labels, reduction="mean").item()
    assert records["kmax-cifar10", 0].metrics["final_pair_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", ["cross_entropy", "graph_smoothness"])
def test_new_classes_are_the_last_two_and_nothing_else_changes(loss):
    expected = dataclasses.replace(settings_of(f"{loss}-cifar10"), classes_kept=8)
    assert settings_of(f"{loss}_8of10-cifar10") == expected
    assert (expected.own_held_out, expected.own_training.epochs) == (0, 200)


def test_an_embedding_for_new_classes_may_be_wide():
    expected = dataclasses.replace(settings_of("graph_smoothness-cifar10"), classes_kept=8, dimension=200)
    assert settings_of("graph_smoothness_d200_8of10-cifar10") == expected


@pytest.mark.parametrize(
    ("loss", "depth"), [("cross_entropy", "penultimate"), ("graph_smoothness", "output")]
)
def test_new_classes_cost_what_the_network_of_all_classes_does_better_on_them(
    records, context, quick, bounds, loss, depth
):
    test = context.data("digits", train=False)
    asked = test.subset(test.labels >= 8)
    errors = []
    for arm in (f"{loss}_8of10-cifar10", f"{loss}-cifar10"):
        spec = quick.spec(arm, "smoke")
        base, _ = split_images(spec.protocol, context)
        embedded = (places(context.trained(spec), depth, data) for data in (base, asked))
        errors.append(bounds.votes(*embedded, 10))
    metrics, (ours, theirs) = records[f"{loss}_8of10-cifar10", 0].metrics, errors
    assert bounds.within(metrics["error_10nn_new"], ours)
    assert bounds.within(metrics["new_class_cost"], (ours[0] - theirs[1], ours[1] - theirs[0]))
    assert (
        set(asked.labels.tolist()) == {8, 9} and "new_class_cost" not in records[f"{loss}-cifar10", 0].metrics
    )


def test_svhn_is_measured_only_where_it_is_asked_for():
    for loss in ("cross_entropy", "graph_smoothness"):
        arm = EXPERIMENT.arm(f"{loss}-svhn")
        assert [EXPERIMENT.seed_count(arm, scale) for scale in ("smoke", "reduced", "paper")] == [1, 0, 0]


def test_reduced_seeds_are_those_that_the_claims_ask_of_the_table_only():
    counts = {a.name: EXPERIMENT.seed_count(a, "reduced") for a in EXPERIMENT.arms}
    assert {
        counts[f"{loss}-cifar{n}"] for loss in ("cross_entropy", "graph_smoothness") for n in (10, 100)
    } == {3}
    assert {n for name, n in counts.items() if "sweep" in EXPERIMENT.arm(name).changes} == {1}
    assert {EXPERIMENT.seed_count(a, "paper") for a in EXPERIMENT.arms if "svhn" not in a.name} == {3}
