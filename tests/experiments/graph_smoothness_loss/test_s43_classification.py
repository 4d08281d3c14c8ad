import dataclasses
import re
from statistics import mean

import pytest
import torch

from lggkit.experiments.graph_smoothness_loss.s43_classification import EXPERIMENT, SEARCH
from lggkit.experiments.recipes.answers import pair_loss
from lggkit.experiments.recipes.embedder import CROSS_ENTROPY, GRAPH_SMOOTHNESS, TUNED
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.latents import latents
from lggkit.objectives import graph_smoothness
from lggkit.training import MultiStep, Stream

CHOSEN = f"weight{GRAPH_SMOOTHNESS.weight:g}"
SHARED = tuple(f"{name}-cifar10" for name in ("kmax", "d10", "alpha2", CHOSEN))


def test_arms_that_share_a_network_have_its_history(records):
    first, *others = (records[name, 0] for name in SHARED)
    for other in others:
        assert (other.network, other.curves) == (first.network, first.curves)
        assert other.metrics == first.metrics


def test_arms_of_one_figure_have_networks_of_their_own(section, records):
    """At smoke scale, where SVHN's stand-in is CIFAR-10's, their networks are too."""
    wide = {"d200-cifar10", "weight10_d200-cifar10"}
    owners = {arm.name: records[arm.name, 0].network for arm in EXPERIMENT.arms}
    assert len({owners[name] for name in wide}) == len({owners[name] for name in SHARED}) == 1
    alike = wide | set(SHARED) | {"exact"}
    others = [name for name in owners if name not in alike and not name.endswith("-svhn")]
    alone = [owners[name] for name in others]
    assert len(set(alone)) == len(alone) and owners["exact"] == ""


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
    section, records, bounds, arm, depth
):
    model, test = section.network(arm), section.context.data("digits", train=False)
    training, validation = section.spec(arm).protocol.embedder.images.split(section.context)
    metrics, base = records[arm, 0].metrics, places(model, depth, training)
    asked = {"error_1nn": (test, 1), "error_10nn": (test, 10), "validation_error_10nn": (validation, 10)}
    for name, (data, k) in asked.items():
        if name in metrics:
            assert bounds.within(metrics[name], bounds.votes(base, places(model, depth, data), k)), name
    assert ("validation_error_10nn" in metrics) == bool(len(validation))


def test_cross_entropy_answers_by_its_logits(section, records, bounds):
    test = section.context.data("digits", train=False)
    for seed in (0, 1):
        error = records["cross_entropy-cifar10", seed].metrics["test_error"]
        expected = bounds.logits(
            section.network("cross_entropy-cifar10", seed), test.images / 255, test.labels
        )
        assert bounds.within(error, expected)
    assert all(
        ("test_error" in r.metrics) == (a.startswith("cross_entropy-")) for (a, _), r in records.items()
    )


@pytest.mark.parametrize("arm", ["kmax-cifar10", "k5-cifar10", "alpha100-cifar10", "weight1000-cifar10"])
def test_the_loss_a_pair_is_the_mean_edge_weight_between_classes_of_the_first_batches(section, records, arm):
    embedder, context = section.spec(arm).protocol.embedder, section.context
    loss, model = embedder.own_loss, embedder.description.untrained(0, context).train()
    batch = Stream(embedder.images.training(context), embedder.own_training, 0).batch(0)
    outputs = model(batch.images).detach().double()
    distances = torch.cdist(outputs, outputs, compute_mode="donot_use_mm_for_euclid_dist")
    joined = torch.ones_like(distances, dtype=torch.bool)
    if loss.k is not None:
        own = distances.clone().fill_diagonal_(torch.inf)
        joined = own <= own.kthvalue(loss.k, dim=1, keepdim=True).values
        joined = joined | joined.T
    between = batch.labels[:, None] != batch.labels
    expected = (joined * torch.exp(-loss.alpha * distances))[between].mean().item()
    assert records[arm, 0].metrics["initial_pair_loss"] == pytest.approx(expected, rel=2e-3, abs=1e-7)


def test_the_loss_a_pair_after_training_is_that_of_the_trained_network(section, records):
    embedder, context = section.spec("kmax-cifar10").protocol.embedder, section.context
    model = section.network("kmax-cifar10")
    batches = Stream(embedder.images.training(context), embedder.own_training, 0)
    values = []
    for step in range(2):
        batch = batches.make(step)
        outputs = model(batch.images).detach()
        values.append(graph_smoothness(outputs, batch.labels, reduction="mean").item())
    loss = records["kmax-cifar10", 0].metrics["final_pair_loss"]
    assert loss == pytest.approx(values[0], rel=1e-4)
    assert pair_loss(model, embedder, 0, context, 2) == pytest.approx(mean(values), rel=1e-4)


