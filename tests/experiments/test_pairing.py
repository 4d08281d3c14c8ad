"""A seed's arms are trained in the precision of its first arm, or of their guide."""

import dataclasses

import pytest

from lggkit.experiments import lockstep
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe
from lggkit.experiments.recipes.distillation import Distillation, Distilled
from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext
from lggkit.training import TrainConfig, processor

OPEN = TrainConfig(epochs=1, batch_size=512, augment=False, precision="auto")
SMALL = Network(Images("digits"), Architecture("small_net", (("width", 4),)), OPEN)
OTHER = dataclasses.replace(SMALL, architecture=Architecture("small_net", (("width", 5),)))


@pytest.fixture
def context(tmp_path):
    return StudyContext(weights=tmp_path / "w", trainings=NetworkLedger(tmp_path / "networks.jsonl"))


@pytest.fixture
def told(monkeypatch):
    """The precisions that trainings were told, in order; a test says what a trial would choose."""
    told, trials = [], {"chosen": "bfloat16", "count": 0}
    train_many = lockstep.train_many

    def noting(*arguments, **given):
        told.append(given["precision"])
        return train_many(*arguments, **given)

    def trial(run):
        trials["count"] += 1
        return run.path.computed_in(processor.DTYPES[trials["chosen"]], "tried")

    monkeypatch.setattr(lockstep, "train_many", noting)
    monkeypatch.setattr("lggkit.training.begin.try_bfloat16", trial)
    return told, trials


@pytest.mark.parametrize("chosen", ["float32", "bfloat16"])
def test_arms_follow_the_first_of_their_seed_also_in_another_process(context, told, chosen):
    asked, trials = told
    trials["chosen"] = chosen
    context.networks([(SMALL, 0)])
    trials["chosen"] = {"float32": "bfloat16", "bfloat16": "float32"}[chosen]
    longer = dataclasses.replace(OTHER, schedule=dataclasses.replace(OPEN, epochs=2))
    again = StudyContext(weights=context.weights, trainings=context.trainings)
    results = again.networks([(OTHER, 0), (longer, 0), (OTHER, 1), (SMALL, 1)])
    assert [result.precision for result in results[:2]] == [chosen] * 2
    assert {result.precision for result in results[2:]} == {trials["chosen"]}
    assert trials["count"] == 2 and asked == [None, chosen, None, chosen]
    assert {line.precision for line in again.trainings.lines() if line.seed == 0} == {chosen}


def test_other_images_and_other_schedules_are_no_pair(context, told):
    _, trials = told
    context.networks([(SMALL, 0)])
    trials["chosen"] = "float32"
    fewer = dataclasses.replace(SMALL, images=Images("digits", classes_kept=3))
    slower = dataclasses.replace(SMALL, schedule=dataclasses.replace(OPEN, learning_rate=0.01))
    results = context.networks([(fewer, 0), (slower, 0), (OTHER, 0)])
    assert [result.precision for result in results] == ["float32", "float32", "bfloat16"]


def test_arms_that_are_augmented_follow_those_that_are_not(context, told):
    _, trials = told
    context.networks([(SMALL, 0)])
    trials["chosen"] = "float32"
    augmented = dataclasses.replace(SMALL, schedule=dataclasses.replace(OPEN, augment=True, pad=1))
    context.networks([(augmented, 0), (augmented, 1)])
    assert [line.precision for line in context.trainings.lines()] == ["bfloat16", "bfloat16", "float32"]


def test_of_several_that_are_paired_the_most_alike_is_followed(context, told):
    _, trials = told
    bright = dataclasses.replace(SMALL, schedule=dataclasses.replace(OPEN, augment=True, pad=1))
    for network, chosen in ((bright, "float32"), (OTHER, "bfloat16")):
        trials["chosen"] = chosen
        lines = NetworkLedger(context.trainings.path.with_name(f"{chosen}.jsonl"))
        StudyContext(weights=context.weights, trainings=lines).networks([(network, 0)])
        context.trainings.merge(lines)
    longer = dataclasses.replace(bright, schedule=dataclasses.replace(bright.schedule, epochs=3))
    wide = dataclasses.replace(OTHER, schedule=dataclasses.replace(OPEN, epochs=3))
    assert context.precision_of(longer, 0) == "float32" and context.precision_of(wide, 0) == "bfloat16"


def test_what_is_trained_in_one_call_is_paired_without_a_ledger(tmp_path, told):
    longer = dataclasses.replace(OTHER, schedule=dataclasses.replace(OPEN, epochs=2))
    results = StudyContext(weights=tmp_path).networks([(SMALL, 0), (longer, 0)])
    assert [result.precision for result in results] == ["bfloat16"] * 2
    assert told[0] == [None, "bfloat16"]


def test_students_and_the_baseline_beside_them_share_the_precision_of_their_guide(context, told):
    _, trials = told
    guide = Guide(SMALL, 7, ("middle", "output"), "auto")
    recipe = Distilled(guide=guide, losses=Distillation(rkd_distance=1.0), layers=("middle",))
    student = dataclasses.replace(OTHER, recipe=recipe)
    alone = dataclasses.replace(OTHER, recipe=Distilled())
    context.networks([(SMALL, 7)])
    trials["chosen"] = "float32"
    results = context.networks([(alone, 0), (student, 0)])
    assert [result.precision for result in results] == ["bfloat16"] * 2 and trials["count"] == 1
    (teacher,) = lockstep._guides([(student, 0)], context).values()
    assert teacher.precision == "bfloat16"


def test_a_guide_is_computed_as_it_says_where_it_says_so(context, told):
    recipe = Recipe(guide=Guide(SMALL, 7, ("output",), "float32"))
    (teacher,) = lockstep._guides([(dataclasses.replace(OTHER, recipe=recipe), 0)], context).values()
    assert teacher.precision == "float32"


def test_a_precision_that_is_asked_for_is_not_looked_up(context, told):
    fixed = dataclasses.replace(SMALL, schedule=dataclasses.replace(OPEN, precision="float32"))
    context.networks([(SMALL, 0)])
    assert context.networks([(fixed, 0)])[0].precision == "float32" and told[0] == [None, None]
