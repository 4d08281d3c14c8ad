import dataclasses

import pytest
import torch
from lggkit.experiments.corruption_runs import Robustness, robustness_metrics
from lggkit.experiments.robust_training import Defense

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.experiments import robust_runs
from lggkit.experiments.lgg import s43_robustness as s43
from lggkit.graph import label_variation, latent_geometry_graph
from lggkit.latents import latents
from lggkit.networks.blocks import ParsevalConv2d
from lggkit.study.context import StudyContext
from lggkit.training import OneCycle, Restart, TrainConfig

EXPERIMENT = s43.EXPERIMENT
TABLE = ("vanilla", "regularizer", "parseval", "both")


@pytest.fixture(scope="module")
def quick():
    return EXPERIMENT


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")


def network(context, arm, seed=0):
    return context.trained(EXPERIMENT.spec(arm, "smoke", seed)).eval()


def test_every_arm_gives_a_complete_record(records, quick):
    assert set(records) == {(s.arm, s.seed) for s in quick.specs("smoke")}
    assert {r.status for r in records.values()} == {"complete"}


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert isinstance(records[arm, 0].metrics[metric], float), (arm, metric)


def test_all_arms_of_a_seed_begin_with_the_same_weights(context):
    first, *others = (
        s43.build_network(EXPERIMENT.spec(arm, "smoke", 1), context).state_dict() for arm in TABLE
    )
    for other in others:
        assert all(torch.equal(value, other[name]) for name, value in first.items())


def test_parseval_networks_are_those_with_a_parseval_step(context):
    for arm in EXPERIMENT.arms:
        model = s43.build_network(EXPERIMENT.spec(arm.name, "smoke"), context)
        has = any(isinstance(module, ParsevalConv2d) for module in model.modules())
        assert has == (arm.name in ("parseval", "both"))


def test_accuracies_are_the_errors_said_otherwise(records):
    for record in records.values():
        metrics = record.metrics
        assert metrics["accuracy_clean"] == pytest.approx(100 - metrics["test_error"])
        for name in ("fgsm_before", "fgsm_after", "pgd", "strong", "gaussian", "dropout25", "5bit"):
            assert metrics[f"accuracy_{name}"] == pytest.approx(100 - metrics[f"error_{name}"])


def test_attacks_are_transferred_from_networks_of_the_same_seed(context, monkeypatch, quick):
    """Attacked images stand for the networks that they were made on, and mislead no other."""
    monkeypatch.setattr(robust_runs, "fgsm_direction", lambda model, *_: model)
    monkeypatch.setattr(robust_runs, "moved_along", lambda _, direction, snr: direction)
    wanted = []
    monkeypatch.setattr(robust_runs, "misled", lambda _, made_on, __: torch.tensor([made_on is wanted[-1]]))
    for name in ("_errors", "robustness_metrics", "geometry_metrics"):
        monkeypatch.setattr(robust_runs, name, lambda *_: {})
    monkeypatch.setattr(robust_runs, "robustness_tables", lambda answers, _: dict.fromkeys(answers))
    specs = [quick.spec(arm, "smoke", seed) for arm in TABLE for seed in (0, 1)]
    everyone = [*specs, quick.spec("augmented", "smoke")]
    results = dict(zip(everyone, context.trainings(everyone), strict=True))
    monkeypatch.setattr(context, "trainings", lambda asked: [results[spec] for spec in asked])
    for source in specs:
        wanted.append(results[source].model)
        for record in quick.measure(specs, context):
            own = record.metrics[f"transfer_from_{source.arm}"]
            assert own == (100.0 if record.seed == source.seed else 0.0)
    for arm in ("augmented", "vanilla"):
        (record,) = quick.measure([quick.spec(arm, "smoke")], context)
        assert ("transfer_from_regularizer" in record.metrics) == (arm == "vanilla")
        assert "transfer_from_vanilla" in record.metrics


def robustness(record):
    names = EXPERIMENT.protocols["smoke"].corruptions
    errors = {name: record.metrics[f"errors_{name}"] for name in names}
    return Robustness(record.metrics["clean_error"], errors)


def test_corruption_errors_are_over_the_plain_network_of_the_same_seed(records, context, bounds):
    settings, test = EXPERIMENT.protocols["smoke"], context.data("digits", train=False)
    for (_, seed), record in records.items():
        expected = robustness_metrics(robustness(record), robustness(records["vanilla", seed]))
        found = {name: value for name, value in record.metrics.items() if name in expected}
        assert found == {name: pytest.approx(value) for name, value in expected.items()}
        assert "mce" in found
    some = test.subset(range(settings.corruption_images))
    for place, severity in enumerate(settings.severities):
        images = corrupt(some.images, "contrast", severity) / 255
        found = records["both", 0].metrics["errors_contrast"][place]
        assert bounds.within(found, bounds.logits(network(context, "both"), images, some.labels))


@torch.no_grad()
def test_label_variation_is_measured_before_and_after_training(records, context):
    settings, test = EXPERIMENT.protocols["smoke"], context.data("digits", train=False)
    spec = EXPERIMENT.spec("regularizer", "smoke")
    untrained = s43.build_network(spec, context).eval()
    for model, name in ((network(context, "regularizer"), ""), (untrained, "_untrained")):
        values = []
        for place in range(settings.batches):
            part = slice(place * settings.graph_size, (place + 1) * settings.graph_size)
            maps = latents(model, test.images[part] / 255, list(model.relu_depths)).values()
            graphs = [latent_geometry_graph(x.flatten(1).double(), normalized=False) for x in maps]
            values.append([label_variation(a, test.labels[part], 2).item() for a in graphs])
        expected = torch.tensor(values)
        found = records["regularizer", 0].metrics[f"variation_by_depth{name}"]
        assert len(found) == 17 and found == pytest.approx(expected.mean(0).tolist(), rel=1e-3)
    steps = records["regularizer", 0].metrics["largest_variation_step"]
    assert steps > 0 and all(r.metrics["largest_variation_step"] > 0 for r in records.values())


