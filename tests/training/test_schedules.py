import math
from dataclasses import asdict

import numpy as np
import pytest

from lggkit.training import Cosine, MultiStep, OneCycle, Restart, Schedule, TrainConfig


def test_multi_step_falls_at_the_first_step_of_each_milestone():
    config = TrainConfig(epochs=200, learning_rate=0.1, schedule=MultiStep((60, 120, 160), 0.2))
    rates = {step: config.rate(step, 391) for step in (0, 60 * 391 - 1, 60 * 391, 120 * 391, 199 * 391)}
    assert list(rates.values()) == pytest.approx([0.1, 0.1, 0.02, 0.004, 0.0008])


def test_the_robustness_protocol_is_a_restart():
    schedule = Restart((50,), 0.01)
    assert schedule.restarts == (50,)
    assert [schedule.factor(epoch, 100) for epoch in (0, 49.99, 50, 99)] == [1, 1, 0.01, 0.01]
    assert MultiStep((50,)).restarts == () == Schedule().restarts


def test_one_cycle_rises_and_falls_linearly():
    schedule = OneCycle(warmup=0.25, start=0.2, final=0.1)
    assert [schedule.factor(epoch, 8) for epoch in (0, 1, 2, 5, 8)] == pytest.approx([0.2, 0.6, 1, 0.55, 0.1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MultiStep((3, 2)),
        lambda: MultiStep((0,)),
        lambda: MultiStep(()),
        lambda: MultiStep((2,), gamma=0.0),
        lambda: OneCycle(warmup=0.0),
        lambda: OneCycle(start=1.5),
    ],
)
def test_schedules_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="give"):
        wrong()


def test_a_schedule_keeps_its_name_as_a_dictionary():
    assert asdict(OneCycle())["kind"] == "one-cycle"
    assert asdict(TrainConfig(epochs=60, schedule=Restart()))["schedule"]["kind"] == "restart"


@pytest.mark.parametrize(
    ("kind", "settings", "named"),
    [
        (MultiStep, {"gamma": math.nan}, "gamma is nan"),
        (MultiStep, {"gamma": math.inf}, "gamma is inf"),
        (MultiStep, {"gamma": "0.2"}, "gamma is '0.2'"),
        (MultiStep, {"milestones": (math.nan,)}, "milestones are .nan"),
        (MultiStep, {"milestones": 60}, "milestones are 60"),
        (MultiStep, {"milestones": "60"}, "milestones are 60"),
        (MultiStep, {"milestones": None}, "milestones are None"),
        (Restart, {"milestones": (1.5,)}, "milestones are .1.5,.; give increasing whole epochs"),
        (OneCycle, {"warmup": math.nan}, "warmup is nan"),
        (OneCycle, {"start": -math.inf}, "start is -inf"),
        (OneCycle, {"final": None}, "final is None"),
    ],
    ids=str,
)
def test_numbers_that_are_none_are_named(kind, settings, named):
    with pytest.raises(ValueError, match=named):
        kind(**settings)


def test_milestones_become_plain_integers():
    assert MultiStep(np.array([1, 3])) == MultiStep([1, 3]) == MultiStep((1, 3))
    assert all(type(m) is int for m in MultiStep(np.array([1, 3])).milestones)


def test_a_cosine_falls_from_one_to_nothing_an_epoch_at_a_time():
    factors = [Cosine().factor(epoch, 4) for epoch in (0, 0.9, 2, 3.5)]
    assert factors == pytest.approx([1, 1, 0.5, (1 - 0.5**0.5) / 2])
