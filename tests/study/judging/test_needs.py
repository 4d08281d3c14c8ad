"""Networks that need others, as guide or as start: each is trained once, after what it needs."""

from dataclasses import replace

import pytest

from lggkit.experiments.networks import Guide
from lggkit.experiments.recipes.distillation import Distillation, Distilled


def distilled(tiny, seed=0):
    """A student of the tiny network of a seed."""
    recipe = Distilled(guide=Guide(tiny, seed, ("output",)), losses=Distillation(hinton=1.0))
    return replace(tiny, recipe=recipe)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_network_and_what_it_needs_may_be_wished_for_at_once(context, trained, tiny, order):
    """A guide, a student of it, and the student tuned further: each is trained once, after what it needs."""
    student = distilled(tiny)
    tuned = replace(tiny, start=student)
    wishes = [(tiny, 0), (student, 1), (tuned, 1)]
    results = context.networks([wishes[place] for place in order])
    assert [r.key for r in results] == [wishes[place][0].key(wishes[place][1]) for place in order]
    assert [line.key for line in context.trainings.lines()] == [net.key(seed) for net, seed in wishes]


def test_what_a_network_needs_is_trained_and_kept_too(context, tiny):
    tuned = replace(tiny, start=distilled(tiny), start_seed=5)
    assert tuned.needs(1) == [(distilled(tiny), 5)] and distilled(tiny).needs(1) == [(tiny, 0)]
    assert tiny.needs(3) == [] and replace(tiny, start=tiny).needs(3) == [(tiny, 3)]
    context.networks([(tuned, 1)])
    assert [line.seed for line in context.trainings.lines()] == [0, 5, 1]


def test_a_network_whose_guide_diverged_diverges(context, wild, tiny):
    student = replace(tiny, recipe=distilled(wild).recipe)
    guide, lost = context.networks([(wild, 0), (student, 0)])
    assert guide.diverged and lost.diverged
