"""``python -m lggkit study run``: what it hands to the queue and what it says."""

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from lggkit import experiments
from lggkit.study import paths
from lggkit.study.commands.cli import app
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.running import queue
from lggkit.study.running.context import StudyContext


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "results", lambda: tmp_path / "results")
    monkeypatch.setattr(paths, "weights", lambda: tmp_path / "weights")
    return Ledger(tmp_path / "results")


def run(*arguments):
    return CliRunner().invoke(app, ["study", "run", "--commit", "abc", *arguments])


def test_a_budget_counts_with_what_the_ledger_of_the_repository_tells(experiment, results, tmp_path):
    context = StudyContext(commit="abc", weights=tmp_path)
    base = queue.pending([results], "reduced")[:1]
    queue.run([base[0].part(base[0].specs[:1])], results, context)
    ended = run("--out", str(tmp_path / "out"), "--arm", "base", "--budget", "25s")
    assert ended.exit_code == 0, ended.output
    assert "2 records written; 0 runs left" in ended.stdout
    assert len(Ledger(tmp_path / "out").records(experiment.name, "reduced")) == 2


def test_an_arm_that_is_nowhere_is_refused_and_one_that_is_measured_is_not(experiment, results):
    ended = run("--arm", "bass")
    assert ended.exit_code == 2 and "no arm is named 'bass'; did you mean one of base" in ended.stderr
    assert run("--arm", "base").exit_code == 0
    again = run("--arm", "base")
    assert again.exit_code == 0 and "0 records written; 0 runs left" in again.stdout


def test_several_arms_are_measured_and_no_other(experiment, results):
    ended = run("--arm", "base", "--arm", "ablation", "--progress")
    assert ended.exit_code == 0, ended.output
    assert {record.arm for record in results.records(experiment.name, "reduced")} == {"base", "ablation"}
    assert "no arm is named 'bass'" in run("--arm", "base", "--arm", "bass").stderr


def test_workers_are_told_of_every_arm(experiment, results, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "lggkit.study.running.stopping.run_workers", lambda asking, count: asked.extend(asking) or 0
    )
    assert run("--arm", "base", "--arm", "ours", "--workers", "2").exit_code == 0
    assert [one for one in asked if one.startswith("--arm")] == ["--arm=base", "--arm=ours"]


def test_all_arms_are_listed_measured_or_not(experiment, results):
    listed = CliRunner().invoke(app, ["study", "list", "--experiment", experiment.name])
    assert listed.exit_code == 0 and listed.stdout.startswith(f"{experiment.name}: ")
    for arm in experiment.arms:
        assert (
            f"  {arm.name}  {arm.title}  (seeds: smoke {experiment.seed_count(arm, 'smoke')},"
            in listed.stdout
        )


def test_an_unknown_experiment_is_not_listed():
    assert CliRunner().invoke(app, ["study", "list", "--experiment", "nope"]).exit_code == 2


@pytest.mark.parametrize(
    "option",
    [
        ("--budget", ""),
        ("--budget", "9"),
        ("--budget", "9" * 30 + "h"),
        ("--shard", ""),
        ("--shard", "2/2"),
        ("--shard", "a"),
        ("--shard", "1" * 5000 + "/2"),
        ("--scale", "full"),
        ("--scale", ""),
        ("--out", ""),
        ("--out", "a\0b"),
        ("--out", __file__),
    ],
    ids=lambda option: f"{option[0]} {option[1][:12]!r}",
)
def test_an_option_that_cannot_be_is_one_sentence_and_status_2(experiment, results, option):
    ended = run(*option)
    assert ended.exit_code == 2 and ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1 and len(ended.stderr) < 6000
    assert results.files() == []


@pytest.mark.parametrize("name", ["", "../../x", "/abs/x", "lgg/nothing"])
def test_no_experiment_of_that_name_is_one_sentence(name):
    for command in ("run", "pending", "status", "list"):
        ended = CliRunner().invoke(app, ["study", command, "--experiment", name])
        assert ended.exit_code == 2 and ended.stderr.startswith("no experiment is named")
        assert len(ended.stderr.splitlines()) == 1


