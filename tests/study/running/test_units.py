"""The order of the queue, what a budget begins, what a unit costs, and where the study stands."""

import dataclasses
import json
import math
import threading
import time

import pytest
import torch
from typer.testing import CliRunner

from lggkit import experiments
from lggkit.study import paths
from lggkit.study.commands.cli import app
from lggkit.study.pages import generated
from lggkit.study.records.ledger import Ledger
from lggkit.study.records.network_ledger import Training
from lggkit.study.running import costs, overview, queue, units
from lggkit.study.running.context import StudyContext
from lggkit.study.running.turns import Turn
from lggkit.training import pace
from lggkit.training.pace import OutOfTime

NAME = "lgg/s00_toy"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "results")


@pytest.fixture
def context(tmp_path):
    return StudyContext(commit="abc", weights=tmp_path / "weights")


@pytest.fixture
def claimed(monkeypatch):
    """Makes arms be named by claims."""

    def claim(*arms):
        monkeypatch.setattr(units, "claimed_arms", lambda experiment: set(arms))

    return claim


def order(pending):
    return [(unit.title, unit.seed) for unit in pending]


def test_seeds_take_turns_and_tables_come_before_ablations(experiment, ledger):
    tables = [(arm, seed) for seed in range(3) for arm in ("base", "ours")]
    assert order(queue.pending([ledger], "reduced")) == [*tables, ("ablation", 0), ("ablation", 1)]


def test_arms_that_claims_name_come_first_table_or_not(experiment, ledger, claimed):
    claimed("ablation", "ours")
    first = [(arm, seed) for seed in range(2) for arm in ("ablation", "ours")]
    rest = [("base", seed) for seed in range(3)]
    assert order(queue.pending([ledger], "reduced")) == [*first, ("ours", 2), *rest]


def test_seed_0_of_every_chapter_comes_before_seed_1_of_any(experiment, ledger, monkeypatch):
    second = dataclasses.replace(experiment, name="lgg/s01_toy", arms=experiment.arms[1:2])
    monkeypatch.setattr(experiments, "all_experiments", lambda: [experiment, second])
    places = [(unit.experiment.name[-7:], *place) for unit, place in zip_order(ledger)]
    assert places[:3] == [("s00_toy", "base", 0), ("s00_toy", "ours", 0), ("s01_toy", "base", 0)]
    assert [entry[2] for entry in places[:9]] == [0] * 3 + [1] * 3 + [2] * 3


def zip_order(ledger):
    pending = queue.pending([ledger], "reduced")
    return zip(pending, order(pending), strict=True)


def join(experiment, monkeypatch):
    joined = dataclasses.replace(experiment, together=(("ours", "ablation"),))
    monkeypatch.setattr(experiments, "all_experiments", lambda: [joined])


def test_a_group_is_together_within_a_seed(experiment, ledger, context, claimed, monkeypatch):
    claimed("ours", "ablation")
    join(experiment, monkeypatch)
    pending = queue.pending([ledger], "reduced")
    pair = "ours + ablation"
    assert order(pending)[:4] == [(pair, 0), (pair, 1), ("ours", 2), ("base", 0)]
    assert len({unit.key for unit in pending}) == len(pending)
    mine = queue.only_arms(pending, ["ours"])
    assert [unit.key for unit in mine] == [unit.key for unit in pending[:3]]
    queue.run(mine, ledger, context)
    left = queue.pending([ledger], "reduced")
    assert order(left)[:2] == [("ablation", 0), ("ablation", 1)]


def test_on_a_gpu_seeds_of_an_arm_are_one_unit_five_of_each_before_the_sixth(experiment, ledger, context):
    pending = queue.pending([ledger], "reduced")
    joined = queue.joined(pending, seeds=2)
    assert [(unit.title, unit.seeds) for unit in joined] == [
        ("base", "seeds 0, 1"),
        ("ours", "seeds 0, 1"),
        ("base", "seed 2"),
        ("ours", "seed 2"),
        ("ablation", "seeds 0, 1"),
    ]
    specs = [spec.key for unit in joined for spec in unit.specs]
    assert sorted(specs) == sorted(spec.key for unit in pending for spec in unit.specs)
    assert len(queue.run(joined, ledger, context).measured) == len(specs)
    assert queue.pending([ledger], "reduced") == []


