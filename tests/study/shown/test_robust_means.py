from statistics import mean

import pytest

from lggkit.study.judging.statistics import t_interval
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown import robust_means, tables
from lggkit.study.shown.view import Shown

NAME = "graph_smoothness_loss/s44_robustness"
REFERENCE = {"fog": [30.0, 40.0], "brightness": [21.0, 23.0], "pixelate": [20.1, 20.3]}
OURS = {"fog": [50.0, 54.0], "brightness": [46.0, 50.0], "pixelate": [40.0, 60.0]}


def errors(table, shift=0.0):
    return {f"errors_{name}": [e + shift for e in row] for name, row in table.items()}


@pytest.fixture
def shown(make_record, tmp_path):
    """Two seeds of each arm; the second errs two points more everywhere, clean images included."""
    records = []
    for seed in range(2):
        for arm, table, clean in (("cross_entropy", REFERENCE, 20.0), ("graph_smoothness", OURS, 44.0)):
            by_corruption = errors(table, 2.0 * seed)
            metrics = {
                "clean_error": clean + 2 * seed,
                "mean_corrupted_error": mean(map(mean, by_corruption.values())),
            }
            records.append(make_record(arm, seed, "reduced", NAME, metrics=metrics | by_corruption))
    return Shown(NAME, "reduced", tuple(records), Ledger(tmp_path))


def test_the_corruption_with_the_largest_ratio_has_the_leverage(shown):
    """Pixelate hurts the reference by 0.2 points, less than the least harm, and does not count."""
    leverage = robust_means.leverage(shown, "graph_smoothness")
    fog, brightness = 100 * (6 + 10) / (10 + 20), 100 * (2 + 6) / (1 + 3)
    assert leverage.corruption == "brightness"
    assert leverage.part == pytest.approx(brightness / 2)
    assert leverage.whole == pytest.approx((fog + brightness) / 2)
    assert leverage.without == pytest.approx(fog)
    assert leverage.pooled == pytest.approx(100 * (8 + 4) / (15 + 2))


def test_the_reference_has_even_leverage_and_no_arm_none(shown):
    leverage = robust_means.leverage(shown, "cross_entropy")
    assert leverage.whole == leverage.without == leverage.pooled == pytest.approx(100)
    assert robust_means.leverage(shown, "no_such_arm") is None


def test_nothing_has_leverage_where_nothing_harms_the_reference(shown):
    for record in shown.arm("cross_entropy"):
        record.metrics.update(clean_error=60.0)
    assert robust_means.leverage(shown, "graph_smoothness") is None


def test_accuracy_lost_is_over_what_is_above_guessing(shown):
    rise = mean(map(mean, OURS.values())) - 44
    expected = t_interval([100 * rise / (90 - 44), 100 * rise / (90 - 46)])
    lost = robust_means.accuracy_lost(shown, "graph_smoothness")
    assert (lost.mean, lost.half_width, lost.n) == pytest.approx((expected.mean, expected.half_width, 2))
    two = robust_means.accuracy_lost(shown, "cross_entropy", classes=2)
    rise = mean(map(mean, REFERENCE.values())) - 20
    assert two.mean == pytest.approx(mean([100 * rise / (50 - 20), 100 * rise / (50 - 22)]))


def test_nothing_is_lost_of_an_accuracy_no_better_than_guessing(shown):
    for clean in (89.6, 90.0, 95.0):
        shown.arm("graph_smoothness")[1].metrics["clean_error"] = clean
        assert robust_means.accuracy_lost(shown, "graph_smoothness") is None
    assert tables.interval_text(robust_means.accuracy_lost(shown, "graph_smoothness")) == "–"
    assert robust_means.accuracy_lost(shown, "cross_entropy") is not None
    with pytest.raises(ValueError, match="at least 2"):
        robust_means.accuracy_lost(shown, "cross_entropy", classes=1)
    with pytest.raises(ValueError, match="at least one"):
        robust_means.accuracy_lost(shown, "no_such_arm")


def test_places_where_an_arm_errs_less_are_counted_over_the_means_of_seeds(shown):
    assert robust_means.fewer_errors(shown, "graph_smoothness", "cross_entropy") == (0, 6)
    shown.arm("graph_smoothness")[0].metrics["errors_fog"] = [8.0, 20.0]
    assert robust_means.fewer_errors(shown, "graph_smoothness", "cross_entropy") == (2, 6)
