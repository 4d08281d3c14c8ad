import dataclasses

import pytest
import torch

from lggkit.evaluation import consistency, predict
from lggkit.evaluation.cost import relative_cost
from lggkit.experiments import lockstep
from lggkit.experiments.lgg.s41_distillation import EXPERIMENT
from lggkit.experiments.recipes.distillation import Distillation
from lggkit.networks import build, parameter_count
from lggkit.study.judging.derived import with_derived
from lggkit.study.running.context import StudyContext

STUDENTS = [arm.name for arm in EXPERIMENT.arms if arm.name != "teacher"]


def test_only_one_arm_is_trained_in_another_precision(records):
    precisions = {arm: r.precision for (arm, _), r in records.items()}
    assert precisions.pop("baseline_bfloat16") == "bfloat16" and set(precisions.values()) == {"float32"}


def test_students_gain_over_the_baseline_of_the_same_seed_and_teachers_do_not(section, records):
    for record in with_derived(section.experiment, records.values()):
        if record.arm == "teacher":
            assert "gain" not in record.metrics
        else:
            baseline = records["baseline", record.seed].metrics["test_error"]
            assert record.metrics["gain"] == pytest.approx(baseline - record.metrics["test_error"])
            assert record.metrics["gain_doubled"] == pytest.approx(2 * record.metrics["gain"])
    assert {seed for arm, seed in records if arm == "gkd"} == {0, 1}


def test_all_students_share_the_teacher_of_seed_0_but_for_the_second_block(section, records):
    teacher = section.spec("teacher").protocol.description
    for spec in map(section.spec, STUDENTS):
        settings = spec.protocol
        assert settings.teacher.description == teacher
        assert settings.teacher_seed == (1 if spec.arm.endswith("teacher1") else 0)
        guide = getattr(settings.description.recipe, "guide", None)
        if spec.arm.startswith("baseline"):
            assert guide is None
        else:
            assert (guide.network, guide.seed) == (teacher, settings.teacher_seed)
            assert guide.depths == (*settings.layers, "output")


@pytest.mark.parametrize("arm", ["gkd", "gkd_teacher1", "baseline"])
def test_agreement_is_with_the_students_own_teacher(section, records, arm):
    settings, test = section.spec(arm).protocol, section.context.data("digits", train=False)
    teacher = section.context.network(settings.teacher.description, settings.teacher_seed)
    ours, theirs = (predict(model, test.images) for model in (section.network(arm), teacher))
    metrics = records[arm, 0].metrics
    assert metrics["consistency"] == consistency(ours, theirs, test.labels).overall
    wrong = (theirs.argmax(1) if theirs.dim() > 1 else theirs) != test.labels
    assert metrics["teacher_error"] == pytest.approx(100 * wrong.double().mean().item())


def test_every_method_trains_another_network(section):
    """A loss that does not reach the student would leave it equal to the baseline."""
    weights = [
        torch.cat([p.detach().flatten() for p in section.network(arm).parameters()]) for arm in STUDENTS
    ]
    assert not any(torch.equal(a, b) for i, a in enumerate(weights) for b in weights[:i])


def test_students_trained_in_a_group_are_those_trained_alone(section, tmp_path):
    alone = StudyContext(weights=tmp_path, commit="test")
    description = section.spec("gkd").protocol.description
    theirs = dict(section.network("gkd", 1).named_parameters())
    assert all(torch.equal(p, theirs[n]) for n, p in alone.network(description, 1).named_parameters())


def test_a_teacher_is_trained_beside_students_that_need_none(tmp_path, monkeypatch):
    calls, plain = [], lockstep.train_many

    def counted(models, *arguments, **settings):
        calls.append(len(models))
        return plain(models, *arguments, **settings)

    monkeypatch.setattr(lockstep, "train_many", counted)
    specs = [*EXPERIMENT.specs("smoke", "baseline")[:2], *EXPERIMENT.specs("smoke", "gkd")[:1]]
    alike = {"teacher_training": specs[0].protocol.training}
    specs = [dataclasses.replace(one, protocol=dataclasses.replace(one.protocol, **alike)) for one in specs]
    assert len(list(EXPERIMENT.measure(specs, StudyContext(weights=tmp_path, commit="test")))) == 3
    assert calls == [3, 1]


def test_students_of_a_teacher_that_diverged_are_recorded_without_agreement(section, tmp_path):
    """Nothing of a teacher whose answers are no numbers enters a record."""
    settings = section.experiment.protocols["smoke"]
    wild = dataclasses.replace(settings.teacher_training, learning_rate=1e30)
    protocol = dataclasses.replace(settings, teacher_training=wild)
    experiment = dataclasses.replace(section.experiment, protocols={"smoke": protocol})
    context = StudyContext(weights=tmp_path, commit="test")
    specs = [experiment.spec(arm, "smoke") for arm in ("teacher", "baseline", "gkd")]
    teacher, baseline, student = experiment.measure(specs, context)
    assert teacher.status == student.status == "diverged" and student.reason
    assert baseline.status == "complete" and "test_error" in baseline.metrics
    assert not {"consistency", "teacher_error", "graph_distance"} & baseline.metrics.keys()


@pytest.mark.parametrize("scale", ["paper", "reduced", "short"])
def test_the_student_has_the_size_that_the_authors_code_gives(scale):
    settings = EXPERIMENT.protocols[scale]
    student, teacher = (build(settings.network, widen=w) for w in (settings.size, settings.teacher_size))
    cost = relative_cost(student, teacher, (3, 32, 32))
    assert (round(cost["relative_parameters"], 1), round(cost["relative_macs"], 1)) == (25.5, 26.9)
    assert cost["parameters"] == parameter_count(student) == 94_154


def test_the_papers_protocol_is_that_of_the_authors_code():
    for arm in ("teacher", "gkd"):
        training = EXPERIMENT.spec(arm, "paper").protocol.own_training
        assert (training.epochs, training.batch_size, training.learning_rate) == (200, 128, 0.1)
        assert (training.schedule.milestones, training.schedule.gamma) == ((60, 120, 160), 0.2)
        assert (training.momentum, training.nesterov, training.weight_decay) == (0.9, False, 5e-4)
    assert EXPERIMENT.spec("gkd", "paper").protocol.distillation == Distillation(gkd=25.0)
    assert EXPERIMENT.spec("rkd_d", "paper").protocol.distillation == Distillation(rkd_distance=25.0)