def test_a_step_is_timed_beside_one_of_cross_entropy(records):
    for loss, arm in ((arm.split("-")[0], arm) for arm, seed in records if not seed):
        if loss == "cross_entropy":
            assert records[arm, 0].metrics["relative_step_time"] == 1, "nothing is timed against itself"
        if loss == "graph_smoothness":
            assert records[arm, 0].metrics["relative_step_time"] > 0


def test_the_two_forms_of_the_loss_agree(records):
    assert records["exact", 0].metrics["pair_sum_violation"] < 1e-12
    assert (records["exact", 0].precision, records["exact", 0].path) == ("float64", "cpu, float64")


def test_clusters_and_scatter_are_those_of_the_test_images(section, records):
    metrics, test = records["k5-cifar10", 0].metrics, section.context.data("digits", train=False)
    embedder = section.spec("k5-cifar10").protocol.embedder
    points = embedder.embeddings(section.network("k5-cifar10"), test.images)
    assert all(isinstance(count, int) and count >= 1 for count in metrics["clusters_by_class"])
    assert len(metrics["clusters_by_class"]) == 10
    assert metrics["clusters_per_class"] == pytest.approx(mean(metrics["clusters_by_class"]))
    distances, same = torch.cdist(points, points), test.labels[:, None] == test.labels
    others = ~torch.eye(len(test), dtype=torch.bool)
    expected = distances[same & others].mean() / distances[~same].mean()
    assert metrics["scatter_ratio"] == pytest.approx(expected.item(), rel=0.01)


def test_the_training_loss_is_that_of_the_last_epoch_without_its_weight(section, records):
    for arm, weight in (("kmax-cifar10", GRAPH_SMOOTHNESS.weight), ("weight1000-cifar10", 1000.0)):
        record = records[arm, 0]
        assert record.metrics["final_train_loss"] == record.curves["train_loss"][-1] / weight
    (result,) = section.context.networks([(section.spec("kmax-cifar10").protocol.description, 0)])
    longer = dataclasses.replace(result, curves={"train_loss": [5.0, 3.0, 4.0]})
    embedder = section.spec("kmax-cifar10").protocol.embedder
    assert embedder.final_loss(longer) == pytest.approx(4.0 / GRAPH_SMOOTHNESS.weight)


def settings_of(arm, scale="paper"):
    return EXPERIMENT.spec(arm, scale).protocol.embedder


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
    settings, usual = settings_of(arm), settings_of("kmax-cifar10")
    assert dataclasses.replace(settings, **{field: getattr(usual, field)}) == usual
    return settings


def test_sweeps_vary_what_they_say_and_nothing_else():
    usual = settings_of("kmax-cifar10")
    assert (usual.images.held_out, usual.own_training.epochs) == (5000, 60)
    assert usual.own_training.schedule == MultiStep((30, 45), 0.1)
    for k in (1, 5, 10, 20, 50):
        loss = dataclasses.replace(usual.own_loss, k=k)
        assert unchanged_but_for("loss_changes", f"k{k}-cifar10").own_loss == loss
    for d in (2, 5, 10, 20, 50, 200):
        assert settings_of(f"d{d}-cifar10") == dataclasses.replace(usual, dimension=d)
    for name, alpha in (
        ("0.2", 0.2),
        ("0.5", 0.5),
        ("1", 1.0),
        ("2", 2.0),
        ("5", 5.0),
        ("20", 20.0),
        ("100", 100.0),
    ):
        loss = dataclasses.replace(usual.own_loss, alpha=alpha)
        assert unchanged_but_for("loss_changes", f"alpha{name}-cifar10").own_loss == loss
    assert settings_of("unnormalized-cifar10") == dataclasses.replace(usual, normalization=None)
    for weight in (1, 10, 100, 1000):
        loss = EmbeddingLoss(reduction="mean", weight=float(weight))
        assert unchanged_but_for("loss", f"weight{weight}-cifar10").own_loss == loss
        wide = dataclasses.replace(usual, loss=loss, dimension=200)
        assert settings_of(f"weight{weight}_d200-cifar10") == wide
    summed = settings_of("sum_reduction-cifar10", "short")
    assert summed.own_loss == usual.own_loss == EmbeddingLoss(reduction="sum")
    assert settings_of("kmax-cifar10", "short").own_loss == GRAPH_SMOOTHNESS


