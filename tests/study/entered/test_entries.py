"""Broken tables of the papers: each fault is one sentence with file and line, and nothing vanishes."""

import csv
import io
import shutil

import pytest

from lggkit.study import paths
from lggkit.study.entered import paper
from lggkit.study.entered.entries import read_entries
from lggkit.study.judging import scorecard

REAL = paths.repository() / "data" / "paper"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the papers' tables that may be broken."""
    shutil.copytree(REAL, tmp_path / "data" / "paper")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path / "data" / "paper" / "lgg"


def edited(path, line, **fields):
    """Writes fields of one line of a file anew."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    for name, value in fields.items():
        rows[line - 1][rows[0].index(name)] = value
    with open(path, "w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows(rows)


def refusal(name):
    with pytest.raises(ValueError) as refused:
        (paper.cells if name == "cells.csv" else paper.claims)("lgg")
    said = str(refused.value)
    assert "\n" not in said and name in said
    return said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"value": "10,4"}, "value is '10,4'; write a finite number with a decimal point"),
        ({"value": "nan"}, "value is 'nan'"),
        ({"value": "1e999"}, "value is '1e999'"),
        ({"value": "1_0"}, "value is '1_0'"),
        ({"value": ""}, "value is empty"),
        ({"spread": "-1", "spread_kind": "sd"}, "spread is '-1'; write a finite number from 0 on"),
        ({"spread": "1"}, "spread and spread_kind go together"),
        ({"spread": "1", "spread_kind": "std"}, "spread_kind is 'std'; write one of nothing, sd"),
        ({"n": "4.5"}, "n is '4.5'; write a whole number from 1 on"),
        ({"n_required": "0"}, "n_required is '0'"),
        ({"n_required": ""}, "n_required is empty"),
        ({"kind": "measurd"}, "kind is 'measurd'; write one of measured, definition, descriptor"),
        ({"available": "Yes"}, "available is 'Yes'; write one of yes, no"),
        ({"tolerance": "half"}, "tolerance is 'half'"),
        ({"arm": ""}, "arm is empty"),
        ({"experiment": "../../escaped/x"}, "write paper/section"),
        ({"experiment": "lgg/s99_none"}, "experiment is 'lgg/s99_none', no section of paper.toml"),
        ({"row": "input", "column": "label variation"}, "stood in line 2"),
    ],
    ids=str,
)
def test_a_wrong_cell_is_named_by_file_and_line(folder, fields, said):
    edited(folder / "cells.csv", 3, **fields)
    assert said in refusal("cells.csv") and "line 3: " in refusal("cells.csv")


@pytest.mark.parametrize(
    ("line", "fields", "said"),
    [
        (2, {"kind": "bigger"}, "kind is 'bigger'; write one of greater, equivalent, trend, exact, all_of"),
        (2, {"left": ""}, "left is empty"),
        (2, {"left": "resnet18"}, "left is 'resnet18' without a metric"),
        (2, {"margin": "1"}, "margin is '1', which a claim of kind greater does not have"),
        (2, {"kind": "equivalent"}, "margin is empty"),
        (2, {"kind": "equivalent", "margin": "0"}, "margin is 0"),
        (2, {"kind": "trend", "metric": "a", "right": "", "direction": "down"}, "direction is 'down'"),
        (2, {"kind": "exact", "metric": "a", "right": "", "margin": "inf"}, "margin is 'inf'"),
        (2, {"n_required_paper": "five"}, "n_required_paper is 'five'"),
        (2, {"n_required_short": "0"}, "n_required_short is '0'"),
        (2, {"experiment": "/etc/passwd"}, "write paper/section"),
        (2, {"experiment": "lgg/s99_none"}, "experiment is 'lgg/s99_none', no section of paper.toml"),
        (
            2,
            {"gate": "resnet18:test_error<15"},
            "gate has 'resnet18:test_error<15'; write arm:metric<=number",
        ),
        (2, {"after_run": "no"}, "after_run is 'no'; write one of nothing, yes"),
        (2, {"shares": "c02"}, "shares is 'c02'; write paper/id of another claim"),
        (2, {"shares": "lgg/c01a-variation-input-above-middle"}, "write paper/id of another claim"),
        (4, {"gate": "resnet18:test_error<=15"}, "gate is given, which a claim of kind all_of does not have"),
        (3, {"id": "c01a-variation-input-above-middle"}, "stood in line 2"),
        (3, {"number": "1a"}, "number 1a stood in line 2"),
        (4, {"members": "nobody"}, "members has 'nobody'"),
        (4, {"members": "c01-variation-falls-with-depth"}, "no all_of"),
        (4, {"members": ""}, "members is empty"),
    ],
    ids=str,
)
def test_a_wrong_claim_is_named_by_file_and_line(folder, line, fields, said):
    edited(folder / "claims.csv", line, **fields)
    assert said in refusal("claims.csv") and f"line {line}: " in refusal("claims.csv")


def changed(path, change):
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (lambda b: b"", 1, "the header lacks table, row"),
        (lambda b: b.replace(b",", b";"), 1, "the header lacks table"),
        (lambda b: b.replace(b",metric,", b",", 1), 1, "the header lacks metric; write table,row,"),
        (lambda b: b.replace(b",metric,", b",metric,metric,", 1), 1, "the header has metric"),
        (lambda b: b.replace(b",metric,", b",Metric,", 1), 1, "lacks metric and has Metric"),
        (lambda b: b"\n".join(b.split(b"\n")[1:]), 1, "the header lacks table"),
        (
            lambda b: b.replace(b"\nfigure-2,middle,", b"\nfigure-2,", 1),
            3,
            "16 fields where the header has 17",
        ),
        (lambda b: b.replace(b"\nfigure-2,middle,", b"\nfigure-2,,middle,", 1), 3, "18 fields"),
        (lambda b: b.replace(b"\nfigure-2,middle,", b'\nfigure-2,"middle,', 1), 3, "quotes"),
        (lambda b: b.replace(b"\nfigure-2,middle,", b'\nfigure-2,"mid"dle,', 1), 3, "quotes"),
        (
            lambda b: b.replace(b"middle,label variation", b'"mid\ndle",label variation', 1),
            3,
            "check the quotes",
        ),
        (lambda b: b.replace(b"\nfigure-2,middle,", b"\nfigure-2,mid\xe9,", 1), 3, "not UTF-8"),
        (lambda b: b.decode().encode("utf-16"), 1, "not UTF-8"),
    ],
)
def test_a_broken_file_is_named_with_its_line(folder, change, line, said):
    changed(folder / "cells.csv", change)
    assert said in refusal("cells.csv") and f"cells.csv, line {line}: " in refusal("cells.csv")


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b"\xef\xbb\xbf" + b,
        lambda b: b.replace(b"\n", b"\r\n"),
        lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n"),
        lambda b: b.replace(b"\n", b"\n\n"),
        lambda b: b + b" \n\t,\n".replace(b",", b""),
        lambda b: b.rstrip(b"\n"),
        lambda b: b.replace(b"\nfigure-2,middle,", b"\nfigure-2 , middle ,", 1),
    ],
)
def test_what_spreadsheets_and_editors_do_is_no_fault(folder, change):
    before = paper.cells("lgg")
    changed(folder / "cells.csv", change)
    assert paper.cells("lgg") == before and len(before) > 40


def test_an_edited_file_is_read_again(folder):
    assert paper.cell("lgg", "table-1", "GKD", "error").value < 50
    edited(folder / "cells.csv", 2, value="0.9876")
    assert paper.cells("lgg")[0].value == 0.9876


def test_nothing_is_counted_of_broken_tables(folder):
    edited(folder / "claims.csv", 5, kind="Greater")
    with pytest.raises(ValueError, match=r"claims\.csv, line 5: kind is 'Greater'"):
        scorecard.scorecard()


def test_columns_that_came_later_may_be_left_out(folder):
    before = paper.claims("lgg")
    rows = list(csv.DictReader(io.StringIO((folder / "claims.csv").read_text(encoding="utf-8"))))
    later = ("n_required_short", "gate", "after_run", "shares")
    with open(folder / "claims.csv", "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, [name for name in rows[0] if name not in later])
        writer.writeheader()
        writer.writerows({name: row[name] for name in writer.fieldnames} for row in rows)
    for was, now in zip(before, paper.claims("lgg"), strict=True):
        assert (now.gate, now.after_run, now.shares) == ((), False, "") and now.kind == was.kind
        assert now.n_required["short"] == now.n_required["reduced"] == was.n_required["reduced"]


def test_sections_are_read_again_with_paper_toml(folder):
    edited(folder / "claims.csv", 2, experiment="lgg/s99_new")
    assert "no section" in refusal("claims.csv")
    changed(folder / "paper.toml", lambda b: b.replace(b"[tables]", b's99_new = "New"\n\n[tables]'))
    assert paper.claims("lgg")[0].experiment == "lgg/s99_new"


def test_columns_may_come_in_any_order(tmp_path):
    (tmp_path / "x.csv").write_text("b,a\n1,2\n")
    (entry,) = read_entries(tmp_path / "x.csv", ("a", "b"))
    assert (entry.line, entry.count("a"), entry.number("b")) == (2, 2, 1.0)
