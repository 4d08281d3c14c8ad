import dataclasses

import pytest
import torch
import torch.nn.functional as F

from lggkit.experiments.distilling import METHODS, Distillation
from lggkit.experiments.lgg import s41_distillation as s41
from lggkit.networks import parameter_count
from lggkit.objectives import gkd, rkd_distance
from lggkit.study.context import StudyContext
from lggkit.training import TrainConfig

EXPERIMENT = s41.EXPERIMENT
LAYERS = ("stage1", "middle", "penultimate")


@pytest.fixture(scope="module")
def quick():
    """The smoke protocol on larger batches, a seed an arm but for the table's students."""
    training = TrainConfig(epochs=1, batch_size=256, learning_rate=0.05, augment=False)
    smoke = dataclasses.replace(s41.SMOKE, training=training, teacher_training=training, draws=2, batches=1)
    arms = tuple(
        dataclasses.replace(a, seeds={"smoke": 2 if a.name in ("gkd", "baseline") else 1})
        for a in s41.EXPERIMENT.arms
    )
    return dataclasses.replace(EXPERIMENT, protocols=EXPERIMENT.protocols | {"smoke": smoke}, arms=arms)


@pytest.fixture(scope="module")
def context(tmp_path_factory, quick):
    patch = pytest.MonkeyPatch()
    patch.setattr(s41, "EXPERIMENT", quick)
    patch.setattr("lggkit.experiments.get", lambda name: quick)
    yield StudyContext(weights=tmp_path_factory.mktemp("weights"), commit="test")
    patch.undo()


def test_every_arm_gives_a_complete_record(records, quick):
    assert set(records) == {(s.arm, s.seed) for s in quick.specs("smoke")}
    assert {r.status for r in records.values()} == {"complete"}
    precisions = {arm: r.precision for (arm, _), r in records.items()}
    assert precisions.pop("baseline_bfloat16") == "bfloat16" and set(precisions.values()) == {"float32"}


def test_everything_that_cells_and_claims_compare_is_measured(records, compared):
    for arm, metric in compared(EXPERIMENT.name):
        assert metric in records[arm, 0].metrics, (arm, metric)


def test_gains_are_over_the_baseline_of_the_same_seed(records):
    for (_, seed), record in records.items():
        if "gain" in record.metrics:
            gain = records["baseline", seed].metrics["test_error"] - record.metrics["test_error"]
            assert record.metrics["gain"] == pytest.approx(gain)
            assert record.metrics["gain_doubled"] == pytest.approx(2 * gain)
    assert records["baseline", 0].metrics["gain"] == 0


def test_all_students_share_the_teacher_of_seed_0_but_for_the_second_block(quick, context, monkeypatch):
    """Answers are made up: of those asked for each student, the last are its teacher's."""
    for spec in quick.specs("smoke"):
        second = spec.arm.endswith("teacher1")
        assert s41.teacher_of(spec) == quick.spec("teacher", "smoke", 1 if second else 0)
    monkeypatch.setattr(s41, "against_others", lambda *answers: {"asked": answers[:3]})
    monkeypatch.setattr(s41, "distances_to_teacher", lambda *_: {})
    for arm in ("gkd", "gkd_teacher1"):
        spec = quick.spec(arm, "smoke")
        student = context.trained(spec)
        found = s41._of_student(spec, student, lambda asked: asked, context)["asked"]
        assert found == (spec, quick.spec("baseline", "smoke"), s41.teacher_of(spec))