@pytest.mark.parametrize("end", ["-cifar10", "_d200-cifar10"])
def test_the_size_of_the_loss_is_one_of_those_tried_on_images_held_out_and_no_outermost(end):
    """Whether it errs least is for the records to say, and they change when they are measured again."""
    tried = {
        float(size[1]): settings_of(arm.name, "short")
        for arm in EXPERIMENT.arms
        if (size := re.fullmatch(rf"weight(\d+){end}", arm.name))
    }
    assert min(tried) < GRAPH_SMOOTHNESS.weight < max(tried) and GRAPH_SMOOTHNESS.weight in tried
    for weight, settings in tried.items():
        assert settings.own_loss == dataclasses.replace(GRAPH_SMOOTHNESS, weight=weight)
        assert settings.sweep and settings.images.held_out == 5000


def test_the_search_for_the_tables_differs_in_nothing_but_alpha_and_the_factor_and_has_both_sides():
    tried = [settings_of(arm, "reduced") for arm in SEARCH]
    usual = settings_of("kmax-cifar10", "reduced")
    for settings in tried:
        assert settings == dataclasses.replace(usual, loss=settings.loss, loss_changes=settings.loss_changes)
    chosen = dataclasses.replace(usual.loss, **dict(TUNED))
    factors = {s.own_loss.weight for s in tried if s.own_loss.alpha == chosen.alpha}
    assert min(factors) < chosen.weight < max(factors)
    assert chosen in [s.own_loss for s in tried]
    alphas = sorted(s.own_loss.alpha for s in tried)
    assert alphas[0] < chosen.alpha < alphas[-1]


@pytest.mark.parametrize("loss", ["cross_entropy", "graph_smoothness"])
def test_new_classes_are_the_last_two_and_nothing_else_changes(loss):
    expected = dataclasses.replace(settings_of(f"{loss}-cifar10"), classes_kept=8)
    assert settings_of(f"{loss}_8of10-cifar10") == expected
    assert (expected.images.held_out, expected.own_training.epochs) == (0, 200)


def test_an_embedding_for_new_classes_may_be_wide():
    expected = dataclasses.replace(settings_of("graph_smoothness-cifar10"), classes_kept=8, dimension=200)
    assert settings_of("graph_smoothness_d200_8of10-cifar10") == expected


@pytest.mark.parametrize(
    ("loss", "depth"), [("cross_entropy", "penultimate"), ("graph_smoothness", "output")]
)
def test_new_classes_cost_what_the_network_of_all_classes_does_better_on_them(
    section, records, bounds, loss, depth
):
    test = section.context.data("digits", train=False)
    asked, errors = test.subset(test.labels >= 8), []
    for arm in (f"{loss}_8of10-cifar10", f"{loss}-cifar10"):
        base, _ = section.spec(arm).protocol.embedder.images.split(section.context)
        embedded = (places(section.network(arm), depth, data) for data in (base, asked))
        errors.append(bounds.votes(*embedded, 10))
    metrics, (ours, theirs) = records[f"{loss}_8of10-cifar10", 0].metrics, errors
    assert bounds.within(metrics["error_10nn_new"], ours)
    assert bounds.within(metrics["new_class_cost"], (ours[0] - theirs[1], ours[1] - theirs[0]))
    assert set(asked.labels.tolist()) == {8, 9}
    assert "new_class_cost" not in records[f"{loss}-cifar10", 0].metrics


def test_svhn_is_measured_only_where_it_is_asked_for():
    for loss in ("cross_entropy", "graph_smoothness"):
        arm = EXPERIMENT.arm(f"{loss}-svhn")
        assert [EXPERIMENT.seed_count(arm, scale) for scale in ("smoke", "short", "reduced", "paper")] == [
            1,
            0,
            0,
            0,
        ]


@pytest.mark.parametrize("scale", ["short", "reduced"])
def test_seeds_below_paper_are_those_that_the_claims_ask_of_the_table_only(scale):
    counts = {a.name: EXPERIMENT.seed_count(a, scale) for a in EXPERIMENT.arms}
    assert {
        counts[f"{loss}-cifar{n}"] for loss in ("cross_entropy", "graph_smoothness") for n in (10, 100)
    } == {3}
    swept = {name: n for name, n in counts.items() if "sweep" in EXPERIMENT.arm(name).changes}
    searched = {name for name in swept if name in SEARCH and name.startswith("weight")}
    assert {n for name, n in swept.items() if name not in searched} == {1}
    assert {swept[name] for name in searched} == {0 if scale == "short" else 1}
    planned = [a for a in EXPERIMENT.arms if "svhn" not in a.name and a.name not in searched]
    assert {EXPERIMENT.seed_count(a, "paper") for a in planned} == {3}
