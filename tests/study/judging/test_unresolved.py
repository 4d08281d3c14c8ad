"""Statistics and verdicts at their edges: seeds that agree to rounding, and what is no finite number."""

import dataclasses
import math

import numpy as np
import pytest

from lggkit.study.entered.paper import Cell, Claim
from lggkit.study.judging import statistics as st
from lggkit.study.judging import verdicts as v

EXPERIMENT = "lgg/s41_distillation"
NOT_FINITE = [math.nan, math.inf, -math.inf, 10**400, 1e200, None, "ten", [1.0], 1j]
EQUAL = {"baseline": [10.9, 11.0, 11.1], "gkd": [10.0, 10.1, 10.2]}


@pytest.mark.parametrize(
    ("values", "magnitude"),
    [
        ([1.0], 0.0),
        ([], 0.0),
        ([1.0, 1.0], 0.0),
        ([0.0, 0.0, 0.0], 0.0),
        ([0.1 + 0.2 - 0.3] * 2, 0.0),
        ([0.1 + 0.2 - 0.3, 0.0], 0.3),
        ([10.9 - 10.0, 11.0 - 10.1, 11.1 - 10.2], 11.1),
        ([1e9 + 0.1, 1e9 + 0.1 + 1e-7], 0.0),
    ],
    ids=str,
)
def test_seeds_that_agree_to_rounding_are_no_evidence(values, magnitude):
    assert not st.resolved(values, magnitude)
    assert st.p_value_of_mean(values, magnitude=magnitude) == 1.0
    assert st.p_value_of_mean(values, null=-5.0, magnitude=magnitude) == 1.0
    assert st.p_value_of_equivalence(values, 1e12, magnitude) == 1.0


def test_an_interval_of_seeds_that_agree_lies_nowhere():
    interval = st.t_interval([0.1 + 0.2 - 0.3] * 3)
    assert (interval.half_width, interval.resolved) == (0.0, False)
    assert not interval.above(0) and not interval.below(1)
    assert not interval.inside(-1, 1) and not interval.outside(5, 6)


def test_a_spread_above_rounding_is_known():
    values = [10.9 - 10.0, 11.0 - 10.1, 11.1 - 10.2 + 1e-6]
    assert st.resolved(values, 11.1) and st.p_value_of_mean(values, magnitude=11.1) < 1e-10
    interval = st.t_interval(values, magnitude=11.1)
    assert interval.above(0) and interval.outside(-0.5, 0.5) and interval.inside(0, 1)


@pytest.mark.parametrize("bad", NOT_FINITE, ids=lambda bad: type(bad).__name__ + str(bad)[:8])
def test_what_is_no_finite_number_goes_no_further(bad):
    tost = lambda values: st.p_value_of_equivalence(values, 1.0)  # noqa: E731
    for function in (st.t_interval, st.slope, st.p_value_of_mean, st.resolved, tost):
        for values in ([bad, 1.0, 2.0], [1.0, 2.0, bad], [bad] * 3):
            with pytest.raises(ValueError, match=r"no number|is -?(nan|inf)|too large") as refusal:
                function(values)
            assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: st.p_value_of_mean([1.0, 2.0], math.nan),
        lambda: st.p_value_of_equivalence([1.0, 2.0], math.nan),
        lambda: st.p_value_of_equivalence([1.0, 2.0], -1.0),
        lambda: st.t_interval([1.0, 2.0], 1.0),
        lambda: st.t_interval([1.0, 2.0], math.nan),
        lambda: st.t_interval([1.0, 2.0], magnitude=math.inf),
        lambda: st.Interval(math.nan, 0.0, 1.0, 2),
        lambda: st.Interval(0.5, math.nan, 1.0, 2),
        lambda: st.paired_differences({0: math.nan}, {0: 1.0}),
        lambda: st.paired_differences({0: [1.0]}, {0: 1.0}),
        lambda: st.holm({"a": 1.5}),
        lambda: st.holm({"a": -0.1}),
        lambda: st.holm({"a": 0.1}, math.nan),
    ],
)
def test_options_that_cannot_be_are_refused(call):
    with pytest.raises(ValueError):
        call()


def test_numpy_numbers_and_arrays_are_as_good_as_pythons():
    values = np.array([0.3, 0.5, -0.1], dtype=np.float32)
    assert st.t_interval(values) == st.t_interval([float(value) for value in values])
    assert st.slope(np.array([1, 2, 3])) == pytest.approx(1.0)
    assert st.paired_differences({np.int64(1): np.float32(2)}, {1: 1}) == [1.0]


def test_a_constant_list_has_no_slope():
    assert st.slope([0.1] * 7) == 0.0 and st.slope([1.0, 1.0, 0.0, 0.0]) == pytest.approx(-0.4)


def test_holm_counts_what_could_not_be_tested_and_never_rejects_it():
    for order in (("nan", "a"), ("a", "nan")):
        p_values = {"nan": math.nan, "a": 0.03}
        assert st.holm({name: p_values[name] for name in order}) == set()
    assert st.holm({"nan": math.nan, "a": 0.02}) == {"a"} and st.holm({"nan": math.nan}) == set()


@pytest.fixture
def cell():
    texts = dict.fromkeys(("spread_kind", "unit", "source", "note"), "")
    place = {"paper": "lgg", "table": "table-1", "row": "GKD", "column": "error", "kind": "measured"}
    rule = {"value": 10.0, "tolerance": 0.5, "available": True, "n_required": 3, "spread": None, "n": None}
    return Cell(**place, **texts, **rule, experiment=EXPERIMENT, arm="gkd", metric="test_error")


