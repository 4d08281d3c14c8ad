"""Verdicts on claims about trained networks: a shut gate, two lengths, parts added after a run, families."""

import dataclasses

import pytest

from lggkit.study.entered.gates import parse_gate
from lggkit.study.entered.paper import Claim
from lggkit.study.judging import texts
from lggkit.study.judging import verdicts as v

EXPERIMENT = "lgg/s41_distillation"
ABOVE, BELOW, UNCLEAR = [11.0, 11.1, 11.2], [9.0, 9.2, 9.2], [10.0, 12.0, 9.0]
OURS = [10.0, 10.1, 10.3]


@pytest.fixture
def claim():
    named = dict.fromkeys(("section", "statement", "direction", "source", "note"), "")
    return Claim(
        **{"paper": "lgg", "id": "c05", "number": "5", "kind": "greater", "metric": "test_error"} | named,
        experiment=EXPERIMENT,
        left="baseline",
        right="gkd",
        margin=None,
        members=(),
        n_required={"short": 3, "reduced": 3, "paper": 3},
        gate=parse_gate("teacher:test_error<=8"),
    )


@pytest.fixture
def at(make_record):
    """at(scale, baseline's errors by seed, the teacher's error): records of one scale, by scale."""

    def make(scale, baseline, teacher=7.0, **arms):
        errors = {"teacher": [teacher], "baseline": baseline, "gkd": OURS, **arms}
        runs = [(arm, seed, value) for arm, values in errors.items() for seed, value in enumerate(values)]
        return {scale: [make_record(arm, s, scale, metrics={"test_error": e}) for arm, s, e in runs]}

    return make


def judge(by_scale, *claims, **options):
    return v.claim_verdicts(claims, {EXPERIMENT: by_scale}, **options)


@pytest.mark.parametrize(
    ("short", "reduced", "verdict"),
    [
        (ABOVE, ABOVE, v.HOLDS),
        (BELOW, BELOW, v.CONTRADICTED),
        (UNCLEAR, UNCLEAR, v.UNDECIDED),
        (ABOVE, BELOW, v.MOVING),
        (BELOW, ABOVE, v.MOVING),
        (UNCLEAR, ABOVE, v.MOVING),
        (ABOVE, ABOVE[:2], v.NOT_TESTED),
        (ABOVE[:2], ABOVE[:2], v.NOT_TESTED),
    ],
    ids=str,
)
def test_both_lengths_have_to_say_the_same(claim, at, short, reduced, verdict):
    (judged,) = judge(at("short", short, 30.0) | at("reduced", reduced), claim)
    assert (judged.verdict, judged.scale) == (verdict, "reduced")
    assert list(judged.lengths) == ["short", "reduced"] and judged.effect is judged.lengths["reduced"]
    assert judged.interval == judged.effect.interval


def test_what_moves_says_between_what(claim, at):
    (judged,) = judge(at("short", ABOVE) | at("reduced", BELOW), claim)
    assert judged.reason == "holds at short scale, contradicted at reduced"


@pytest.mark.parametrize("baseline", [ABOVE, BELOW, UNCLEAR])
def test_a_shut_gate_tests_nothing_whatever_the_interval_says(claim, at, baseline):
    for scale in ("reduced", "paper"):
        (judged,) = judge(at("short", baseline) | at(scale, baseline, 8.5), claim)
        assert (judged.verdict, judged.scale) == (v.NOT_TESTED, scale)
        assert judged.reason == "test error of “Teacher” 8.5, at most 8" and not judged.survives_holm


def test_one_length_alone_tests_nothing(claim, at):
    (short,) = judge(at("short", ABOVE), claim)
    assert (short.verdict, short.scale, short.n) == (v.NOT_TESTED, "short", 3)
    assert short.reason == "only short trainings; test error of “Teacher” 7, at most 8"
    (reduced,) = judge(at("reduced", ABOVE), claim)
    assert (reduced.verdict, reduced.reason) == (v.NOT_TESTED, "no short trainings to compare with")


def test_paper_scale_decides_alone(claim, at):
    shorter = at("short", BELOW) | at("reduced", BELOW)
    (judged,) = judge(shorter | at("paper", ABOVE), claim)
    assert (judged.verdict, judged.scale) == (v.HOLDS, "paper")
    assert [one.verdict for one in judged.lengths.values()] == [v.CONTRADICTED] * 2 + [v.HOLDS]


def test_without_a_gate_the_highest_scale_decides_as_ever(claim, at):
    untrained = dataclasses.replace(claim, gate=())
    assert judge(at("short", ABOVE), untrained)[0].verdict == v.HOLDS
    (judged,) = judge(at("short", ABOVE) | at("reduced", BELOW), untrained)
    assert (judged.verdict, judged.scale) == (v.CONTRADICTED, "reduced")


def test_intervals_alone_can_be_asked_for(claim, at):
    (judged,) = judge(at("short", ABOVE, 30.0), claim, lengths=False)
    assert (judged.verdict, judged.scale) == (v.HOLDS, "short")


def test_smoke_is_no_length(claim, at):
    assert judge(at("smoke", ABOVE), claim)[0].verdict == v.UNMEASURED


def test_an_unknown_figure_shuts_a_gate(claim, at):
    asked = dataclasses.replace(claim, gate=parse_gate("teacher:test_error<=8;gkd:progress>=0.8"))
    (judged,) = judge(at("short", ABOVE) | at("reduced", ABOVE), asked)
    assert (judged.verdict, judged.reason) == (
        v.NOT_TESTED,
        "share of the way to the least loss of “GKD” unknown, at least 0.8",
    )