COMMANDS = [
    ["scorecard"],
    ["scorecard", "--json"],
    ["study", "run"],
    ["study", "run", "--scale", "smoke", "--out", "x"],
    ["study", "pending"],
    ["study", "merge", "x"],
    ["study", "retract", "0" * 16, "why"],
    ["study", "check"],
    ["study", "readme"],
]


@pytest.mark.parametrize("root", ["", "file", "nowhere", "loop"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_outside_a_checkout_every_command_is_one_sentence(tmp_path, monkeypatch, command, root):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("LGGKIT_ROOT", str(tmp_path / root))
    paths.repository.cache_clear()
    try:
        ended = CliRunner().invoke(app, command)
    finally:
        paths.repository.cache_clear()
    assert ended.exit_code == 2 and ended.stdout == ""
    assert "has no data/paper; run from a checkout or set LGGKIT_ROOT to one" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("line", [b"garbage", b"[" * 200_000, b"\xff\0", b'{"metrics": null}'])
def test_readers_name_a_damaged_line_serve_the_rest_and_fail(
    experiment, results, tmp_path, monkeypatch, line
):
    assert run("--arm", "base").exit_code == 0
    path = results.files()[0]
    with open(path, "ab") as file:
        file.write(line + b"\n")
    key = results.records(experiment.name, "reduced")[0].key
    for command in (
        ["pending", "--scale", "reduced"],
        ["run", "--arm", "base", "--commit", "abc"],
        ["merge", str(results.root)],
        ["retract", key, "why"],
    ):
        ended = CliRunner().invoke(app, ["study", *command])
        assert ended.exit_code == 1 and not isinstance(ended.exception, RecursionError)
        assert ended.stderr.count(f"{path}, line 4 is not a record and was left out") == 1
        assert ended.stdout, "the rest is served"
    assert CliRunner().invoke(app, ["study", "check"]).stdout.startswith(f"{path}, line 4 ")


def test_the_scorecard_names_a_damaged_line_and_prints_what_there_is(tmp_path, monkeypatch, make_record):
    monkeypatch.setattr(paths, "results", lambda: tmp_path)
    Ledger(tmp_path).append(make_record())
    path = Ledger(tmp_path).files()[0]
    path.write_bytes(path.read_bytes() + b"garbage\n")
    ended = CliRunner().invoke(app, ["scorecard", "--json"])
    assert ended.exit_code == 1 and f"{path}, line 2" in ended.stderr
    assert json.loads(ended.stdout)["tables"]


@pytest.mark.parametrize("place", ["out", "out/lgg", "out/lgg/s00_toy.reduced.jsonl"])
def test_where_nothing_can_be_written_nothing_is_measured(experiment, results, tmp_path, monkeypatch, place):
    measured = []
    watched = dataclasses.replace(experiment, measure=lambda specs, _: iter(measured.append(specs) or ()))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [watched])
    target = tmp_path / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir() if place.endswith("jsonl") else target.write_text("in the way")
    ended = run("--out", str(tmp_path / "out"))
    assert ended.exit_code in (1, 2) and measured == [] and ended.stdout == ""
    assert "out" in ended.stderr.splitlines()[-1]


def test_where_networks_cannot_be_kept_nothing_is_measured(experiment, results, tmp_path):
    (tmp_path / "weights").write_text("in the way")
    context = StudyContext(commit="abc", weights=tmp_path / "weights")
    unit = queue.pending([results], "reduced")[0]
    with pytest.raises(LedgerError, match=r"cannot write to .*weights/checkpoints"):
        queue.run([unit], results, context)
    assert results.files() == []


def test_nothing_to_measure_needs_no_place_to_write(results, tmp_path):
    (tmp_path / "file").write_text("")
    nowhere = StudyContext(commit="abc", weights=tmp_path / "file")
    assert queue.run([], Ledger(tmp_path / "file"), nowhere).measured == []