def test_a_gpu_is_given_seeds_together_and_a_cpu_is_not(experiment, ledger, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(queue, "run", lambda units, *_: asked.append(len(units)) or queue.Outcome())
    for device in ("cpu", "cuda"):
        monkeypatch.setattr(
            "lggkit.study.running.context.default_device", lambda device=device: torch.device(device)
        )
        asking = ["--scale", "reduced", "--experiment", NAME, "--out", str(tmp_path / "out")]
        assert CliRunner().invoke(app, ["study", "run", *asking]).exit_code == 0
    assert asked == [8, 3]


def test_an_ablation_does_not_come_early_for_a_claimed_arm_of_its_group(
    experiment, ledger, claimed, monkeypatch
):
    claimed("ours")
    join(experiment, monkeypatch)
    mine, tables = ([(arm, seed) for seed in range(3)] for arm in ("ours", "base"))
    assert order(queue.pending([ledger], "reduced")) == [*mine, *tables, ("ablation", 0), ("ablation", 1)]


def test_claims_of_the_papers_name_arms_that_there_are():
    named = {one.name: units.claimed_arms(one) for one in experiments.all_experiments()}
    assert {"baseline", "gkd", "rkd_d"} <= named["lgg/s41_distillation"]
    for experiment in experiments.all_experiments():
        known = {arm.name for arm in experiment.arms}
        assert units.claimed_arms(experiment) & known, experiment.name


def test_a_paper_without_entries_claims_nothing(experiment):
    assert units.claimed_arms(dataclasses.replace(experiment, name="nowhere/s00_toy")) == set()


def slow(experiment, monkeypatch, log):
    """Its training takes longer than any budget: it stops at the deadline, to be continued."""

    def measure(specs, context):
        log.append((specs[0].arm, specs[0].seed, pace._deadline.get() < math.inf))
        monkeypatch.setattr(pace, "clock", lambda: math.inf)
        raise OutOfTime("out of time, continues from its checkpoint")
        yield

    monkeypatch.setattr(
        experiments, "all_experiments", lambda: [dataclasses.replace(experiment, measure=measure)]
    )


def test_a_unit_longer_than_the_budget_is_begun(experiment, ledger, context, monkeypatch):
    log = []
    slow(dataclasses.replace(experiment, minutes={"reduced": 600.0}), monkeypatch, log)
    outcome = queue.run(queue.pending([ledger], "reduced"), ledger, context, budget=90.0)
    assert log == [("base", 0, True)] and outcome.failed == []
    assert order(outcome.left)[0] == ("base", 0) and sum(len(unit.specs) for unit in outcome.left) == 8


def test_with_less_than_a_minute_only_what_fits_is_begun(experiment, ledger, context, monkeypatch):
    units_ = queue.pending([ledger], "reduced")
    assert queue.run(units_, ledger, context, budget=50.0).measured == []
    quick = dataclasses.replace(experiment, minutes={"reduced": 0.1})
    monkeypatch.setattr(experiments, "all_experiments", lambda: [quick])
    outcome = queue.run(queue.pending([ledger], "reduced")[:2], ledger, context, budget=50.0)
    assert len(outcome.measured) == 2 and outcome.left == []
    rest = queue.pending([ledger], "reduced")
    assert queue.run(rest, ledger, context, budget=5.0).measured == [], "ten seconds a run are known"


def test_what_another_process_has_measured_meanwhile_is_not_measured_again(experiment, ledger, context):
    pending = queue.pending([ledger], "reduced")
    queue.run(pending[:1], ledger, context)
    outcome = queue.run(pending[:2], ledger, context)
    assert [(record.arm, record.seed) for record in outcome.measured] == [("ours", 0)]


def test_an_arm_that_is_complete_at_paper_scale_is_not_measured_at_shorter_ones(
    experiment, ledger, context, tmp_path
):
    at_paper = queue.only_arms(queue.pending([ledger], "paper"), ["ours", "base"])
    missing = at_paper[-1].part(at_paper[-1].specs[-1:])
    queue.run([u for u in at_paper if u.key != missing.key], ledger, context)
    complete, other = ("base", "ours") if missing.title == "ours" else ("ours", "base")
    assert {unit.title for unit in queue.pending([ledger], "reduced")} == {other, "ablation"}
    assert {unit.title for unit in queue.pending([ledger], "smoke")} == {other, complete, "ablation"}
    named = queue.pending([ledger], "reduced", named=[complete])
    assert {unit.title for unit in named} == {other, complete, "ablation"}
    (row,) = (r for r in overview.overview([ledger])["experiments"] if r["scale"] == "reduced")
    assert row["planned"] == row["pending"] == sum(len(u.specs) for u in queue.pending([ledger], "reduced"))
    asking = ["--scale", "reduced", "--experiment", NAME, "--out", str(tmp_path / "results")]
    ended = CliRunner().invoke(app, ["study", "run", *asking, "--arm", complete])
    assert ended.exit_code == 0 and "0 runs left" in ended.output
    assert {record.arm for record in ledger.records(NAME, "reduced")} == {complete}


def test_a_unit_that_another_is_at_is_left_for_later(experiment, ledger, context, caplog):
    pending = queue.pending([ledger], "reduced")[:2]
    turn = Turn(context.weights, pending[0].key)
    assert turn.take()
    waited = threading.Timer(0.5, turn.give)
    waited.start()
    outcome = queue.run(pending, ledger, context)
    assert [record.arm for record in outcome.measured] == ["ours", "base"]
    assert f"to measure {NAME}, base, seed 0" in caplog.text
    assert [p.name for p in context.weights.iterdir() if p.is_file()] == []


def test_a_unit_that_another_keeps_is_left_when_the_budget_is_over(experiment, ledger, context):
    pending = queue.pending([ledger], "reduced")[:2]
    turn = Turn(context.weights, pending[0].key)
    assert turn.take()
    begun = time.monotonic()
    outcome = queue.run(pending, ledger, context, budget=1.0, known=())
    turn.give()
    assert outcome.failed == [] and time.monotonic() - begun < 60
    assert ("base", 0) in order(outcome.left)


def trained(key, seconds, device):
    return Training(key * 16, {}, 0, 1, seconds, {}, 1.0, 0.5, device, "float32", "eager")


CPU, OTHER = "Processor, 2 threads", "Processor, 1 thread"


@pytest.fixture
def filled(ledger, make_record):
    """Records of two arms that share a network, one of a network trained elsewhere, an old one, a spare."""
    new = {"experiment": NAME, "device": CPU, "seconds": 10.0}
    ledger.append(make_record("base", 0, network="a" * 16, trained_on=CPU, **new))
    ledger.append(make_record("ours", 0, network="a" * 16, trained_on=CPU, **new))
    ledger.append(make_record("ours", 1, network="b" * 16, trained_on=OTHER, **new))
    ledger.append(make_record("base", 1, **new | {"seconds": 500.0}))
    for key, seconds, device in (("a", 100.0, CPU), ("b", 1000.0, OTHER), ("c", 7.0, CPU)):
        ledger.trainings.append(trained(key, seconds, device))
    return ledger


def test_a_training_counts_once_where_it_was_made(filled):
    rows = {(row.experiment, row.device): row for row in costs.spent(filled)}
    here, there, spare = rows[NAME, CPU], rows[NAME, OTHER], rows["", CPU]
    assert here.runs == [110.0, 10.0, 10.0, 500.0] and (here.trainings, here.seconds) == (1, 630.0)
    assert (there.runs, there.trainings, there.seconds) == ([], 1, 1000.0)
    assert (spare.trainings, spare.seconds, spare.runs) == (1, 7.0, [])
    assert here.core_hours == pytest.approx(2 * 630 / 3600)
    assert there.core_hours == pytest.approx(1000 / 3600)


def test_a_network_that_was_trained_twice_was_paid_twice(filled):
    filled.trainings.append(trained("a", 40.0, CPU))
    (row,) = (row for row in costs.spent(filled) if (row.experiment, row.device) == (NAME, CPU))
    assert row.trainings == 2 and row.seconds == 670.0


def test_the_hours_of_a_gpu_are_its_own(filled):
    assert costs.Spent(NAME, "paper", "NVIDIA H100", [3600.0]).core_hours == 1.0


def test_what_a_unit_is_likely_to_take(filled, experiment):
    known = costs.typical([filled], NAME, "reduced", CPU)
    assert known == {"base": (110.0 + 500.0) / 2, "ours": 10.0}
    pair = units.Unit(
        experiment, ("base", "ours"), "reduced", [experiment.spec(a, "reduced", 2) for a in known]
    )
    assert costs.estimate(pair, known) == 315.0
    assert costs.estimate(pair, {}) == 120.0, "a minute a run is declared"
    assert costs.estimate(pair, {"ours": 10.0}) == 20.0, "base is taken to be like ours"


def test_the_compute_table_counts_trainings_once(filled, monkeypatch):
    monkeypatch.setattr(paths, "results", lambda: filled.root)
    table = generated._times()
    rows = table.set_index(["experiment", "device"])
    assert rows.loc[(NAME, CPU), "runs"] == 4 and rows.loc[(NAME, CPU), "trainings"] == 1
    assert rows.loc[(NAME, CPU), "total (min)"] == "10.5" and rows.loc[(NAME, CPU), "longest (min)"] == "8.3"
    assert rows.loc[("trainings of no record", CPU), "total (min)"] == "0.1"


def test_the_compute_table_shows_records_where_they_stand_now():
    table = generated._times()
    ledger = Ledger(paths.results())
    assert table["runs"].sum() == sum(len(ledger.records(*place)) for place in ledger.places())
    assert "short" in set(table["scale"])


def test_status_is_one_screen_and_adds_up(filled, experiment, monkeypatch):
    monkeypatch.setattr(paths, "results", lambda: filled.root)
    ended = CliRunner().invoke(app, ["study", "status", "--json"])
    assert ended.exit_code == 0, ended.output
    state = json.loads(ended.stdout)
    (row,) = (row for row in state["experiments"] if row["scale"] == "reduced")
    assert (row["recorded"], row["planned"], row["pending"]) == (4, 8, 4)
    assert row["trainings"] == 2 and row["core_hours"] == round((2 * 630 + 1000) / 3600, 2)
    assert row["estimated_hours"] > 0 and state["other"]["trainings"] == 1
    shown = CliRunner().invoke(app, ["study", "status"]).stdout.splitlines()
    assert len(shown) <= 30 and max(map(len, shown)) <= 110
    assert shown[-2].split()[-4] == "3", "of no record included"


def test_the_state_of_the_repository_is_known():
    state = overview.overview([Ledger(paths.results())])
    names = {(row["experiment"], row["scale"]) for row in state["experiments"]}
    assert ("lgg/s41_distillation", "short") in names
    for row in state["experiments"]:
        assert row["recorded"] + row["pending"] == row["planned"]
        assert (row["estimated_hours"] > 0) == (row["pending"] > 0)


def test_the_queue_writes_trainings_beside_the_records(experiment, ledger, context):
    assert context.trainings is None
    queue.run(queue.pending([ledger], "smoke"), ledger, context)
    assert context.trainings == ledger.trainings