@pytest.fixture
def compound(claim):
    """A claim of two parts, the second of which was added after a run."""
    part = dataclasses.replace(claim, id="c05b", number="5b", right="rkd_d", after_run=True)
    members = ("c05", "c05b")
    return [dataclasses.replace(claim, id="both", kind="all_of", members=members, gate=()), claim, part]


@pytest.mark.parametrize(
    ("rkd", "verdict"),
    [([9.0, 9.1, 9.3], v.HOLDS), ([13.0, 13.1, 13.3], v.CONTRADICTED), ([], v.UNMEASURED)],
)
def test_the_verdict_without_what_was_added_stands_beside_it(compound, at, rkd, verdict):
    both = at("short", ABOVE, rkd_d=rkd) | at("reduced", ABOVE, rkd_d=rkd)
    whole, first, second = judge(both, *compound)
    assert (whole.verdict, whole.without, whole.after_run) == (verdict, v.HOLDS, True)
    assert (first.after_run, second.after_run, second.without) == (False, True, None)
    assert texts.verdict_text(whole) == f"{verdict}† (without †: holds)"
    assert texts.verdict_text(first) == "holds"


def test_a_claim_of_nothing_but_added_parts_has_no_verdict_without(compound, at):
    added = [dataclasses.replace(one, after_run=True) for one in compound]
    whole = judge(at("short", ABOVE) | at("reduced", ABOVE), *added)[0]
    assert (whole.after_run, whole.without) == (True, None)


def test_parts_that_move_or_are_not_tested_leave_the_whole_so(compound, at):
    moving = at("short", ABOVE, rkd_d=[9.0, 9.1, 9.3]) | at("reduced", ABOVE, rkd_d=[13.0, 13.1, 13.3])
    assert judge(moving, *compound)[0].verdict == v.MOVING
    whole = judge(at("short", ABOVE, rkd_d=OURS), *compound)[0]
    assert (whole.verdict, whole.scale) == (v.NOT_TESTED, "short")


def with_settings(by_scale, **settings):
    """The same records with settings of their own."""
    return {
        scale: [dataclasses.replace(r, settings=r.settings | settings) for r in records]
        for scale, records in by_scale.items()
    }


@pytest.mark.parametrize(
    ("short", "reduced", "reason"),
    [
        ({}, {"corruption_version": 2}, "corruption version 1 in the shorter trainings, 2 in the longer"),
        (
            {"loss": {"alpha": 2.0}},
            {"loss": {"alpha": 0.5}},
            "alpha 2.0 in the shorter trainings, 0.5 in the longer",
        ),
        (
            {"members": ["a"]},
            {"members": ["a", "b"]},
            "members a in the shorter trainings, a, b in the longer",
        ),
        ({"training": {"epochs": 3}}, {"training": {"epochs": 9, "precision": "auto"}}, ""),
        ({"training": {"precision": "float32"}}, {"training": {"precision": "auto"}}, ""),
        ({}, {"loss": {"mining": "hard"}}, ""),
    ],
)
@pytest.mark.parametrize("longer", [ABOVE, BELOW])
def test_lengths_that_differ_in_more_than_length_are_not_compared(claim, at, short, reduced, reason, longer):
    runs = with_settings(at("short", ABOVE), **short) | with_settings(at("reduced", longer), **reduced)
    (judged,) = judge(runs, claim)
    if reason:
        assert (judged.verdict, judged.reason) == (v.NOT_TESTED, reason)
    else:
        assert judged.verdict == (v.HOLDS if longer is ABOVE else v.MOVING)


def test_identities_are_told_from_findings(claim):
    exact = dataclasses.replace(claim, id="e", kind="exact", left="exact", right="", gate=(), margin=1.0)
    trained = dataclasses.replace(exact, id="t", gate=claim.gate)
    wholes = [
        dataclasses.replace(claim, id=f"w{ids}", kind="all_of", members=tuple(ids), gate=())
        for ids in ("e", "et")
    ]
    judged = judge({}, claim, exact, trained, *wholes)
    assert [one.identity for one in judged] == [False, True, False, True, False]


def test_families_are_papers_or_sections(claim, make_record):
    """Nine weak claims: together in one family none survives, in two the one that is alone does."""
    errors = {"baseline": [11.0] * 4, "gkd": [10.5, 10.85, 10.6, 10.8]}
    weak = [dataclasses.replace(claim, id=f"weak{i}", gate=()) for i in range(8)]
    other = dataclasses.replace(weak[0], id="alone", experiment="lgg/s42_embeddings")
    records = {
        name: {
            "paper": [
                make_record(arm, s, "paper", name, metrics={"test_error": e})
                for arm, values in errors.items()
                for s, e in enumerate(values)
            ]
        }
        for name in (EXPERIMENT, other.experiment)
    }
    for families, alone in (("paper", False), ("section", True)):
        judged = {j.claim.id: j for j in v.claim_verdicts([*weak, other], records, families)}
        assert judged["alone"].survives_holm == alone and not judged["weak0"].survives_holm


def test_what_is_not_tested_weighs_in_no_family(claim, at):
    weak = at("short", [10.2, 10.3, 10.51]) | at("reduced", [10.2, 10.3, 10.51])
    others = [
        dataclasses.replace(claim, id=f"shut{i}", gate=parse_gate("teacher:test_error<=1")) for i in range(8)
    ]
    (alone, *_) = judge(weak, claim, *others)
    assert alone.verdict == v.HOLDS and alone.survives_holm
