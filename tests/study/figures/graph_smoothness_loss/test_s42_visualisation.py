import numpy as np
import pytest
from matplotlib.colors import to_hex

from lggkit.study.figures import CLASS_COLORS, CLASS_MARKERS
from lggkit.study.figures.graph_smoothness_loss import s42_visualisation as embeddings
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown

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
    assert [ax.get_title() for ax in panels[0]] == ["start", "epoch 1", "epoch 4"]
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
