"""What is seen of networks while they train: kept with them, whole after a kill, each observer's own."""

import contextlib
import math
from dataclasses import replace

import pytest
import torch

from lggkit.experiments.lockstep import Observer
from lggkit.study.running.context import StudyContext
from lggkit.training.pace import OutOfTime, until


class Looking:
    """An observer's look that counts, and stops everything at the look of a number."""

    def __init__(self, stop_at=None):
        self.networks, self.stop_at = [], stop_at

    def __call__(self, network, model):
        self.networks.append(network)
        if len(self.networks) == self.stop_at:
            raise KeyboardInterrupt
        bias = model.state_dict()["model.classifier.bias"]
        return {"bias": bias.clone(), "size": float(bias.norm())}


@pytest.fixture
def longer(tiny):
    return replace(tiny, schedule=replace(tiny.schedule, epochs=4))


def frames(result):
    return torch.stack(result.seen["bias"]).tolist()


def test_what_is_seen_is_kept_with_the_network(context, trained, longer):
    look = Looking()
    observer = Observer("biases", look, (0, 2, 4))
    (seen,) = context.networks([(longer, 0)], observer)
    assert look.networks == [longer] * 3 and len(frames(seen)) == 3
    assert frames(seen)[-1] == seen.model.state_dict()["model.classifier.bias"].tolist()
    assert frames(seen)[0] == longer.untrained(0, context).state_dict()["model.classifier.bias"].tolist()
    assert seen.curves["test_epoch"] == [0, 2, 4]
    assert seen.curves["size"] == pytest.approx([torch.tensor(f).norm().item() for f in frames(seen)])
    (again,) = StudyContext(weights=context.weights).networks([(longer, 0)], observer)
    assert (frames(again), again.curves) == (frames(seen), seen.curves) and len(look.networks) == 3
    assert trained() == [0]


def test_looking_changes_no_weight(context, tmp_path, longer):
    (seen,) = context.networks([(longer, 0)], Observer("biases", Looking(), (0, 1, 2, 3, 4)))
    blind = StudyContext(weights=tmp_path / "blind").network(longer, 0)
    theirs = blind.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in seen.model.state_dict().items())


def test_each_network_of_a_group_is_told_apart(context, longer):
    other = replace(longer, schedule=replace(longer.schedule, weight_decay=0.0))
    look = Looking()
    results = context.networks([(longer, 0), (longer, 1), (other, 0)], Observer("biases", look, (0, 4)))
    assert sorted(map(look.networks.count, (longer, other))) == [2, 4]
    for result in results:
        assert frames(result)[-1] == result.model.state_dict()["model.classifier.bias"].tolist()


@pytest.mark.parametrize("stop_at", [2, 3, 4])
def test_a_network_killed_between_two_looks_has_seen_the_same(context, tmp_path, longer, stop_at):
    epochs = (0, 1, 2, 3, 4)
    (whole,) = StudyContext(weights=tmp_path / "whole").networks(
        [(longer, 0)], Observer("biases", Looking(), epochs)
    )
    with pytest.raises(KeyboardInterrupt):
        context.networks([(longer, 0)], Observer("biases", Looking(stop_at), epochs))
    assert not list(context.weights.glob("*.pt"))
    (again,) = context.networks([(longer, 0)], Observer("biases", Looking(), epochs))
    assert frames(again) == frames(whole) and again.curves == whole.curves


def test_a_training_goes_on_from_its_checkpoint_with_what_was_seen(context, tmp_path, longer):
    """The budget is spent after the first steps; the second run ends what the first began."""
    epochs, look = (0, 1, 2, 3, 4), Looking()
    (whole,) = StudyContext(weights=tmp_path / "whole").networks(
        [(longer, 0)], Observer("biases", Looking(), epochs)
    )

    class Spending(Looking):
        def __call__(self, network, model):
            frame = super().__call__(network, model)
            if len(self.networks) == 3:
                stack.enter_context(until(-math.inf))
            return frame

    with contextlib.ExitStack() as stack, pytest.raises(OutOfTime):
        context.networks([(longer, 0)], Observer("biases", Spending(), epochs))
    assert len(list(context.checkpoints.glob("*.pt"))) == 1
    (again,) = context.networks([(longer, 0)], Observer("biases", look, epochs))
    assert len(look.networks) == 2, "three looks were in the checkpoint"
    assert frames(again) == frames(whole) and again.curves == whole.curves


@pytest.mark.parametrize("change", [{"name": "others"}, {"epochs": (0, 4)}])
def test_another_observer_sees_for_itself(context, trained, longer, change):
    first, second = Observer("biases", Looking(), (0, 2)), Observer("biases", Looking(), (0, 2))
    second = replace(second, **change)
    seen = context.networks([(longer, 0)], first)[0]
    other = context.networks([(longer, 0)], second)[0]
    assert other.curves["test_epoch"] == list(second.epochs) and len(second.look.networks) == 2
    assert seen.curves["test_epoch"] == [0, 2] and trained() == [0, 0]
    back = context.networks([(longer, 0)], first)[0]
    assert frames(back) == frames(seen) and back.curves == seen.curves


def test_a_network_that_nobody_saw_is_trained_again_for_an_observer_and_then_serves_both(
    context, trained, longer
):
    (blind,) = context.networks([(longer, 0)])
    assert blind.seen == {}
    observer = Observer("biases", Looking(), (0, 4))
    (seen,) = context.networks([(longer, 0)], observer)
    assert len(frames(seen)) == 2 and trained() == [0, 0]
    (again,) = context.networks([(longer, 0)])
    assert trained() == [0, 0]
    theirs = again.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in blind.model.state_dict().items())
