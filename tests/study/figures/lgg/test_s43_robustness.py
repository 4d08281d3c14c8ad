import numpy as np
import pytest
from matplotlib.colors import to_hex

from lggkit.study.entered.paper import cells
from lggkit.study.figures.lgg import s43_mechanism, s43_numbers, s43_robustness
from lggkit.study.figures.style import arm_color, look_of
from lggkit.study.judging.statistics import t_interval
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "lgg/s43_robustness"
TITLES = {"vanilla": "Baseline", "regularizer": "Label variation regulariser", "parseval": "Parseval"}
LEVELS = [20.0, 33.0, 45.0]
SEEDS = 3


def metrics_of(arm, rng):
    lists = {
        "accuracy_fgsm_by_snr": rng.uniform(0, 90, len(LEVELS)),
        "accuracy_noise_by_snr": rng.uniform(0, 90, len(LEVELS)),
        "variation_by_depth": rng.uniform(1e4, 9e5, 17),
        "variation_by_depth_untrained": rng.uniform(1e4, 9e5, 17),
        "logit_margin_histogram": rng.integers(1, 50, 4).astype(float),
        "input_margin_histogram": rng.integers(1, 50, 5).astype(float),
    }
    edges = {
        "logit_margin_edges": [-10.0, 0.0, 1.0, 5.0, 10.0],
        "input_margin_edges": [-1.0, -0.5, 0, 0.1, 0.5, 1],
    }
    errors = {"test_error": rng.uniform(5, 15), "accuracy_clean": rng.uniform(80, 95)}
    errors |= {f"transfer_from_{other}": rng.uniform(20, 90) for other in TITLES}
    ours = {c.metric: rng.uniform(0, 90) for c in released() if c.metric != "accuracy_clean"}
    return ours | errors | edges | {"snr_levels": LEVELS} | {k: list(v) for k, v in lists.items()}


def released():
    return [cell for cell in cells("lgg") if cell.table == "table-3-released"]


@pytest.fixture
def make(make_record, tmp_path):
    """What a notebook is shown of a number of seeds."""

    def make_shown(seeds=SEEDS):
        rng, records = np.random.default_rng(0), []
        for arm in TITLES:
            for seed in range(seeds):
                curves = {name: list(rng.uniform(0.5, 4, 5)) for name in s43_mechanism.NORMS}
                curves["test_epoch"] = [10, 20, 30, 40, 45]
                record = make_record(arm, seed, "smoke", NAME, metrics=metrics_of(arm, rng), curves=curves)
                records.append(record)
        return Shown(NAME, "smoke", tuple(reversed(records)), Ledger(tmp_path))

    return make_shown


@pytest.fixture
def shown(make):
    return make()


def curves(ax):
    """The lines of arms on a panel, by their legend's title."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def bands(ax):
    """(low, high) of every band, in the order in which they were drawn."""
    found = []
    for band in ax.collections:
        points = band.get_paths()[0].vertices[:-1]
        places = np.unique(points[:, 0])
        ends = [[f(points[points[:, 0] == x, 1]) for x in places] for f in (np.min, np.max)]
        found.append(tuple(map(np.array, ends)))
    return found


def check_curves(ax, places, rows_of):
    """Every arm's mean, band, colour and mark are on a panel; ``rows_of(arm)`` holds a row a seed."""
    drawn, around = curves(ax), bands(ax)
    assert list(drawn) == list(TITLES.values())
    for index, (arm, title) in enumerate(TITLES.items()):
        rows = np.array(rows_of(arm), float)
        line, points = drawn[title], [t_interval(column) for column in rows.T]
        np.testing.assert_allclose(line.get_xdata(), places)
        np.testing.assert_allclose(line.get_ydata(), rows.mean(0))
        assert (line.get_color(), line.get_marker()) == tuple(look_of(index).values())
        low, high = around[index]
        np.testing.assert_allclose(low, [p.low for p in points])
        np.testing.assert_allclose(high, [p.high for p in points])


def legend_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_accuracy_against_snr_has_attack_and_noise_with_bands(shown):
    figure = s43_robustness.snr_figure(shown, TITLES)
    left, right = figure.axes
    for ax, metric in ((left, "accuracy_fgsm_by_snr"), (right, "accuracy_noise_by_snr")):
        check_curves(ax, LEVELS, lambda arm, metric=metric: shown.values(arm, metric))
        assert ax.xaxis_inverted(), "disturbances grow to the right"
        assert 33.0 in [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
        clean = [line.get_ydata()[0] for line in ax.lines if line.get_xdata()[0] > max(LEVELS)]
        labels = {tick.get_text(): x for tick, x in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)}
        assert labels.pop("clean") > max(LEVELS)
        assert all(float(text) == x and 20 <= x <= 45 for text, x in labels.items())
        assert clean == pytest.approx([np.mean(shown.values(arm, "accuracy_clean")) for arm in TITLES])
    assert legend_of(figure) == list(TITLES.values())


def test_variation_has_before_after_and_steps(shown):
    before, after, steps = s43_mechanism.variation_figure(shown, TITLES).axes
    maps = np.arange(1, 18)
    check_curves(before, maps, lambda arm: shown.values(arm, "variation_by_depth_untrained"))
    check_curves(after, maps, lambda arm: shown.values(arm, "variation_by_depth"))
    check_curves(
        steps, maps[:-1] + 0.5, lambda arm: np.abs(np.diff(shown.values(arm, "variation_by_depth"), axis=1))
    )
    assert before.get_ylim() == after.get_ylim(), "before and after can be compared"
    assert steps.get_ylim()[0] == 0


