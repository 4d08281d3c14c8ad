"""Arms keep colour and mark, panels go two by two, and what is drawn of seeds is what they are."""

import numpy as np
import pytest

from lggkit import experiments
from lggkit.study.figures import parts
from lggkit.study.figures.style import ARM_COLORS, MARKS, arm_places, look_of
from lggkit.study.judging.statistics import t_interval

pytestmark = pytest.mark.usefixtures("no_window")


def test_a_hundred_arms_have_a_look_of_their_own():
    found = {tuple(look_of(index).values()) for index in range(len(ARM_COLORS) * len(MARKS))}
    assert len(found) == 100


@pytest.mark.parametrize("index", [8, 9, 10, 25, 1000])
def test_the_nth_arm_has_a_colour_and_a_mark(index):
    look = look_of(index)
    assert look["color"] in ARM_COLORS and look["marker"] in MARKS


def test_every_arm_of_every_experiment_has_a_look():
    for experiment in experiments.all_experiments():
        places = arm_places(experiment.name)
        assert list(places) == [arm.name for arm in experiment.arms]
        stems = {arm.partition("-")[0] for arm in places}
        assert len(set(places.values())) == len(stems), experiment.name


def test_arms_that_sections_share_look_the_same_on_all_their_pages():
    names = [e.name for e in experiments.all_experiments() if "graph_smoothness" in arm_places(e.name)]
    assert len(names) >= 3
    for arm in ("cross_entropy", "graph_smoothness"):
        assert len({arm_places(name)[arm] for name in names}) == 1


def test_what_follows_a_hyphen_changes_no_look():
    places = arm_places("graph_smoothness_loss/s43_classification")
    assert places["graph_smoothness-cifar10"] == places["graph_smoothness-cifar100"] == 1
    assert places["cross_entropy-cifar10"] == 0


@pytest.mark.parametrize(
    ("number", "rows", "columns"), [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 2), (5, 3, 2)]
)
def test_panels_are_up_to_three_in_a_row_and_else_two(number, rows, columns):
    figure, axes = parts.panels(number)
    spec = axes[0].get_gridspec()
    assert (spec.nrows, spec.ncols) == (rows, columns) and len(axes) == number
    assert sum(ax.get_visible() for ax in figure.axes) == number


def lines(ax):
    return [(list(line.get_xdata()), list(line.get_ydata()), line.get_label()) for line in ax.lines]


def test_seeds_are_thin_lines_and_their_mean_a_thick_one():
    _, (ax,) = parts.panels(1)
    parts.seed_lines(ax, [0, 1], [[1.0, 3.0], [3.0, 5.0]], look_of(9), "arm")
    *seeds, mean = ax.lines
    assert [list(line.get_ydata()) for line in seeds] == [[1, 3], [3, 5]]
    assert list(mean.get_ydata()) == [2, 4] and mean.get_label() == "arm"
    assert mean.get_linewidth() > seeds[0].get_linewidth() and mean.get_marker() == look_of(9)["marker"]


def test_no_seed_draws_nothing():
    _, (ax,) = parts.panels(1)
    parts.seed_lines(ax, [], [], look_of(0), "arm")
    parts.banded(ax, [], [], look_of(0), "arm", 0)
    parts.marked_interval(ax, 0.0, [], look_of(0))
    parts.dots(ax, 0.0, [])
    assert not ax.containers and not any(len(line.get_xdata()) for line in ax.lines)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_a_band_is_there_from_three_seeds_on(seeds):
    rows = np.random.default_rng(seeds).uniform(size=(seeds, 4))
    _, (ax,) = parts.panels(1)
    parts.banded(ax, range(4), rows, look_of(0), "arm", 0)
    assert bool(ax.collections) == (seeds >= 3)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), rows.mean(0))


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("values", [[4.0], [1.0, 3.0], [1.0, 2.0, 6.0]])
def test_an_interval_lies_along_the_axis_that_is_asked_for(values, upright):
    _, (ax,) = parts.panels(1)
    parts.marked_interval(ax, 7.0, values, look_of(3), "arm", upright=upright)
    line, _, (bar,) = ax.containers[0]
    mean, place = (line.get_ydata(), line.get_xdata()) if upright else (line.get_xdata(), line.get_ydata())
    assert (mean[0], place[0]) == (pytest.approx(np.mean(values)), 7)
    (low, high) = bar.get_segments()[0][:, 1 if upright else 0]
    half = t_interval(values).half_width if len(values) > 2 else 0
    assert (high - low) / 2 == pytest.approx(half)
    assert line.get_marker() == look_of(3)["marker"]
