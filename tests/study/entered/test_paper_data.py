"""The papers' own numbers and claims: complete, well formed, true to what the papers derive from them."""

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import mean

import pytest

from lggkit.study.entered.papers import find, papers

FOLDER = Path(__file__).resolve().parents[3] / "data" / "paper"
COLUMNS = {
    "cells": "table,row,column,value,spread,spread_kind,n,unit,kind,experiment,arm,metric,tolerance,"
    "available,n_required,source,note",
    "claims": "id,number,section,statement,kind,experiment,left,right,metric,margin,direction,members,"
    "n_required_short,n_required_reduced,n_required_paper,gate,after_run,shares,source,note",
}
PAPERS = papers()
KNOWN = {experiment for one in PAPERS for experiment in one.experiments}
UNITS = {"ms", "percent", "percent accuracy", "ratio", "dimensionless", "MAE x100"}
OF_ARM = re.compile(r"[a-z0-9_.-]+:[a-z0-9_]+")
T_95_OF_10 = 2.262157
NUMBER = re.compile(r"(?:a\d\d-)?([pr]?)(\d+)([a-z]?)")
"""Of a collection's claims the article comes first: ``a03-p1a``; ``r`` is a reading of ours."""
WHOLE = re.compile(r"[1-9][0-9]*")
each = pytest.mark.parametrize("paper", [one.name for one in PAPERS])


