import math
from types import SimpleNamespace

import pandas as pd
import pytest

from lggkit.study.entered.paper import cells
from lggkit.study.judging.statistics import Interval, t_interval
from lggkit.study.judging.texts import known
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown import tables
from lggkit.study.shown.view import Shown


@pytest.fixture
def shown(make_record, tmp_path):
    cost = {"parameters": 94154, "macs": 14_800_000}
    records = [make_record("gkd", seed, seconds=60.0 * (seed + 1), metrics=cost) for seed in range(3)]
    records.append(make_record("kd", 0, status="diverged", reason="loss", metrics={}))
    return Shown("lgg/s41_distillation", "reduced", tuple(records), Ledger(tmp_path))


def test_costs_are_medians_over_complete_runs(shown):
    table = tables.costs_table(shown, {"kd": "Hinton KD", "gkd": "GKD", "sp": "SP"})
    assert table.to_dict("records") == [
        {"": "GKD", "parameters": "94,154", "multiply-accumulates": "14.8 M", "minutes": "2.0 (1.0 to 3.0)"}
    ]


def test_costs_of_records_that_name_a_network_are_those_of_its_training(make_record, tmp_path):
    cost = {"parameters": 7, "macs": 1e6}
    named = [make_record(arm, 0, seconds=6.0, network=arm * 8, metrics=cost) for arm in ("kd", "sp")]
    ledger = SimpleNamespace(
        trainings=SimpleNamespace(lines=lambda: [SimpleNamespace(key="kd" * 8, seconds=90)])
    )
    table = tables.costs_table(
        Shown("lgg/s41_distillation", "reduced", tuple(named), ledger), {"kd": "KD", "sp": "SP"}
    )
    assert list(table["minutes"]) == ["1.5", "–"]


def test_the_device_of_a_training_stands_beside_that_of_its_measuring(make_record, tmp_path):
    run = make_record("gkd", 0, device="a laptop", trained_on="a server")
    shown = Shown("lgg/s41_distillation", "reduced", (run,), Ledger(tmp_path))
    (row,) = tables.provenance(shown).to_dict("records")
    assert (row["trained on"], row["device"]) == ("a server", "a laptop")


def test_columns_in_which_nothing_stands_are_left_out():
    text = tables.as_myst(pd.DataFrame({"a": ["x", ""], "gone": ["", ""], "": ["", "z"]}), "Caption")
    assert "gone" not in text and "- a\n" in text and "- z" in text
    assert "- gone" in tables.as_myst(pd.DataFrame({"gone": []}), "Caption")


@pytest.mark.parametrize("number", ["1.0 ± 0.5 (5)", "[−1.3, 2.15]"])
def test_a_number_stays_on_one_line(number):
    text = tables.as_myst(pd.DataFrame({"a": [f"so much: {number} and more"]}), "Caption")
    assert number.replace(" ", "\N{NO-BREAK SPACE}") in text and "so much: " in text


def test_arms_that_were_not_run_have_no_row(shown):
    table = tables.arms_table(shown, {"sp": "SP", "kd": "Hinton KD", "gkd": "GKD"}, {"size": "parameters"}, 1)
    assert table.to_dict("records") == [{"": "GKD", "size": "94,154.0 ± 0.0 (3)"}]


@pytest.mark.parametrize(
    ("counts", "headings"), [((15, 15), ["", "MCE"]), ((15, 9), ["", "MCE", "corruptions"])]
)
def test_a_count_has_a_column_where_it_varies(make_record, tmp_path, counts, headings):
    runs = [
        make_record(arm, 0, metrics={"mce": 100.0, "relative_corruptions": count})
        for arm, count in zip(("kd", "gkd"), counts, strict=True)
    ]
    shown = Shown("lgg/s41_distillation", "reduced", tuple(runs), Ledger(tmp_path))
    columns = {"MCE": "mce", "corruptions": "relative_corruptions"}
    assert list(tables.arms_table(shown, {"kd": "KD", "gkd": "GKD"}, columns)) == headings


def test_a_metric_that_no_run_has_is_a_dash(shown):
    table = tables.arms_table(shown, {"gkd": "GKD"}, {"margin": "no such metric"})
    assert table.to_dict("records") == [{"": "GKD", "margin": "–"}]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, 1.1, 0.9], "more"),
        ([-1.0, -1.1, -0.9], "less"),
        ([-1.0, 1.1, 0.9], "3 seeds cannot tell the two apart"),
        ([1.0], "one seed cannot tell the two apart"),
    ],
)
def test_only_an_interval_beside_zero_has_a_sign(values, text):
    assert tables.sign_text(t_interval(values), "more", "less") == text


