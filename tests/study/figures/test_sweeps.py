import pytest

from lggkit.study.figures import sweeps as drawn
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "graph_smoothness_loss/s43_classification"


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
def sweeps(shown, make_record):
    errors = {"kmax": 20, "k10": 30, "k1": 40, "d2": 60, "d10": 20, "alpha0.5": 19, "alpha2": 20}
    records = [
        make_record(
            f"{arm}-{data}",
            seed,
            "smoke",
            NAME,
            metrics={"error_10nn": error + seed + shift, "validation_error_10nn": error - 1.0},
        )
        for arm, error in errors.items()
        for data, shift in (("cifar10", 0), ("svhn", 5))
        for seed in range(2)
    ]
    others = [make_record(arm, 0, "smoke", NAME) for arm in ("graph_smoothness-cifar10", "exact")]
    return shown([*records, *others])


def test_sweeps_are_in_order_of_their_values_with_all_pairs_at_the_batch_size(sweeps):
    figure = drawn.sweep_figure(sweeps)
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
    assert drawn.swept(sweeps, "k", "svhn") == {"1": "k1-svhn", "10": "k10-svhn", "max": "kmax-svhn"}
    (test,) = (
        line for line in drawn.sweep_figure(sweeps, data="svhn").axes[0].lines if line.get_linestyle() == "-"
    )
    assert list(test.get_ydata()) == [45.5, 35.5, 25.5]


def test_options_have_a_panel_each_and_a_line_at_the_value_that_others_keep(sweeps):
    options = {
        "margin": {10.0: "k10-cifar10", 1.0: "k1-cifar10"},
        "temperature": {0.5: "alpha0.5-cifar10", 2.0: "alpha2-cifar10"},
    }
    figure = drawn.options_figure(sweeps, options, [10, None])
    expected = [([1, 10], [40.5, 30.5], ["1", "10"], [10]), ([0.5, 2], [19.5, 20.5], ["0.5", "2"], [])]
    for ax, label, (places, means, ticks, kept) in zip(figure.axes, options, expected, strict=True):
        test, held_out = (line for line in ax.lines if line.get_linestyle() in ("-", "--"))
        assert list(test.get_xdata()) == list(held_out.get_xdata()) == places
        assert list(test.get_ydata()) == means
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ticks
        assert [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"] == kept
        assert (ax.get_xlabel(), ax.get_xscale()) == (label, "log")
