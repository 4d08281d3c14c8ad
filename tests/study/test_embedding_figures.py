import numpy as np
import pytest
from matplotlib.colors import to_hex

from lggkit.study.figures import CLASS_COLORS, CLASS_MARKERS, embeddings
from lggkit.study.ledger import Ledger
from lggkit.study.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "graph_smoothness_loss/s42_visualisation"
TITLES = {"graph_smoothness": "graph smoothness, L2", "cross_entropy": "cross-entropy"}


@pytest.fixture
def shown(tmp_path, make_record):
    """A function from records to what a notebook is shown."""

    def make(records, name=NAME):
        ledger = Ledger(tmp_path)
        for record in records:
            ledger.append(record)
        return Shown(name, "smoke", tuple(ledger.records(name, "smoke")), ledger)

    return make


@pytest.fixture
def films(shown, make_record):
    rng = np.random.default_rng(0)
    records = []
    for spread, arm in enumerate(TITLES, start=1):
        for seed in range(2):
            labels = np.arange(60) % 3
            metrics = {
                f"{name}_by_moment": [spread + seed, 2.0, spread + 3.0 + seed] for name in embeddings.MEASURES
            }
            arrays = {
                "embeddings": (10 * spread * rng.uniform(-1, 1, (3, 60, 2))).astype(np.float16),
                "labels": labels.astype(np.uint8),
                "epochs": np.array([0, 1, 4]),
                "class_names": np.array(["cat", "dog", "frog"]),
            }
            places = {"experiment": NAME, "scale": "smoke", "seed": seed}
            records.append(make_record(arm, metrics=metrics, arrays=arrays, **places))
    return shown(records)


def drawn(ax):
    """The places on a panel by class colour, as (n, 2)."""
    return {to_hex(line.get_color()).upper(): np.array(line.get_data()).T for line in ax.lines}


def test_the_film_has_a_row_an_arm_and_a_column_a_moment(films):
    figure = embeddings.film_figure(films, TITLES, seed=1, points=30)
    panels = np.array(figure.axes).reshape(2, 3)
    for row, arm in zip(panels, TITLES, strict=True):
        arrays = films.arrays(arm, 1)
        for ax, frame in zip(row, arrays["embeddings"], strict=True):
            found = drawn(ax)
            assert len(found) == 3
            for label in range(3):
                expected = frame[:30][arrays["labels"][:30] == label]
                np.testing.assert_array_equal(found[CLASS_COLORS[label].upper()], expected)
            assert {line.get_marker() for line in ax.lines} == set(CLASS_MARKERS[:3])
            assert ax.get_xlim() == ax.get_ylim() == row[0].get_xlim()
    assert panels[0, 0].get_xlim() != panels[1, 0].get_xlim()
    assert [ax.get_title() for ax in panels[0]] == ["before training", "epoch 1", "epoch 4"]
    assert panels[0, 0].get_ylabel() == "graph smoothness,\nL2"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["cat", "dog", "frog"]


def test_nothing_of_a_film_lies_outside_of_its_panels(films):
    figure = embeddings.film_figure(films, TITLES, points=60)
    for ax in figure.axes:
        reach = ax.get_xlim()[1]
        assert all(np.abs(line.get_data()).max() <= reach for line in ax.lines)


def test_clustering_is_drawn_over_epochs_with_every_seed(films):
    figure = embeddings.clustering_figure(films, TITLES)
    assert len(figure.axes) == len(embeddings.MEASURES)
    for ax, metric in zip(figure.axes, embeddings.MEASURES, strict=True):
        assert len(ax.lines) == 2 * (2 + 1)
        means = [line for line in ax.lines if line.get_marker() != "None"]
        for line, arm in zip(means, TITLES, strict=True):
            assert line.get_xdata().tolist() == [0, 1, 4]
            expected = np.mean(films.values(arm, f"{metric}_by_moment"), axis=0)
            np.testing.assert_allclose(line.get_ydata(), expected)
            assert line.get_label() == TITLES[arm]
    assert [ax.get_yscale() for ax in figure.axes] == ["linear", "linear", "log", "linear"]


@pytest.fixture
def sweeps(shown, make_record):
    name = "graph_smoothness_loss/s43_classification"
    errors = {"kmax": 20, "k10": 30, "k1": 40, "d2": 60, "d10": 20, "alpha0.5": 19, "alpha2": 20}
    records = [
        make_record(
            f"{arm}-{data}",
            seed,
            "smoke",
            name,
            metrics={"error_10nn": error + seed + shift, "validation_error_10nn": error - 1.0},
        )
        for arm, error in errors.items()
        for data, shift in (("cifar10", 0), ("svhn", 5))
        for seed in range(2)
    ]
    others = [make_record(arm, 0, "smoke", name) for arm in ("graph_smoothness-cifar10", "exact")]
    return shown([*records, *others], name)


def test_sweeps_are_in_order_of_their_values_with_all_pairs_at_the_batch_size(sweeps):
    figure = embeddings.sweep_figure(sweeps)
    expected = {
        "k": ([1, 10, 100], [40.5, 30.5, 20.5], ["1", "10", "all"], 100),
        "d": ([2, 10], [60.5, 20.5], ["2", "10"], 10),
        "alpha": ([0.5, 2], [19.5, 20.5], ["0.5", "2"], 2),
    }
    for ax, (places, means, ticks, kept) in zip(figure.axes, expected.values(), strict=True):
        test, held_out = (line for line in ax.lines if line.get_linestyle() in ("-", "--"))
        assert list(test.get_xdata()) == places and list(test.get_ydata()) == means
        assert list(held_out.get_ydata()) == [mean - 1.5 for mean in means]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks
        assert kept in [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
        assert ax.get_xscale() == "log"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["test images", "held out"]


def test_a_sweep_is_of_one_data_set(sweeps):
    assert embeddings.swept(sweeps, "k", "svhn") == {"1": "k1-svhn", "10": "k10-svhn", "max": "kmax-svhn"}
    (test,) = (
        line
        for line in embeddings.sweep_figure(sweeps, data="svhn").axes[0].lines
        if line.get_linestyle() == "-"
    )
    assert list(test.get_ydata()) == [45.5, 35.5, 25.5]


def test_options_have_a_panel_each_and_a_line_at_the_value_that_others_keep(sweeps):
    options = {
        "margin": {10.0: "k10-cifar10", 1.0: "k1-cifar10"},
        "temperature": {0.5: "alpha0.5-cifar10", 2.0: "alpha2-cifar10"},
    }
    figure = embeddings.options_figure(sweeps, options, [10, None])
    expected = [([1, 10], [40.5, 30.5], ["1", "10"], [10]), ([0.5, 2], [19.5, 20.5], ["0.5", "2"], [])]
    for ax, label, (places, means, ticks, kept) in zip(figure.axes, options, expected, strict=True):
        test, held_out = (line for line in ax.lines if line.get_linestyle() in ("-", "--"))
        assert list(test.get_xdata()) == list(held_out.get_xdata()) == places
        assert list(test.get_ydata()) == means
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks
        assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"] == kept
        assert (ax.get_xlabel(), ax.get_xscale()) == (label, "log")