def test_equal_curves_are_told_apart_by_dashes_and_places_of_marks(shown):
    lines = list(curves(s43_mechanism.variation_figure(shown, TITLES).axes[0]).values())
    assert lines[0].get_linestyle() != lines[1].get_linestyle()
    assert len({line.get_markevery() for line in lines}) == len(lines)


def test_two_seeds_have_no_band(make):
    ax = s43_robustness.snr_figure(make(seeds=2), TITLES).axes[0]
    assert not ax.collections and len(curves(ax)) == len(TITLES)


def stairs(ax):
    return {
        to_hex(p.get_facecolor() if p.get_fill() else p.get_edgecolor()): p.get_data() for p in ax.patches
    }


def test_margins_are_shares_of_images_beside_those_of_the_first_arm(shown):
    panels = np.array(s43_mechanism.margin_figure(shown, TITLES).axes).reshape(3, 2).T
    for row, metric in zip(panels, ("logit_margin", "input_margin"), strict=True):
        shares = {}
        for arm in TITLES:
            counts = np.array(shown.values(arm, f"{metric}_histogram"))
            shares[arm] = (100 * counts / counts.sum(1, keepdims=True)).mean(0)
        for index, (ax, arm) in enumerate(zip(row, TITLES, strict=True)):
            found = stairs(ax)
            own, first = found[arm_color(index).lower()], found["#333333"]
            np.testing.assert_allclose(own.values, shares[arm])
            np.testing.assert_allclose(first.values, shares["vanilla"])
            np.testing.assert_array_equal(own.edges, shown.values(arm, f"{metric}_edges")[0])
            assert ax.get_xlim() == row[0].get_xlim() and ax.get_ylim() == row[0].get_ylim()
    assert [ax.get_title(loc="left") for ax in panels[0]] == list(TITLES.values())


def test_transfer_has_sources_in_rows_and_targets_in_columns(shown):
    matrix = s43_numbers.transfer_matrix(shown, list(TITLES))
    assert matrix.shape == (4, 3)
    for column, target in enumerate(TITLES):
        assert matrix[0, column] == pytest.approx(np.mean(shown.values(target, "test_error")))
        for row, source in enumerate(TITLES, start=1):
            expected = np.mean(shown.values(target, f"transfer_from_{source}"))
            assert matrix[row, column] == pytest.approx(expected)


def test_transfer_is_written_where_it_was_measured(shown):
    for record in shown.records:
        if record.arm == "parseval":
            del record.metrics["transfer_from_vanilla"]
    ax = s43_robustness.transfer_figure(shown, TITLES).axes[0]
    matrix = s43_numbers.transfer_matrix(shown, list(TITLES))
    written = {(t.get_position()[1], t.get_position()[0]): t for t in ax.texts}
    assert set(written) == {place for place, value in np.ndenumerate(matrix) if np.isfinite(value)}
    assert len(written) == 11 and np.isnan(matrix[1, 2])
    assert all(text.get_text() == f"{matrix[place]:.1f}" for place, text in written.items())
    assert {place for place, text in written.items() if text.get_weight() == "bold"} == {
        (1, 0),
        (2, 1),
        (3, 2),
    }
    assert [t.get_text() for t in ax.get_yticklabels()] == ["clean images", *TITLES.values()]
    assert [t.get_text().replace("\n", " ") for t in ax.get_xticklabels()] == list(TITLES.values())


def test_spectral_norms_are_drawn_over_epochs_beside_one(shown):
    figure = s43_mechanism.norms_figure(shown, TITLES)
    for ax, name in zip(figure.axes, ("spectral_norm_largest", "spectral_norm_mean"), strict=True):
        check_curves(
            ax,
            [10, 20, 30, 40, 45],
            lambda arm, name=name: [record.curves[name] for record in shown.arm(arm)],
        )
        assert [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == ":"] == [1]
    assert legend_of(figure) == list(TITLES.values())


def test_an_arm_without_curves_is_left_out(shown):
    for record in shown.records:
        if record.arm == "vanilla":
            record.curves.clear()
    ax = s43_mechanism.norms_figure(shown, TITLES).axes[0]
    assert list(curves(ax)) == list(TITLES.values())[1:]
    assert curves(ax)["Parseval"].get_color() == arm_color(2)


def test_released_accuracies_stand_beside_ours(shown):
    figure = s43_robustness.released_figure(shown, TITLES)
    columns = list(dict.fromkeys(cell.column for cell in released()))
    assert [ax.get_title().replace("\n", " ") for ax in figure.axes] == columns
    for ax, column in zip(figure.axes, columns, strict=True):
        here = [c for c in released() if c.column == column and c.arm in TITLES]
        marks = {}
        for container in ax.containers:
            line, _, (bar,) = container
            (low, _), (high, _) = bar.get_segments()[0]
            place = round(float(line.get_ydata()[0]))
            marks[place, line.get_color()] = line.get_xdata()[0], (high - low) / 2
        assert len(marks) == 2 * len(here)
        for cell in here:
            place = list(TITLES).index(cell.arm)
            ours = t_interval(shown.values(cell.arm, cell.metric))
            assert marks[place, "#000000"] == pytest.approx((cell.value, cell.spread or 0))
            assert marks[place, arm_color(place)] == pytest.approx((ours.mean, ours.half_width))
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == list(TITLES.values())
