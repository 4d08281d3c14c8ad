"""What is computed from records: by hand, and against all that was recorded when it was measured."""

from statistics import mean

import pytest

from lggkit import experiments
from lggkit.evaluation import LEAST_HARM
from lggkit.experiments import Experiment
from lggkit.protocol import Protocol
from lggkit.study import paths
from lggkit.study.judging.derived import AMONG_ARMS, RULES, with_derived
from lggkit.study.records.ledger import Ledger

REFERENCE = {"fog": [20.0, 20.0], "snow": [40.0, 80.0], "contrast": [10.0, 10.0]}
OURS = {"fog": [10.0, 20.0], "snow": [30.0, 60.0], "contrast": [5.0, 15.0]}
DERIVED = ("gain", "mce", "relative_", "mean_corrupted_error", "accuracy_")
SEEN_ELSEWHERE = ("accuracy_fgsm_by_snr", "accuracy_noise_by_snr")


def section(*derived):
    """A section whose reference is the arm ``plain``."""
    return Experiment(
        "lgg/s00_toy", "toy", {"short": Protocol()}, (), {}, iter, reference="plain", derived=derived
    )


def metrics(table, clean):
    return {"clean_error": clean} | {f"errors_{name}": row for name, row in table.items()}


@pytest.fixture
def derive(make_record):
    """A function from the metrics of an arm and of its reference to what is derived for the arm."""

    def of(rule, own, reference=None, **fields):
        records = [make_record("ours", 0, metrics=own)]
        if reference is not None:
            records.append(make_record("plain", 0, metrics=reference, **fields))
        first = with_derived(section(rule), records)[0]
        return {name: value for name, value in first.metrics.items() if name not in own}

    return of


def test_means_are_over_the_reference(derive):
    derived = derive("corruption", metrics(OURS, 5.0), metrics(REFERENCE, 10.0))
    assert derived["mce"] == pytest.approx((75 + 75 + 100) / 3)
    assert derived["mean_corrupted_error"] == pytest.approx(140 / 6)


def test_a_corruption_that_does_the_reference_no_harm_is_left_out_of_the_relative_mean(derive):
    derived = derive("corruption", metrics(OURS, 5.0), metrics(REFERENCE, 10.0))
    assert derived["relative_mce"] == pytest.approx((100 * 20 / 20 + 100 * 80 / 100) / 2)
    assert derived["relative_corruptions"] == 2


@pytest.mark.parametrize(("harm", "count"), [(LEAST_HARM - 0.1, 2), (LEAST_HARM, 3)])
def test_a_nearly_harmless_corruption_does_not_rule_the_relative_mean(derive, harm, count):
    """The mean harm over severities decides, and it is the reference's."""
    mild = metrics(REFERENCE | {"contrast": [10.0, 10.0 + 2 * harm]}, 10.0)
    derived = derive("corruption", metrics(OURS, 5.0), mild)
    ratios = [100 * 20 / 20, 100 * 80 / 100, 100 * 10 / (2 * harm)][:count]
    assert derived["relative_corruptions"] == count
    assert derived["relative_mce"] == pytest.approx(mean(ratios))
    assert derived["mce"] == pytest.approx((75 + 75 + 2000 / (20 + 2 * harm)) / 3)


def test_where_nothing_harms_the_reference_there_is_no_relative_mean(derive):
    unhurt = metrics({name: [10.0, 10.0] for name in OURS}, 10.0)
    derived = derive("corruption", metrics(OURS, 5.0), unhurt)
    assert "relative_mce" not in derived and derived["relative_corruptions"] == 0 and "mce" in derived


def test_a_reference_without_an_error_leaves_the_mean_over_it_out(derive):
    perfect = metrics(REFERENCE | {"contrast": [0.0, 0.0]}, 0.0)
    derived = derive("corruption", metrics(OURS, 5.0), perfect)
    assert "mce" not in derived and derived["relative_corruptions"] == 2
    assert derived["relative_mce"] == pytest.approx(mean((100 * 20 / 40, 100 * 80 / 120)))