def test_every_method_trains_another_network(records, context, quick):
    """A loss that does not reach the student would leave it equal to the baseline."""

    def weights(arm):
        return torch.cat(
            [p.detach().flatten() for p in context.trained(quick.spec(arm, "smoke")).parameters()]
        )

    found = {arm.name: weights(arm.name) for arm in quick.arms if arm.name != "teacher"}
    names = list(found)
    same = {(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if torch.equal(found[a], found[b])}
    assert same == set()


def test_students_trained_in_a_group_are_those_trained_alone(quick, context, tmp_path, records):
    alone = StudyContext(weights=tmp_path, commit="test")
    spec = quick.spec("gkd", "smoke", seed=1)
    (record,) = s41.measure([spec], alone)
    theirs = dict(context.trained(spec).named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in alone.trained(spec).named_parameters())
    assert record.metrics.keys() == records["gkd", 1].metrics.keys()


@pytest.mark.parametrize(("scale", "parameters", "macs"), [("paper", 25.5, 26.9), ("reduced", 25.5, 26.9)])
def test_the_student_has_the_size_that_the_authors_code_gives(scale, parameters, macs):
    from lggkit.evaluation.cost import relative_cost
    from lggkit.networks import build

    settings = EXPERIMENT.protocols[scale]
    student, teacher = (build(settings.network, widen=w) for w in (settings.size, settings.teacher_size))
    cost = relative_cost(student, teacher, (3, 32, 32))
    assert (round(cost["relative_parameters"], 1), round(cost["relative_macs"], 1)) == (parameters, macs)
    assert cost["parameters"] == parameter_count(student) == 94_154


def test_the_papers_protocol_is_that_of_the_authors_code():
    for arm in ("teacher", "gkd"):
        training = EXPERIMENT.spec(arm, "paper").protocol.own_training
        assert (training.epochs, training.batch_size, training.learning_rate) == (200, 128, 0.1)
        assert (training.schedule.milestones, training.schedule.gamma) == ((60, 120, 160), 0.2)
        assert (training.momentum, training.nesterov, training.weight_decay) == (0.9, False, 5e-4)
    assert EXPERIMENT.spec("gkd", "paper").protocol.distillation == Distillation(gkd=25.0)
    assert EXPERIMENT.spec("rkd_d", "paper").protocol.distillation == Distillation(rkd_distance=25.0)


@pytest.fixture
def latents():
    source = torch.Generator().manual_seed(0)
    student = {name: torch.rand(12, d, generator=source) for name, d in zip(LAYERS, (8, 6, 4), strict=True)}
    teacher = {name: torch.rand(12, 2 * x.shape[1], generator=source) for name, x in student.items()}
    logits = torch.randn(12, 3, generator=source)
    teacher["output"] = torch.randn(12, 3, generator=source)
    return student, logits, teacher, torch.arange(12) % 3


def test_distillation_losses_add_up_with_their_weights(latents):
    parts = {name: Distillation(**{name: 1.0}).loss(*latents, LAYERS) for name in METHODS}
    assert len({round(float(value), 6) for value in parts.values()}) == len(METHODS)
    weights = dict(zip(METHODS, (2.0, 3.0, 5.0, 7.0, 11.0), strict=True))
    total = sum(weight * parts[name] for name, weight in weights.items())
    torch.testing.assert_close(Distillation(**weights).loss(*latents, LAYERS), total)


def test_options_reach_the_graphs(latents):
    student, logits, teacher, labels = latents
    ours, theirs = ([x[name] for name in LAYERS] for x in (student, teacher))
    for options in ({"k": 3}, {"k": 3, "order": "normalize-first"}, {"normalized": False}, {"exponent": 2}):
        found = Distillation(gkd=1.0, **options).loss(student, logits, teacher, labels, LAYERS)
        torch.testing.assert_close(found, gkd(ours, theirs, **options))
    inter = Distillation(gkd=1.0, edges="inter").loss(student, logits, teacher, labels, LAYERS)
    torch.testing.assert_close(inter, gkd(ours, theirs, edges="inter", labels=labels))


def test_the_objective_is_cross_entropy_plus_the_losses(latents):
    student, logits, teacher, labels = latents
    asked = []
    objective = Distillation(rkd_distance=25.0).objective(
        lambda batch: asked.append(batch) or teacher, LAYERS
    )
    expected = F.cross_entropy(logits, labels) + 25 * rkd_distance(
        [student[name] for name in LAYERS], [teacher[name] for name in LAYERS]
    )
    torch.testing.assert_close(objective(student, logits, labels, batch="it"), expected)
    assert asked == ["it"]
    assert Distillation().weights == {}