@pytest.fixture
def claim():
    texts = dict.fromkeys(("section", "statement", "direction", "source", "note"), "")
    name = {"paper": "lgg", "id": "c05", "number": "5", "kind": "greater", "members": (), "margin": None}
    sides = {"left": "baseline", "right": "gkd", "metric": "test_error"}
    return Claim(**name, **texts, **sides, experiment=EXPERIMENT, n_required={"reduced": 3, "paper": 4})


@pytest.fixture
def runs(make_record):
    def make(**arms):
        placed = ((arm, seed, value) for arm, values in arms.items() for seed, value in enumerate(values))
        return [make_record(arm, seed, metrics={"test_error": value}) for arm, seed, value in placed]

    return make


@pytest.fixture
def lists(make_record):
    """Runs of the arm ``net`` with a row of metrics each."""
    return lambda *rows: [make_record("net", seed, metrics=dict(row)) for seed, row in enumerate(rows)]


def judge(records, *claims):
    return v.claim_verdicts(claims, {EXPERIMENT: {"reduced": records}})


@pytest.mark.parametrize("kind", ["greater", "equivalent"])
@pytest.mark.parametrize("arms", [("baseline", "gkd"), ("gkd", "baseline")])
def test_equal_differences_of_seeds_decide_nothing(claim, runs, kind, arms):
    records = runs(**dict(zip(arms, EQUAL.values(), strict=True)))
    for margin in (0.5, 5.0):
        (judged,) = judge(records, dataclasses.replace(claim, kind=kind, margin=margin))
        assert (judged.verdict, judged.p_value, judged.n) == (v.UNDECIDED, 1.0, 3)
        assert judged.reason == "seeds differ in nothing that was measured" and not judged.survives_holm


@pytest.mark.parametrize("metric", ["a;b;c", "all", "rho"])
def test_equal_trends_of_seeds_decide_nothing(claim, lists, metric):
    row = {"a": 0.1, "b": 0.2, "c": 0.3, "all": [5.0, 4.0], "rho": -1.0}
    trend = dataclasses.replace(claim, kind="trend", left="net", metric=metric, direction="increasing")
    (judged,) = judge(lists(row, row, row), trend)
    assert (judged.verdict, judged.p_value) == (v.UNDECIDED, 1.0) and judged.reason


def test_ties_and_constant_lists_have_slopes_all_the_same(claim, lists):
    trend = dataclasses.replace(claim, kind="trend", left="net", metric="all", direction="increasing")
    rows = ({"all": row} for row in ([1.0, 1.0, 1.0], [1.0, 2.0, 2.0], [1.0, 1.0, 3.0]))
    (judged,) = judge(lists(*rows), trend)
    assert judged.verdict == v.UNDECIDED and judged.interval.mean == pytest.approx(0.5) and not judged.reason


def test_a_list_of_one_is_no_trend(claim, lists):
    trend = dataclasses.replace(claim, kind="trend", left="net", metric="all", direction="increasing")
    (judged,) = judge(lists({"all": [1.0]}, {"all": [2.0]}, {"all": [3.0]}), trend)
    assert judged.verdict == v.UNDECIDED and "at least two values" in judged.reason


def test_identities_may_be_equal_at_every_seed(claim, lists):
    exact = dataclasses.replace(claim, kind="exact", left="net", metric="gap", margin=0.0)
    assert judge(lists({"gap": 0.0}, {"gap": 0.0}, {"gap": 0.0}), exact)[0].verdict == v.HOLDS


@pytest.mark.parametrize("value", [10.0, 12.0])
def test_equal_values_decide_no_cell(cell, runs, value):
    judged = v.cell_verdict(cell, runs(gkd=[value] * 5))
    assert (judged.verdict, judged.interval.n) == (v.UNDECIDED, 5) and "differ in nothing" in judged.reason


@pytest.mark.parametrize("bad", [math.nan, math.inf, [1.0, 2.0], 10**400], ids=lambda bad: str(bad)[:8])
@pytest.mark.parametrize("place", [0, 2])
def test_what_is_no_finite_number_decides_nothing_and_is_said(cell, claim, runs, bad, place):
    records = runs(baseline=[10.9, 11.0, 11.1], gkd=[10.0, 10.1, 10.3])
    for record in [r for r in records if r.seed == place]:
        record.metrics["test_error"] = bad
    judged = v.cell_verdict(cell, records)
    assert judged.verdict == v.UNDECIDED and judged.interval is None and "gkd, test_error" in judged.reason
    for change in (
        {},
        {"kind": "equivalent", "margin": 1.0},
        {"kind": "exact", "left": "gkd", "margin": 20.0},
    ):
        (verdict,) = judge(records, dataclasses.replace(claim, **change))
        assert (verdict.verdict, verdict.p_value, verdict.scale) == (
            v.UNDECIDED,
            None,
            "reduced",
        ) and verdict.reason


def test_a_conjunction_gives_the_reason_of_its_part_by_number(claim, runs):
    part = dataclasses.replace(claim, id="c05b", number="5b", right="rkd_d")
    whole = dataclasses.replace(claim, id="both", kind="all_of", members=("c05", "c05b"))
    judged = judge(runs(**EQUAL, rkd_d=[9.0, 9.1, 9.3]), whole, claim, part)
    assert [j.verdict for j in judged] == [v.UNDECIDED, v.UNDECIDED, v.HOLDS]
    assert judged[1].reason and judged[0].reason == f"{claim.number}: {judged[1].reason}"
