"""``python -m lggkit study run``: what it hands to the queue and what it says."""

import pytest
from typer.testing import CliRunner

from lggkit.study import paths, queue
from lggkit.study.cli import app
from lggkit.study.context import StudyContext
from lggkit.study.ledger import Ledger


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
    assert ended.exit_code == 1 and "no arm is named 'bass'; did you mean one of base" in ended.stderr
    assert run("--arm", "base").exit_code == 0
    again = run("--arm", "base")
    assert again.exit_code == 0 and "0 records written; 0 runs left" in again.stdout


def test_all_arms_are_listed_measured_or_not(experiment, results):
    listed = CliRunner().invoke(app, ["study", "list", "--experiment", experiment.name])
    assert listed.exit_code == 0 and listed.stdout.startswith(f"{experiment.name}: ")
    for arm in experiment.arms:
        assert (
            f"  {arm.name}  {arm.title}  (seeds: smoke {experiment.seed_count(arm, 'smoke')},"
            in listed.stdout
        )


def test_an_unknown_experiment_is_not_listed():
    assert CliRunner().invoke(app, ["study", "list", "--experiment", "nope"]).exit_code == 1