def test_histograms_count_every_attacked_image(records):
    for record in records.values():
        for kind in ("logit", "input"):
            counts, edges = (record.metrics[f"{kind}_margin_{part}"] for part in ("histogram", "edges"))
            assert len(edges) == len(counts) + 1 and edges == sorted(edges)
            assert sum(counts) == EXPERIMENT.protocols["smoke"].attacked_images


def test_spectral_norms_are_followed_through_training(records):
    for record in records.values():
        largest, mean = (record.curves[f"spectral_norm_{which}"] for which in ("largest", "mean"))
        assert len(largest) == len(mean) == len(record.curves["test_epoch"]) == 1
        assert largest[0] >= mean[0] > 0


def test_one_run_alone_has_what_it_has_in_a_group_over_the_plain_network_of_its_seed(
    records, context, monkeypatch, quick
):
    def made_up(spec):
        scale = {"vanilla": 1.0, "parseval": 0.5}[spec.arm] * (1 + spec.seed)
        return Robustness(10 * scale, {"fog": (20 * scale, 40 * scale**2)})

    monkeypatch.setattr(robust_runs, "robustness_tables", lambda asked, _: {s: made_up(s) for s in asked})
    for seed in (0, 1):
        spec, plain = (quick.spec(arm, "smoke", seed) for arm in ("parseval", "vanilla"))
        (record,) = quick.measure([spec], context)
        expected = robustness_metrics(made_up(spec), made_up(plain))
        assert {name: record.metrics[name] for name in expected} == expected
        measured = records["parseval", seed]
        own = {name for name in measured.metrics if not name.startswith("errors_")}
        assert own - set(record.metrics) == set() and record.curves == measured.curves


def test_where_the_plain_network_diverged_the_rest_is_recorded(context, monkeypatch, quick):
    specs = [quick.spec(arm, "smoke") for arm in ("augmented", *TABLE)]
    results = dict(zip(specs, context.trainings(specs), strict=True))
    results[specs[1]] = dataclasses.replace(results[specs[1]], diverged="the loss was nan")
    monkeypatch.setattr(context, "trainings", lambda asked: [results[spec] for spec in asked])
    ours, theirs = quick.measure(specs[:2], context)
    assert ours.status == "complete" and "mce" not in ours.metrics
    assert "transfer_from_vanilla" not in ours.metrics and "mean_corrupted_error" in ours.metrics
    assert theirs.status == "diverged" and theirs.metrics == {}


def test_arms_trained_alike_go_in_lockstep_and_others_do_not(context, monkeypatch):
    calls = []

    def fake(models, data, config, **rest):
        calls.append((len(models), config.augment, len(rest["taps"]), rest["after_step"] is not None))
        return [object()] * len(models)

    monkeypatch.setattr(s43, "train_many", fake)
    s43.train_networks([EXPERIMENT.spec(arm, "smoke", s) for arm in TABLE for s in (0, 1)], context)
    assert calls == [(2, False, 0, False), (2, False, 17, False), (2, False, 0, True), (2, False, 17, True)]
    calls.clear()
    arms = ("augmented", "regularizer_augmented", "regularizer_m1", "regularizer_m3", "adversarial")
    s43.train_networks([EXPERIMENT.spec(arm, "smoke") for arm in arms], context)
    assert calls == [(1, True, 0, False), (1, True, 17, False), (2, False, 17, False), (1, False, 0, False)]


def test_the_papers_protocol_is_that_of_its_code():
    paper = {arm.name: EXPERIMENT.spec(arm.name, "paper").protocol for arm in EXPERIMENT.arms}
    plain = paper["vanilla"]
    assert plain.own_training == TrainConfig(
        epochs=100,
        batch_size=100,
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=5e-4,
        augment=False,
        flip=False,
        schedule=Restart(milestones=(50,), gamma=0.01),
    )
    assert (plain.network, plain.width, plain.defense) == ("preact_resnet18", 64, Defense())
    assert paper["regularizer"].defense == Defense(regularizer=1e-4, power=2, reduction="mean")
    assert paper["parseval"].defense == Defense(parseval=0.01)
    assert paper["both"].defense == Defense(regularizer=1e-4, parseval=0.01)
    assert all(p.own_training.augment == ("augmented" in name) for name, p in paper.items())
    assert (robust_runs.SNR, robust_runs.NOISE, robust_runs.DROPOUTS, robust_runs.BITS) == (
        33,
        0.1,
        (25, 40),
        5,
    )
    assert (plain.attacked_images, plain.corruption_images, plain.pgd_steps) == (None, None, 20)
    assert (plain.corruptions, plain.severities) == (CORRUPTIONS, SEVERITIES)


def test_reduced_is_a_narrower_network_on_a_shorter_schedule():
    reduced = EXPERIMENT.spec("vanilla", "reduced").protocol
    assert (reduced.data_name, reduced.network, reduced.width) == ("cifar10", "preact_resnet18", 8)
    assert reduced.own_training.schedule == OneCycle() and reduced.corruption_images == 1000
    assert {EXPERIMENT.seed_count(EXPERIMENT.arm(arm), "reduced") for arm in TABLE} == {3}
