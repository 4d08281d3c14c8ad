"""Gates, marks and seeds of claims: their language, and what is entered for every claim."""

import pytest

from lggkit import experiments
from lggkit.study.entered.gates import Condition, parse_gate
from lggkit.study.entered.paper import claims
from lggkit.study.entered.papers import papers
from lggkit.study.judging.scorecard import judged_claims

UNTRAINED = {"exact", "solvers", "timing"}
MINUTES = {"geometries_of_learning/a05_schubert_best_fit"}
"""Sections that train nothing, or what a processor trains in seconds, from the beginning to the end."""
APART = {("graph_smoothness_loss", "4"), ("graph_smoothness_loss", "8b")}


def every():
    """All claims of all papers by paper/id."""
    return {f"{one.name}/{claim.id}": claim for one in papers() for claim in claims(one.name)}


def test_a_gate_is_conditions_joined_by_semicolons():
    assert parse_gate("") == parse_gate("  ") == ()
    assert parse_gate("alpha0.5-cifar10:progress>=0.8 ; base:test_error <= 2e1") == (
        Condition("alpha0.5-cifar10", "progress", ">=", 0.8),
        Condition("base", "test_error", "<=", 20.0),
    )


@pytest.mark.parametrize(
    "text",
    [
        *("base", "base:error", "base:error<15", "base:error=15", "base:error<=", "error<=15", ":error<=15"),
        *("base:error<=nan", "base:error<=1e999", "base:error<=1,5", "base:<=15", "base:error<=15;"),
        *(";", "base:error<=15,ours:error<=15", "base:error<=15\nours:error<=1", "base:error<=15 %"),
        *("base:error<=15;base:error<=16", "base:error<=15; base:error <= 15"),
    ],
)
def test_what_is_no_gate_is_refused_in_one_sentence(text):
    with pytest.raises(ValueError, match=r"^gate ") as refusal:
        parse_gate(text)
    assert "; keep one" in str(refusal.value) or "write arm:metric<=number" in str(refusal.value)


IN_MINUTES = ("geometries_of_learning", "relative_representations")
"""Papers whose networks, where there are any, train in minutes at the scale of the paper."""


def test_claims_about_trained_networks_have_a_gate_and_no_others():
    """Identities, untrained things and clocks have none; 8b of paper 2 speaks of random weights."""
    for claim in (claim for claim in every().values() if claim.paper not in IN_MINUTES):
        arms = {side.partition(":")[0] for side in (claim.left, claim.right) if side}
        untrained = (claim.paper, claim.number) in APART or arms <= UNTRAINED or not claim.experiment
        untrained = untrained or claim.experiment in MINUTES
        assert bool(claim.gate) != untrained, claim.id


def test_gates_ask_for_arms_of_the_section_where_it_is_written():
    known = {one.name: {arm.name for arm in one.arms} for one in experiments.all_experiments()}
    for claim in every().values():
        for condition in claim.gate if claim.experiment in known else ():
            assert condition.arm in known[claim.experiment], claim.id


def interval_of(claim):
    (judged,) = (one for one in judged_claims(claim.paper) if one.claim.id == claim.id)
    return judged.interval


def test_what_is_shared_is_the_same_measurement():
    """A shared claim is another of the same kind, metric and margin, which shares nothing itself.

    Its sides are the same, or arms in which the same was recorded.
    """
    known = every()
    sharing = [claim for claim in known.values() if claim.shares]
    assert {claim.number for claim in sharing} == {"12", "13", "13a", "13b", "14", "a03-r9a"}
    for claim in sharing:
        other = known[claim.shares]
        assert not other.shares and other.experiment == claim.experiment
        if claim.kind != "all_of":
            names = ("kind", "metric", "margin", "direction")
            assert all(getattr(claim, name) == getattr(other, name) for name in names), claim.id
            same = (claim.left, claim.right) == (other.left, other.right)
            assert same or interval_of(claim) == interval_of(other), claim.id


def test_what_was_added_after_a_run_is_marked():
    marked = {(claim.paper, claim.number) for claim in every().values() if claim.after_run}
    trial = {c for c in marked if c[1].startswith("a05-")}
    rules = {(c.paper, c.number) for c in every().values() if c.kind != "exact"}
    assert trial == {c for c in rules if c[1].startswith("a05-")}
    ours = {("geometries_of_learning", f"a06-r{number}") for number in (4, 5, 6, 9)}
    ours |= {("relative_representations", "3a")}
    ours |= {("geometries_of_learning", f"a04-7{part}") for part in "bcd"}
    ours |= {(c.paper, c.number) for c in every().values() if "-digits" in c.left and "/a01_" in c.experiment}
    assert marked - trial - ours == {("lgg", number) for number in ("17e", "17f", "19e", "19f")}


def test_seeds_are_those_of_the_rule():
    """Five for distillation and three elsewhere, at reduced length; claims of no gate may ask for more."""
    for claim in claims("lgg") + claims("graph_smoothness_loss"):
        least = 5 if claim.experiment == "lgg/s41_distillation" else 3
        more = not claim.gate and claim.kind != "all_of"
        assert more or claim.n_required["reduced"] == least, claim.id