@cache
def read(paper: str, name: str) -> list[dict[str, str]]:
    with open(FOLDER / paper / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def values(paper: str, table: str, field: str = "value") -> dict[tuple[str, str], float]:
    """The measured numbers of a table by (row, column)."""
    rows = [r for r in read(paper, "cells") if r["table"] == table and r["kind"] == "measured"]
    return {(r["row"], r["column"]): float(r[field]) for r in rows}


@each
@pytest.mark.parametrize("name", COLUMNS)
def test_rows_have_the_declared_columns_trimmed_and_a_source(paper, name):
    for row in read(paper, name):
        assert ",".join(row) == COLUMNS[name]
        assert all(v is not None and v == v.strip() and "\n" not in v for v in row.values()), row
        assert row["source"], row


@each
def test_tables_hold_as_many_measured_cells_as_the_papers_print_each_once(paper):
    rows = read(paper, "cells")
    assert Counter(r["table"] for r in rows if r["kind"] == "measured") == dict(find(paper).tables)
    assert len({(r["table"], r["row"], r["column"]) for r in rows}) == len(rows)


@each
def test_cells_hold_allowed_values(paper):
    for row in read(paper, "cells"):
        assert re.fullmatch(r"\d+(\.\d+)?", row["value"]), row
        assert row["kind"] in {"measured", "definition", "descriptor"}, row
        assert row["spread_kind"] in {"sd", "se", "ci95", "unstated", ""}, row
        assert bool(row["spread"]) == bool(row["spread_kind"]), row
        assert not row["spread"] or float(row["spread"]) > 0, row
        assert row["n"] == "" or WHOLE.fullmatch(row["n"]), row
        assert row["unit"] in UNITS and row["available"] in {"yes", "no"}, row
        assert row["tolerance"] == "" or float(row["tolerance"]) > 0, row


@each
def test_cells_say_what_they_are_compared_with(paper):
    for row in read(paper, "cells"):
        assert row["experiment"] in KNOWN and row["arm"] and row["metric"], row
        assert WHOLE.fullmatch(row["n_required"]), row


@each
def test_the_default_tolerance_is_left_to_plain_percentages(paper):
    default = (r for r in read(paper, "cells") if r["kind"] == "measured" and not r["tolerance"])
    for row in default:
        assert row["unit"] in {"percent", "percent accuracy"} and row["spread_kind"] in {"sd", ""}, row


@each
def test_what_nobody_here_can_have_says_why(paper):
    missing = [r["note"] for r in read(paper, "cells") if r["available"] == "no"]
    assert all("could not be had" in note for note in missing)


@each
def test_every_numbered_claim_is_there_once(paper):
    plain = [r["number"] for r in read(paper, "claims") if r["number"].isdigit()]
    assert sorted(plain, key=int) == [str(i + 1) for i in range(find(paper).claims)]


@each
def test_identifiers_are_unique_and_carry_their_number(paper):
    rows = read(paper, "claims")
    assert len({r["id"] for r in rows}) == len({r["number"] for r in rows}) == len(rows)
    for row in rows:
        article, kind, digits, part = re.fullmatch(r"(a\d\d-)?([a-z]?)(\d+)([a-z]?)", row["number"]).groups()
        number = digits if article else f"{int(digits):02d}"
        stem = f"{article or ''}{kind or 'c'}{number}{part}"
        assert re.fullmatch(rf"{stem}(-[a-z0-9]+)+", row["id"]), row


@each
def test_claims_name_a_known_experiment_or_say_why_not(paper):
    for row in read(paper, "claims"):
        assert row["experiment"] in KNOWN or (not row["experiment"] and "Not measurable" in row["note"]), row


@each
def test_claims_are_one_sentence_with_their_seeds_fixed(paper):
    for row in read(paper, "claims"):
        assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", row["statement"]) and ". " not in row["statement"], row
        assert all(WHOLE.fullmatch(row[f"n_required_{scale}"]) for scale in ("short", "reduced", "paper")), (
            row
        )
        assert row["section"], row


def check_sides(row):
    both = [bool(OF_ARM.fullmatch(row[side])) for side in ("left", "right")]
    assert row["left"] and row["right"] and row["left"] != row["right"], row
    assert all(both) if not row["metric"] else not any(both), row
    assert not row["direction"] and not row["members"], row


def check_greater(row):
    check_sides(row)
    assert not row["margin"], row


def check_equivalent(row):
    check_sides(row)
    assert float(row["margin"]) > 0, row


def check_trend(row):
    assert row["left"] and row["metric"] and row["direction"] in {"increasing", "decreasing"}, row
    assert not row["right"] and not row["margin"] and not row["members"], row


def check_exact(row):
    assert row["left"] and row["metric"] and float(row["margin"]) >= 0, row
    assert not row["right"] and not row["direction"] and not row["members"], row


def check_all_of(row):
    assert len(set(row["members"].split(";"))) >= 2, row
    assert not any(row[c] for c in ("left", "right", "metric", "margin", "direction")), row


@each
def test_each_kind_of_claim_has_what_its_rule_needs(paper):
    checks = (check_greater, check_equivalent, check_trend, check_exact, check_all_of)
    by_kind = {check.__name__.removeprefix("check_"): check for check in checks}
    for row in read(paper, "claims"):
        by_kind[row["kind"]](row)


@each
def test_members_are_measurable_claims_and_no_part_is_left_out(paper):
    rows = {r["id"]: r for r in read(paper, "claims")}
    joined = {m for r in rows.values() if r["members"] for m in r["members"].split(";")}
    assert all(rows[m]["experiment"] and rows[m]["kind"] != "all_of" for m in joined)
    parts = {r["id"] for r in rows.values() if r["number"][-1].isalpha() and r["experiment"]}
    assert parts == joined


@each
def test_a_joined_claim_asks_for_no_more_seeds_than_it_has(paper):
    rows = {r["id"]: r for r in read(paper, "claims")}
    for row in (r for r in rows.values() if r["members"]):
        for field in ("n_required_short", "n_required_reduced", "n_required_paper"):
            needed = [int(rows[m][field]) for m in row["members"].split(";")]
            assert int(row[field]) == max(needed), row


def test_the_gains_of_distillation_follow_from_the_errors():
    error = {row: v for (row, _), v in values("lgg", "table-1").items()}
    gains = [error["Baseline"] - error[method] for method in ("RKD-D", "GKD")]
    assert gains == pytest.approx([0.29, 0.63])


def test_released_tolerances_follow_from_the_released_intervals():
    rows = [r for r in read("lgg", "cells") if r["spread_kind"] == "ci95"]
    assert len(rows) == 28
    for row in rows:
        deviation = float(row["spread"]) * int(row["n"]) ** 0.5 / T_95_OF_10
        assert float(row["tolerance"]) == pytest.approx(max(0.5, 2 * deviation), abs=0.006)


def test_released_accuracies_fit_the_printed_errors_where_they_should():
    printed, released = values("lgg", "table-3"), values("lgg", "table-3-released")
    for row, gap in (("Baseline", 0.84), ("Parseval", 0.1), ("Label variation regulariser", 0.1)):
        assert abs(100 - released[row, "clean"] - printed[row, "clean error"]) <= gap + 1e-9
        attacked = 100 - released[row, "FGSM after normalisation"]
        assert abs(attacked - printed[row, "adversarial error"]) < 0.5


def test_the_smoothness_embedding_stays_as_far_from_cross_entropy_as_known():
    cells = values("graph_smoothness_loss", "table-1")
    known = {"CIFAR-10": (0.42, 0.57), "CIFAR-100": (0.90, 2.63), "SVHN": (-0.35, 0.15)}
    for data, (low, high) in known.items():
        own = [v for (row, column), v in cells.items() if column == data and row.startswith("proposed")]
        reference = cells["CE - argmax", data]
        assert (min(own) - reference, max(own) - reference) == pytest.approx((low, high))


def test_transfer_accuracies_average_to_the_printed_means():
    cells = values("ot_transfer", "table-1")
    printed = {"L2": 82.27, "L2-SP": 83.99, "Ω_I": 84.02, "Ω_U": 83.21, "Ω_P": 84.67}
    for method, value in printed.items():
        assert mean(v for (row, _), v in cells.items() if row == method) == pytest.approx(value, abs=0.0051)
    assert mean(v for (row, _), v in cells.items() if row == "none") == pytest.approx(82.236)  # 82.18 printed


def test_a_student_without_teacher_is_the_same_under_both_teachers():
    for field in ("value", "spread"):
        cells = values("ot_transfer", "table-2", field)
        large = {c: v for (row, c), v in cells.items() if row == "none" and " L to " in c}
        assert len(large) == 4
        assert all(cells["none", c.replace(" L to ", " W to ")] == v for c, v in large.items())


def test_robust_maps_improve_on_vanilla_in_every_pair_of_cells():
    cells = values("relative_representations", "table-1")
    vanilla = {k: v for k, v in cells.items() if k[1].startswith("relative vanilla")}
    assert len(vanilla) == 12
    for (pair, column), value in vanilla.items():
        gain = cells[pair, column.replace("vanilla", "robust")] - value
        assert gain < 0 if column.endswith("MAE") else gain > 0


def test_densification_narrows_eleven_of_twelve_spreads():
    spread = values("relative_representations", "table-1", "spread")
    robust = {k: v for k, v in spread.items() if k[1].startswith("relative robust")}
    denser = {(p, c): spread[p, c.replace("relative robust", "robust + topology")] for p, c in robust}
    assert sum(denser[k] < robust[k] for k in robust) == 11