def test_released_values_come_with_their_spread_and_its_kind():
    table = tables.printed_table("lgg", "table-1-released").set_index("row")
    by_row = {c.row: c for c in cells("lgg") if c.table == "table-1-released"}
    gkd = by_row["GKD"]
    assert table.loc["GKD", "error"] == f"{gkd.value:g} ± {gkd.spread:g} (sd)"
    assert table.loc["GKD", "runs"] == gkd.n
    assert table.loc["Teacher", "error"] == f"{by_row['Teacher'].value:g}"


def test_intervals_of_one_seed_have_no_half_width():
    assert tables.interval_text(t_interval([3.0])) == "3.00 (1)"
    assert tables.interval_text(t_interval([1.0, 3.0]), 1) == "2 ± 13 (2)"


@pytest.mark.parametrize(
    ("ends", "digits", "text"),
    [
        ((19142.98, -22471.79, 60757.75), 2, "19,000 ± 42,000 (3)"),
        ((114.8, 72.96, 156.64), 2, "115 ± 42 (3)"),
        ((95.451, 95.33, 95.572), 2, "95.45 ± 0.12 (3)"),
        ((95.451, 95.4509, 95.4511), 2, "95.45 ± 0.00 (3)"),
        ((5.0, 5.0, 5.0), 2, "5.00 ± 0.00 (3)"),
        ((-0.02, -9.0, 8.96), 3, "0.0 ± 9.0 (3)"),
    ],
)
def test_a_number_ends_where_its_interval_does(ends, digits, text):
    assert tables.interval_text(Interval(*ends, n=3), digits) == text


@pytest.mark.parametrize(
    ("value", "half_width", "text"),
    [(3.14159e-9, 1e-10, "3.1e-09"), (2.5, math.inf, "2.5"), (2.0, 0.0, "2.0"), (0.9999, 0.0996, "1.000")],
)
def test_what_is_known_of_a_number(value, half_width, text):
    digits = None if 0 < half_width < math.inf else 1
    assert known(value, half_width, digits) == text


def test_arms_of_one_origin_share_a_row_and_reasons_of_a_path_are_left_out(make_record, tmp_path):
    here = {"device": "a laptop", "torch": "2.11", "commit": "0123456789abcdef", "seconds": 30.0}
    path = "cpu, float32, compiled: float32 was asked for; compiled is 1.1x eager"
    runs = [
        make_record("gkd", 0, path=path, **here),
        make_record("gkd", 1, path="cpu, float32, compiled: compiled is 1.2x eager", **here),
        make_record("sp", 0, path=path, status="diverged", reason="loss", metrics={}, **here),
        make_record("kd", 0, path="cpu, float32, eager", **here),
    ]
    once = Shown("lgg/s41_distillation", "reduced", tuple(runs), Ledger(tmp_path))
    table = tables.provenance(once, once)
    common = {
        "scale": "reduced",
        "trained on": "",
        "device": "a laptop",
        "torch": "2.11",
        "commit": "01234567",
    }
    assert table.to_dict("records") == [
        common
        | {
            "arms": "gkd, sp",
            "runs": 3,
            "diverged": 1,
            "code path": "cpu, float32, compiled",
            "minutes": "1.5",
        },
        common
        | {"arms": "kd", "runs": 1, "diverged": 0, "code path": "cpu, float32, eager", "minutes": "0.5"},
    ]


def test_cells_are_shown_as_printed_and_differences_with_a_minus_sign():
    table = tables.paper_table("graph_smoothness_loss", "table-2")
    assert "5.60" in set(table["printed"])
    assert tables.interval_text(t_interval([-1.5])) == "−1.50 (1)"


def test_a_table_without_any_run_is_as_the_paper_prints_it():
    frame, why = tables.unmeasured_table("ot_transfer", "table-1")
    assert why == "data not to be had" and list(frame.columns)[:2] == ["", "Aircraft100"]
    assert frame.shape == (6, 6) and (frame != "–").all(axis=None)
    wide, _ = tables.unmeasured_table("relative_representations", "table-1")
    assert wide.shape == (12, 5)
    assert tables.unmeasured_table("lgg", "table-1") is None


def test_an_interval_of_equal_seeds_has_no_sign():
    assert tables.sign_text(t_interval([0.5] * 3), "more", "less") == "3 seeds cannot tell the two apart"


def test_a_table_that_the_paper_does_not_have_is_named():
    with pytest.raises(KeyError, match="lgg has no measured cell in a table 'table-9'"):
        tables.paper_table("lgg", "table-9")
