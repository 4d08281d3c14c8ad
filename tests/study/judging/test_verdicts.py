import dataclasses

import pytest

from lggkit.study.entered.paper import Cell, Claim
from lggkit.study.judging import verdicts as v

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def cell():
    texts = dict.fromkeys(("spread_kind", "unit", "source", "note"), "")
    return Cell(
        **{"paper": "lgg", "table": "table-1", "row": "GKD", "column": "error", "kind": "measured"} | texts,
        value=10.0,
        spread=None,
        n=None,
        experiment=EXPERIMENT,
        arm="gkd",
        metric="test_error",
        tolerance=0.5,
        available=True,
        n_required=3,
    )


@pytest.fixture
def claim():
    texts = dict.fromkeys(("section", "statement", "direction", "source", "note"), "")
    return Claim(
        **{"paper": "lgg", "id": "c05", "number": "5", "kind": "greater", "metric": "test_error"} | texts,
        experiment=EXPERIMENT,
        left="baseline",
        right="gkd",
        margin=None,
        members=(),
        n_required={"reduced": 3, "paper": 4},
    )


@pytest.fixture
def runs(make_record):
    """runs(arm=[values by seed]) at reduced scale, or at another through ``scale``."""

    def make(scale="reduced", metric="test_error", **arms):
        return [
            make_record(arm=arm, seed=seed, scale=scale, metrics={metric: value})
            for arm, values in arms.items()
            for seed, value in enumerate(values)
        ]

    return make


def judge(claims, records, scale="reduced"):
    return v.claim_verdicts(claims, {EXPERIMENT: {scale: records}})


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([10.0, 10.1, 9.9], v.AGREES),
        ([12.0, 12.1, 11.9], v.DIFFERS),
        ([10.4, 10.9, 10.1], v.UNDECIDED),
        ([10.0, 10.1], v.UNDECIDED),
        ([12.0], v.UNDECIDED),
        ([], v.UNMEASURED),
    ],
)
def test_cells(cell, runs, values, verdict):
    judged = v.cell_verdict(cell, runs(scale="paper", gkd=values))
    assert judged.verdict == verdict
    assert judged.difference is None or judged.difference == pytest.approx(sum(values) / len(values) - 10)


def test_no_cell_verdict_before_the_seeds_are_there(cell, runs):
    values = [10.0, 10.01, 9.99]
    assert v.cell_verdict(cell, runs(gkd=values)).verdict == v.AGREES
    more = dataclasses.replace(cell, n_required=4)
    assert v.cell_verdict(more, runs(gkd=values)).verdict == v.UNDECIDED


def test_unavailable_cells_are_neither_measured_nor_unmeasured(cell, runs):
    away = dataclasses.replace(cell, available=False)
    assert v.cell_verdict(away, runs(gkd=[10.0, 10.0, 10.1])).verdict == v.UNAVAILABLE


def test_diverged_runs_are_counted_and_give_no_value(cell, runs, make_record):
    lost = make_record(seed=9, status="diverged", reason="loss", metrics={})
    judged = v.cell_verdict(cell, [*runs(gkd=[10.0, 10.1, 9.9]), lost])
    assert (judged.interval.n, judged.diverged) == (3, 1)


@pytest.mark.parametrize(
    ("baseline", "gkd", "verdict"),
    [
        ([10.9, 11.0, 11.1], [10.0, 10.1, 10.3], v.HOLDS),
        ([10.0, 10.1, 10.3], [10.9, 11.0, 11.1], v.CONTRADICTED),
        ([10.0, 12.0, 11.0], [10.9, 10.0, 11.1], v.UNDECIDED),
        ([10.9, 11.0], [10.0, 10.11], v.UNDECIDED),
        ([10.9, 11.0, 11.1], [], v.UNMEASURED),
    ],
)
def test_greater_is_paired_by_seed(claim, runs, baseline, gkd, verdict):
    assert judge([claim], runs(baseline=baseline, gkd=gkd))[0].verdict == verdict


def test_pairing_sees_what_two_separate_intervals_would_not(claim, runs):
    records = runs(baseline=[8.0, 12.0, 16.0], gkd=[7.9, 11.9, 15.91])
    assert judge([claim], records)[0].verdict == v.HOLDS
    shuffled = runs(baseline=[8.0, 12.0, 16.0], gkd=[15.91, 7.9, 11.9])
    assert judge([claim], shuffled)[0].verdict == v.UNDECIDED


def test_sides_may_be_two_metrics_of_one_arm(claim, make_record):
    records = [
        make_record(arm="net", seed=s, metrics={"input": 3.0 + s, "output": 1.0 + 0.9 * s}) for s in range(3)
    ]
    two = dataclasses.replace(claim, left="net:input", right="net:output", metric="")
    assert judge([two], records)[0].verdict == v.HOLDS


@pytest.mark.parametrize(
    ("gkd", "verdict"),
    [
        ([10.01, 9.99, 10.0], v.HOLDS),
        ([12.0, 12.1, 12.05], v.CONTRADICTED),
        ([9.0, 10.5, 10.6], v.UNDECIDED),
    ],
)
def test_equivalent_needs_the_interval_inside_the_margin(claim, runs, gkd, verdict):
    same = dataclasses.replace(claim, kind="equivalent", margin=0.5)
    assert judge([same], runs(baseline=[10.0, 10.0, 10.0], gkd=gkd))[0].verdict == verdict