def test_the_reference_itself_is_at_100(make_record):
    record = make_record("plain", 0, metrics=metrics(REFERENCE, 10.0))
    (itself,) = with_derived(section("corruption"), [record])
    assert itself.metrics["mce"] == pytest.approx(100) == itself.metrics["relative_mce"]


@pytest.mark.parametrize("other", [{}, {"seed": 1}, {"status": "diverged", "reason": "nan"}], ids=str)
def test_without_the_reference_of_the_seed_only_what_needs_none_is_there(make_record, other):
    """It is missing, of another seed, or it diverged."""
    records = [make_record("ours", 0, metrics=metrics(OURS, 5.0))]
    if other:
        fields = {"metrics": {} if "status" in other else metrics(REFERENCE, 10.0), **other}
        records.append(make_record("plain", fields.pop("seed", 0), **fields))
    derived = with_derived(section("corruption"), records)[0].metrics
    assert derived.keys() - metrics(OURS, 5.0).keys() == {"mean_corrupted_error"}


def test_each_seed_has_its_own_reference(make_record):
    students = [make_record("ours", s, metrics={"test_error": 8.0, "consistency": 90.0}) for s in (0, 1)]
    plain = [make_record("plain", s, metrics={"test_error": 10.0 + s}) for s in (1, 0)]
    zero, one, *_ = with_derived(section("gain"), [*students, *plain])
    assert (zero.metrics["gain"], zero.metrics["gain_doubled"]) == (2.0, 4.0)
    assert (one.metrics["gain"], one.metrics["gain_doubled"]) == (3.0, 6.0)


def test_only_students_gain(derive):
    assert derive("gain", {"test_error": 8.0}, {"test_error": 10.0}) == {}
    assert derive("gain", {"test_error": 8.0, "consistency": 90.0}) == {}


def test_accuracies_are_what_errors_leave(derive):
    own = {"test_error": 12.0, "error_pgd": 30.0, "errors_fog": [1.0], "accuracy_fgsm_by_snr": [1.0]}
    assert derive("accuracy", own) == {"accuracy_clean": 88.0, "accuracy_pgd": 70.0}


def test_a_run_that_diverged_stays_as_it_is(make_record):
    lost = make_record("ours", metrics={}, status="diverged", reason="the loss was nan")
    assert with_derived(section(*RULES), [lost]) == [lost]


def test_what_was_recorded_under_a_derived_name_gives_way(make_record):
    records = [make_record("plain", 0, metrics={"test_error": 10.0, "consistency": 9.0, "gain": 7.0})]
    assert with_derived(section("gain"), records)[0].metrics["gain"] == 0
    assert with_derived(section(), records) == records
    assert records[0].metrics["gain"] == 7.0


AGAIN = {"graph_smoothness_loss/s44_robustness", "lgg/s42_embeddings", "lgg/s43_robustness"}
"""Sections whose short trainings were measured again, when records no longer held what is derived."""


@pytest.mark.parametrize("name", [e.name for e in experiments.all_experiments() if e.derived])
def test_all_that_was_recorded_comes_out_again(name):
    """Records of then hold what is derived today, to the last digits."""
    stored, compared = Ledger(paths.results()).records(name, "short"), 0
    for before, after in zip(stored, with_derived(experiments.get(name), stored), strict=True):
        old = {n: v for n, v in before.metrics.items() if n.startswith(DERIVED) and n not in SEEN_ELSEWHERE}
        assert {n: after.metrics[n] for n in old} == pytest.approx(old, rel=1e-12, abs=1e-12), before.key
        assert {n: v for n, v in after.metrics.items() if not n.startswith(DERIVED)}.items() >= {
            n: v for n, v in before.metrics.items() if not n.startswith(DERIVED)
        }.items()
        compared += len(old)
    assert compared or not stored or name in AGAIN or set(experiments.get(name).derived) <= set(AMONG_ARMS)
