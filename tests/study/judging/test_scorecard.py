import csv
import json

import pytest
from typer.testing import CliRunner

from lggkit.study import paths
from lggkit.study.commands.cli import app
from lggkit.study.entered import papers
from lggkit.study.judging import scorecard
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown import tables
from lggkit.study.shown.cell_tables import VERDICT

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with the real papers and an empty ledger."""
    real = paths.repository()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "paper").symlink_to(real / "data" / "paper")
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path


def record_all(root, make_record, scale, n):
    ledger = Ledger(root / ("_build/results" if scale == "smoke" else "data/results"))
    arms = (("teacher", 7.3, 0.01), ("baseline", 10.4, 0.02), ("rkd_d", 10.0, 0.015), ("gkd", 9.7, 0.01))
    for arm, error, step in arms:
        for seed in range(n):
            metrics = {"test_error": error + step * seed}
            ledger.append(make_record(arm, seed, scale, EXPERIMENT, metrics=metrics))


def table(card, paper="lgg", name="table-1"):
    return next(t for t in card["tables"] if (t["paper"], t["table"]) == (paper, name))


def test_nothing_measured(root):
    card = scorecard.scorecard()
    assert {t["paper"] for t in card["tables"]} == {one.name for one in papers.papers() if one.tables}
    assert table(card) == {
        "paper": "lgg",
        "table": "table-1",
        "cells": 4,
        "measured": {"smoke": 0, "short": 0, "reduced": 0, "paper": 0},
        "unavailable": 0,
        "seeds_min": {"smoke": 0, "short": 0, "reduced": 0, "paper": 0},
        "verdicts": {"agree": 0, "differ": 0, "undecided": 0, "unmeasured": 4},
    }
    assert {c["verdict"] for c in card["claims"]} == {"unmeasured"}


def test_every_cell_is_counted_once(root):
    for row in scorecard.scorecard()["tables"]:
        with open(root / "data/paper" / row["paper"] / "cells.csv", newline="") as handle:
            entered = [
                r for r in csv.DictReader(handle) if (r["table"], r["kind"]) == (row["table"], "measured")
            ]
        assert row["cells"] == len(entered)
        assert row["cells"] == row["unavailable"] + sum(row["verdicts"].values())


def test_each_scale_has_its_own_column_and_only_paper_gives_cells_verdicts(root, make_record):
    record_all(root, make_record, "smoke", 1)
    record_all(root, make_record, "reduced", 5)
    record_all(root, make_record, "short", 3)
    row = table(scorecard.scorecard())
    assert row["measured"] == {"smoke": 4, "short": 4, "reduced": 4, "paper": 0}
    assert row["seeds_min"] == {"smoke": 1, "short": 3, "reduced": 5, "paper": 0}
    assert row["verdicts"]["unmeasured"] == 4
    record_all(root, make_record, "paper", 10)
    row = table(scorecard.scorecard())
    assert row["measured"]["paper"] == 4 and row["verdicts"]["agree"] == 4


def test_claims_are_judged_from_the_ledger(root, make_record):
    record_all(root, make_record, "short", 5)
    claims = {c["number"]: c for c in scorecard.scorecard()["claims"] if c["paper"] == "lgg"}
    assert (claims["5"]["verdict"], claims["5"]["scale"]) == ("not tested at this scale", "short")
    assert scorecard.headline()["holds"] == 0 and scorecard.headline()["not_tested"] >= 1
    record_all(root, make_record, "reduced", 5)
    claims = {c["number"]: c for c in scorecard.scorecard()["claims"] if c["paper"] == "lgg"}
    assert claims["5"]["verdict"] == "holds"
    assert (claims["5"]["scale"], claims["5"]["n"]) == ("reduced", 5)
    assert scorecard.headline()["holds"] >= 1


def test_a_row_of_a_claim_has_its_gate_and_both_lengths(root, make_record):
    record_all(root, make_record, "short", 5)
    record_all(root, make_record, "reduced", 5)
    row = next(c for c in scorecard.scorecard()["claims"] if c["id"] == "c05a-gkd-beats-baseline")
    assert row["gate_open"] is True and row["gate"][0] == {
        "arm": "teacher",
        "metric": "test_error",
        "relation": "<=",
        "bound": 16.0,
        "figure": pytest.approx(7.32),
        "open": True,
    }
    assert {s: (one["verdict"], one["n"]) for s, one in row["lengths"].items()} == {
        "short": ("holds", 5),
        "reduced": ("holds", 5),
    }
    assert row["lengths"]["short"]["effect"] == row["effect"] == pytest.approx(0.72)
    assert row["lengths"]["short"]["gate"] == row["gate"]
    assert not row["after_run"] and row["without_after_run"] is None and not row["identity"]


def test_shared_measurements_are_counted_once_and_identities_apart():
    rows = [
        {"paper": "a", "id": "c1", "number": "1", "verdict": "holds", "shares": "", "identity": False},
        {"paper": "b", "id": "c1", "number": "1", "verdict": "holds", "shares": "a/c1", "identity": False},
        {"paper": "b", "id": "c2", "number": "2", "verdict": "holds", "shares": "c/gone", "identity": False},
        {"paper": "b", "id": "c3", "number": "3", "verdict": "holds", "shares": "", "identity": True},
        {
            "paper": "b",
            "id": "c3a",
            "number": "3a",
            "verdict": "contradicted",
            "shares": "",
            "identity": False,
        },
        {"paper": "b", "id": "c4", "number": "4", "verdict": "still moving", "shares": "", "identity": False},
    ]
    count = scorecard.headline({"tables": [], "claims": rows})
    assert (count["claims"], count["holds"], count["contradicted"], count["moving"]) == (3, 2, 0, 1)
    assert (count["identities"], count["identities_hold"]) == (1, 1)
    alone = scorecard.headline({"tables": [], "claims": rows}, "b")
    assert (alone["papers"], alone["claims"], alone["holds"], alone["identities"]) == (1, 2, 1, 1)


def test_tables_for_pages(root, make_record):
    record_all(root, make_record, "smoke", 1)
    record_all(root, make_record, "reduced", 5)
    frame = tables.paper_table("lgg", "table-1")
    assert list(frame[VERDICT]) == ["unmeasured"] * 4
    assert "9.72 ± 0.02 (5)" in set(frame["reduced"])
    assert list(frame) == ["row", "printed", "reduced", "difference", VERDICT]
    scores = tables.scores_table("lgg")
    assert {"smoke", "reduced", "paper"} <= set(scores) and "short" not in scores


def test_a_verdict_on_a_cell_names_its_tolerance(root, make_record):
    record_all(root, make_record, "paper", 10)
    frame = tables.paper_table("lgg", "table-1")
    judged = [v for v in scorecard.judged_cells("lgg") if v.cell.table == "table-1"]
    for text, one in zip(frame[VERDICT], judged, strict=True):
        words = "within" if one.verdict == "agrees" else "by more than"
        assert text == f"{one.verdict} {words} {one.cell.tolerance:g}"


def test_claims_are_shown_with_their_effect_at_each_length(root, make_record):
    record_all(root, make_record, "short", 5)
    claims = tables.claims_table(scorecard.judged_claims("lgg")).set_index("claim")
    assert not claims["statement"].str.len().eq(0).any()
    assert claims.loc["5a", "effect"].startswith("short: 0.720 points [")
    assert claims.loc["5a", "effect"].endswith(", the way the claim says (5 seeds)")
    assert claims.loc["5", "effect"] == "short: 5 seeds" and "†" not in claims.loc["5", "verdict"]
    assert claims.loc["5a", "rule"] == "interval above 0"
    record_all(root, make_record, "reduced", 5)
    claims = tables.claims_table(scorecard.judged_claims("lgg")).set_index("claim")
    short, reduced = claims.loc["5a", "effect"].split("; ")
    assert reduced == short.replace("short", "reduced")
    assert claims.loc["5a", "gate"] == (
        "test error of “Teacher” 7.32, at most 16; test error of “Baseline” 10.4, at most 25"
    )
    assert claims.loc["5a", "verdict"].startswith("holds")


def test_a_section_that_nobody_has_written_has_no_records(root):
    assert scorecard.records_at("ot_transfer/s42_transfer", "paper") == []
    assert {c["verdict"] for c in scorecard.scorecard()["claims"] if c["paper"] == "ot_transfer"} == {
        "unmeasured"
    }


def test_the_terminal_shows_every_scale_and_marks(root, make_record):
    record_all(root, make_record, "short", 5)
    lines = scorecard.as_text(scorecard.scorecard()).splitlines()
    assert lines[0].split()[:8] == [
        "paper",
        "table",
        "cells",
        "@smoke",
        "@short",
        "@reduced",
        "@paper",
        "n/a",
    ]
    gkd = next(line for line in lines if "c05a-gkd-beats-baseline" in line)
    assert "not tested at this scale   short" in gkd and "; short 0.72" in gkd
    assert any("c17e-" in line and "unmeasured†" in line for line in lines)


def test_myst_table_keeps_every_cell_and_escapes_marks(root):
    import pandas as pd

    text = tables.as_myst(pd.DataFrame({"a_b": ["x*y", ""], "c": [1, 2]}), "Caption", "tab-x")
    assert text.splitlines()[:3] == ["::::{list-table} Caption", ":header-rows: 1", ":name: tab-x"]
    assert "* - a\\_b" in text and "* - x\\*y" in text and text.count("* - ") == 3


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_command_line_prints_the_scorecard(root):
    assert json.loads(run("scorecard", "--json").stdout) == scorecard.scorecard()
    assert "table-1" in run("scorecard").stdout


def test_command_line_retracts_merges_and_checks(root, make_record):
    other = Ledger(root / "other")
    other.append(make_record())
    assert "1 records added" in run("study", "merge", str(root / "other")).stdout
    assert "retracted" in run("study", "retract", make_record().key, "why").stdout
    assert run("study", "check").exit_code == 0
    again = run("study", "retract", make_record().key, "why")
    assert again.exit_code == 1 and "has the key" in again.stderr
    assert "no ledger file" in run("study", "merge", str(root / "nothing")).stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("study", "pending", "--scale", "full"), "choose one of smoke, short, reduced, paper"),
        (("study", "pending", "--experiment", "lgg/none"), "no experiment is named 'lgg/none'"),
        (("study", "run", "--budget", "9"), "write hours, minutes, seconds"),
        (("study", "run", "--shard", "2/2"), "write i/n"),
    ],
)
def test_command_line_refuses_in_one_sentence(root, arguments, sentence):
    result = run(*arguments)
    assert result.exit_code in (1, 2) and sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_pending_lists_runs_with_their_keys(root):
    out = run("study", "pending", "--scale", "paper").stdout
    assert "lgg/s33_latent_geometry_graphs  resnet18  seed 4  key " in out and "runs pending" in out