@pytest.mark.parametrize(("direction", "verdict"), [("decreasing", v.HOLDS), ("increasing", v.CONTRADICTED)])
def test_trend_of_ordered_metrics_of_a_list_and_of_a_correlation(claim, make_record, direction, verdict):
    metrics = [
        {"a": 3.0 + s, "b": 2.0, "c": 1.0, "all": [5.0, 4.0 - 0.1 * s], "rho": -0.8 - 0.1 * s}
        for s in range(3)
    ]
    records = [make_record(arm="net", seed=s, metrics=m) for s, m in enumerate(metrics)]
    for metric in ("a;b;c", "all", "rho"):
        trend = dataclasses.replace(claim, kind="trend", left="net", metric=metric, direction=direction)
        assert judge([trend], records)[0].verdict == verdict, metric


def test_an_exact_claim_waits_for_its_runs(claim, make_record):
    exact = dataclasses.replace(
        claim, kind="exact", left="exact", metric="gap", margin=1.0, n_required={"reduced": 2, "paper": 2}
    )
    runs = [make_record(arm="exact", seed=s, metrics={"gap": 0.5}) for s in (0, 1)]
    assert judge([exact], runs[:1])[0].verdict == v.UNDECIDED
    assert judge([exact], runs)[0].verdict == v.HOLDS


def test_exact_is_decided_by_the_worst_run(claim, make_record):
    exact = dataclasses.replace(claim, kind="exact", left="exact", metric="gap", margin=1e-6)
    runs = [make_record(arm="exact", seed=s, metrics={"gap": g}) for s, g in enumerate((0.0, 1e-7, 0.0))]
    assert judge([exact], runs)[0].verdict == v.HOLDS
    runs.append(make_record(arm="exact", seed=3, metrics={"gap": 1e-3}))
    assert judge([exact], runs)[0].verdict == v.CONTRADICTED


def test_highest_scale_decides(claim, runs):
    reduced = runs(baseline=[11.0, 11.1, 11.2], gkd=[10.0, 10.1, 10.2])
    paper = runs(scale="paper", baseline=[10.0] * 4, gkd=[11.0, 11.1, 11.2, 11.3])
    judged = v.claim_verdicts([claim], {EXPERIMENT: {"reduced": reduced, "paper": paper}})[0]
    assert (judged.verdict, judged.scale, judged.n) == (v.CONTRADICTED, "paper", 4)


def test_smoke_decides_nothing(claim, runs):
    records = runs(scale="smoke", baseline=[11.0, 11.1, 11.2], gkd=[10.0, 10.1, 10.2])
    assert judge([claim], records, scale="smoke")[0].verdict == v.UNMEASURED


@pytest.mark.parametrize(
    ("rkd", "verdict", "scale", "n"),
    [
        ([10.5, 10.6, 10.8], v.HOLDS, "reduced", 3),
        ([13.0, 13.1, 13.3], v.CONTRADICTED, "reduced", 3),
        ([], v.UNMEASURED, None, 0),
    ],
)
def test_all_of_is_a_conjunction(claim, runs, rkd, verdict, scale, n):
    parts = [claim, dataclasses.replace(claim, id="c05b", number="5b", right="rkd_d")]
    whole = dataclasses.replace(claim, id="both", kind="all_of", members=("c05", "c05b"))
    records = runs(baseline=[11.0, 11.1, 11.2], gkd=[10.0, 10.1, 10.3], rkd_d=rkd)
    judged = judge([whole, *parts], records)[0]
    assert (judged.verdict, judged.scale, judged.n) == (verdict, scale, n)


def test_scale_and_seeds_of_a_conjunction_are_those_of_the_parts_that_decide_it(claim, runs):
    """A part that is not measured leaves the contradiction of another as it is."""
    parts = [claim, dataclasses.replace(claim, id="c05b", number="5b", right="rkd_d")]
    whole = dataclasses.replace(claim, id="both", kind="all_of", members=("c05", "c05b"))
    judged = judge([whole, *parts], runs(baseline=[11.0, 11.1, 11.2], gkd=[13.0, 13.1, 13.3]))[0]
    assert (judged.verdict, judged.scale, judged.n) == (v.CONTRADICTED, "reduced", 3)


def test_holm_marks_only_what_survives_its_paper(claim, runs):
    weak = dataclasses.replace(claim, id="weak", right="rkd_d")
    records = runs(
        baseline=[11.0, 11.0, 11.0, 11.0],
        gkd=[10.0, 10.001, 10.002, 9.999],
        rkd_d=[10.5, 10.85, 10.6, 10.8],
    )
    strong_alone, weak_alone = (judge([c], records)[0] for c in (claim, weak))
    assert strong_alone.survives_holm and weak_alone.verdict == v.HOLDS and weak_alone.survives_holm
    others = [dataclasses.replace(weak, id=f"weak{i}") for i in range(8)]
    together = {j.claim.id: j for j in judge([claim, weak, *others], records)}
    assert together["c05"].survives_holm and not together["weak"].survives_holm


@pytest.mark.parametrize(
    "other", [{"torch": "2.11.0"}, {"device": "NVIDIA H200"}, {"precision": "bfloat16"}], ids=str
)
def test_only_runs_under_the_same_conditions_are_paired(claim, make_record, other):
    here = {"torch": "2.15.0+cu132", "device": "Some CPU, 1 thread", "precision": "float32"}
    build = here | {"torch": "2.15.0+cpu", "device": "Some CPU, 2 threads"}

    def records(conditions):
        left = [make_record("baseline", s, metrics={"test_error": 11.0 + s / 100}, **here) for s in range(3)]
        return left + [make_record("gkd", s, metrics={"test_error": 10.0}, **conditions) for s in range(3)]

    assert judge([claim], records(build))[0].verdict == v.HOLDS
    assert judge([claim], records(here | other))[0].verdict == v.UNMEASURED
