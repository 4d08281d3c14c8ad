import numpy as np
import pytest

from lggkit.data.corruptions import CORRUPTIONS
from lggkit.study.figures import parts, robustness
from lggkit.study.figures.style import arm_places, look_of
from lggkit.study.judging.statistics import t_interval
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "lgg/s42_embeddings"
TITLES = {"cross_entropy": "cross-entropy", "triplet": "triplet, batch-hard"}
NAMES = CORRUPTIONS[:2]
SEVERITIES = [2, 5]


@pytest.fixture
def errors():
    """Errors in percent by arm, (seeds, corruptions, severities)."""
    return dict(zip(TITLES, np.random.default_rng(0).uniform(20, 60, (2, 3, 2, 2)), strict=True))


@pytest.fixture
def shown(errors, make_record, tmp_path):
    records = []
    for arm, rows in errors.items():
        for seed, table in enumerate(rows):
            metrics = {f"errors_{name}": list(row) for name, row in zip(NAMES, table, strict=True)}
            metrics |= {"clean_error": 5.0 + seed, "mean_corrupted_error": table.mean(), "mce": 90.0 + seed}
            record = make_record(arm, seed, "smoke", NAME, metrics=metrics)
            record.settings["severities"] = SEVERITIES
            records.append(record)
    return Shown(NAME, "smoke", tuple(reversed(records)), Ledger(tmp_path))


def bars(ax):
    """(x, y, half width) of every mark with an interval, in the order in which they were drawn."""
    found = []
    for container in ax.containers:
        line, _, (collection,) = container
        ((low, _), (high, _)) = collection.get_segments()[0]
        found.append((line.get_xdata()[0], line.get_ydata()[0], (high - low) / 2))
    return found


@pytest.mark.parametrize(
    ("stand_in", "published", "words"),
    [
        (None, (0, 0), "CIFAR-10-C-like"),
        (None, (1, 1), "CIFAR-10-C"),
        (None, (0, 1), "CIFAR-10-C and CIFAR-10-C-like"),
        ("digits", (0, 0), "digits-C-like"),
    ],
)
def test_the_corrupted_images_are_named_by_the_records(shown, stand_in, published, words):
    for record in shown.records:
        record.settings.update(dataset="cifar10", stand_in=stand_in)
        record.metrics["published_corruptions"] = float(published[record.seed > 0])
    assert robustness.corrupted_images(shown) == words
    del shown.records[-1].metrics["published_corruptions"]
    assert robustness.corrupted_images(shown) == words


def test_every_corruption_has_the_mean_over_severities_and_seeds(shown, errors):
    left, right = robustness.corruption_figure(shown, TITLES).axes
    marks = iter(zip(bars(left), bars(right), strict=True))
    for arm in TITLES:
        means = errors[arm].mean(2)
        ratios = 100 * means / errors["cross_entropy"].mean(2)
        for row in range(len(NAMES)):
            (x, y, half), (ratio, also_y, half_ratio) = next(marks)
            expected, relative = t_interval(means[:, row]), t_interval(ratios[:, row])
            assert (x, half) == pytest.approx((expected.mean, expected.half_width))
            assert (ratio, half_ratio) == pytest.approx((relative.mean, relative.half_width), abs=1e-9)
            assert round(y) == round(also_y) == row
        (mean, y, _), (mce, _, _) = next(marks)
        assert round(y) == len(NAMES) and mce == pytest.approx(91)
        assert mean == pytest.approx(errors[arm].mean())
    assert next(marks, None) is None
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == [*(name.replace("_", " ") for name in NAMES), "mean"]
    assert left.get_ylim()[0] > left.get_ylim()[1], "the first corruption is on top"
    assert "cross-entropy" in right.get_xlabel()


def test_arms_are_told_apart_by_colour_mark_and_legend(shown):
    figure = robustness.corruption_figure(shown, TITLES)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(TITLES.values())
    looks = {(c[0].get_color(), c[0].get_marker()) for c in figure.axes[0].containers}
    places = arm_places(NAME)
    assert looks == {tuple(look_of(places[arm]).values()) for arm in TITLES}
    heights = [y for _, y, _ in bars(figure.axes[0])]
    assert len(set(heights)) == len(heights)


def test_severities_are_drawn_where_they_are(shown, errors):
    left, right = robustness.severity_figure(shown, TITLES).axes
    for index, arm in enumerate(TITLES):
        rows = np.column_stack([[5.0, 6.0, 7.0], errors[arm].mean(1)])
        means = [[line for line in ax.lines if line.get_marker() != "None"][index] for ax in (left, right)]
        for line, values in zip(means, (rows, rows - rows[:, :1]), strict=True):
            assert line.get_xdata().tolist() == [0, 2, 5]
            np.testing.assert_allclose(line.get_ydata(), values.mean(0))
    assert len(left.lines) == 2 * (3 + 1)
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["clean", "2", "5"]


def test_a_panel_a_metric_shows_seeds_and_mean_of_the_arms_that_have_it(shown):
    shown.records[0].metrics["mce"], shown.records[0].metrics["only"] = 96.0, 4.0
    clean, mce, only = robustness.arms_figure(
        shown, TITLES, {"clean_error": "clean error (%)", "mce": "MCE", "only": "o"}
    ).axes
    assert [round(x, 9) for x, _, _ in bars(clean)] == [6, 6]
    assert [round(x, 9) for x, _, _ in bars(mce)] == [91, round((90 + 91 + 96) / 3, 9)]
    assert [(x, y) for x, y, _ in bars(only)] == [(4, 1)]
    dots = [line for line in mce.lines if line.get_marker() == "."]
    assert [sorted(line.get_xdata()) for line in dots] == [[90, 91, 92], [90, 91, 96]]
    assert [label.get_text() for label in clean.get_yticklabels()] == list(TITLES.values())


def test_two_seeds_have_no_interval():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    parts.marked_interval(ax, 1.0, [1.0, 3.0], look_of(0))
    parts.marked_interval(ax, 2.0, [], look_of(0))
    assert bars(ax) == [(2.0, 1.0, 0.0)]


@pytest.mark.parametrize(("width", "columns"), [(5, 3), (12, 5), (0.5, 1)])
def test_a_legend_fits_its_figure_in_even_rows(width, columns):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(width, 3), layout="constrained")
    for index in range(5):
        ax.plot([0, index], label=f"label {index}")
    parts.one_legend(figure, ax)
    assert figure.legends[0]._ncols == columns
