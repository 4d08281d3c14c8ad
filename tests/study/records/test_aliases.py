"""Lines of aliases: damage, order, and folders that are merged with them."""

import dataclasses

import numpy as np
import pytest
from typer.testing import CliRunner

from lggkit.study import paths
from lggkit.study.commands.cli import app
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.ledger_aliases import Alias
from lggkit.study.records.ledger_lines import collected

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def here(tmp_path):
    return Ledger(tmp_path / "here")


@pytest.fixture
def there(tmp_path):
    return Ledger(tmp_path / "there")


def alias(old, new, date="2026-01-01T00:00:00+00:00", **fields):
    return Alias(EXPERIMENT, old.scale, old.key, new.scale, new.key, "moved", date, **fields)


@pytest.fixture
def run(make_record):
    """A record of a scale and seed."""
    return lambda scale, seed=0, value=1.0, **f: make_record(
        "gkd", seed, scale, metrics={"test_error": value}, **f
    )


def shown(ledger):
    places = (("short", "reduced"), EXPERIMENT)
    return {s: [r.metrics["test_error"] for r in ledger.records(places[1], s)] for s in places[0]}


DAMAGE = [b"garbage", b"[1]", b"{}", b'{"key": 3}', b"\xff\0", b"[" * 100_000, b'"text"']


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: ascii(damage[:12]))
def test_a_damaged_line_is_named_and_the_others_work(here, run, damage):
    for seed in (0, 1):
        here.append(run("reduced", seed))
    here.aliases.append([alias(run("reduced", 0), run("short", 0))])
    with open(here.aliases.path, "ab") as file:
        file.write(damage + b"\n" + alias(run("reduced", 1), run("short", 1)).to_json().encode() + b"\n")
    with collected() as problems:
        assert len(here.records(EXPERIMENT, "short")) == 2 and here.records(EXPERIMENT, "reduced") == []
    (problem,) = problems
    assert problem.startswith(f"{here.aliases.path}, line 2 is no alias and was left out: ")
    assert "\n" not in problem and here.problems() == [problem]


WRONG = [
    {"experiment": "../x"},
    {"first_scale": "long"},
    {"scale": ""},
    {"key": "x"},
    {"first_key": None},
    {"reason": 3},
    {"date": "yesterday"},
    {"renamed": ["a"]},
    {"renamed": {"a": 3}},
    {"unknown": 1},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_every_field_of_a_line_is_held_to_its_form(run, changes):
    fields = dataclasses.asdict(alias(run("reduced"), run("short"))) | changes
    with pytest.raises((ValueError, TypeError)):
        Alias(**fields)


def test_check_names_damage_in_the_files_beside_the_records(here, monkeypatch):
    here.root.mkdir()
    here.aliases.path.mkdir()
    here.trainings.path.write_bytes(b"garbage\n")
    monkeypatch.setattr(paths, "results", lambda: here.root)
    ended = CliRunner().invoke(app, ["study", "check"])
    assert ended.exit_code == 1
    assert f"{here.aliases.path} cannot be read and was left out" in ended.stdout
    assert f"{here.trainings.path}, line 1 is no training and was left out" in ended.stdout


def test_aliases_count_in_the_order_of_time_and_not_of_lines(here, run):
    first, second, third = run("reduced"), run("short"), run("paper")
    here.append(first)
    later, earlier = alias(second, third, "2026-03-01T00:00:00+00:00"), alias(first, second)
    here.aliases.append([later, earlier])
    assert [r.key for r in here.records(EXPERIMENT, "paper")] == [third.key]
    assert shown(here) == {"short": [], "reduced": []}


def test_the_later_of_two_aliases_of_one_record_is_without_effect(here, run):
    here.append(run("reduced"))
    other = alias(run("reduced"), run("paper"), "2026-03-01T00:00:00+00:00")
    here.aliases.append([other, alias(run("reduced"), run("short"))])
    assert shown(here)["short"] == [1.0] and here.records(EXPERIMENT, "paper") == []


def test_an_alias_of_nothing_shows_nothing_and_refuses_nothing_new(here, run):
    here.aliases.append([alias(run("reduced"), run("short"))])
    assert shown(here) == {"short": [], "reduced": []}
    assert here.append(run("short", value=2.0)) and shown(here)["short"] == [2.0]


def test_lines_are_appended_once(here, run):
    one = alias(run("reduced"), run("short"))
    assert here.aliases.append([one, one]) == 1 and here.aliases.append([one]) == 0


@pytest.mark.parametrize("direction", ["theirs", "ours"])
def test_a_folder_with_aliases_and_one_without_are_merged_either_way(here, there, run, direction):
    old, new = there, here
    old.append(run("reduced", 0, 1.0)), old.append(run("reduced", 1, 2.0, arrays={"sigma": np.ones(2)}))
    new.append(run("reduced", 0, 1.0))
    new.aliases.append([alias(run("reduced", seed), run("short", seed)) for seed in (0, 1)])
    target, source = (new, old) if direction == "theirs" else (old, new)
    target.merge(source)
    assert shown(target) == {"short": [1.0, 2.0], "reduced": []}
    carried = target.records(EXPERIMENT, "short")[1]
    assert target.arrays(carried)["sigma"].tolist() == [1, 1]
    before = [path.read_bytes() for path in target.files()], target.aliases.path.read_bytes()
    target.merge(source)
    assert ([path.read_bytes() for path in target.files()], target.aliases.path.read_bytes()) == before


@pytest.mark.parametrize("own_here", [True, False])
def test_a_run_that_has_a_number_under_another_key_keeps_it(here, there, run, own_here):
    own, carried = (here, there) if own_here else (there, here)
    own.append(run("short", value=2.0))
    carried.append(run("reduced", value=1.0)), carried.aliases.append([alias(run("reduced"), run("short"))])
    assert here.merge(there) == (0, 1)
    assert shown(here) == {"short": [2.0 if own_here else 1.0], "reduced": []}


@pytest.mark.parametrize("scales", [("reduced", "short"), ("short", "reduced")])
def test_retracted_and_measured_again_there_wins_over_what_was_carried(here, there, run, scales):
    first, last = scales
    for ledger in (here, there):
        ledger.append(run(first, value=1.0)), ledger.aliases.append([alias(run(first), run(last))])
    there.retract(run(last).key, "wrong labels"), there.append(run(last, value=3.0))
    here.merge(there)
    assert shown(here) == {last: [3.0], first: []}
    there.merge(here)
    assert shown(there) == {last: [3.0], first: []}


def test_the_key_of_the_line_can_be_retracted_too(here, run):
    here.append(run("reduced")), here.aliases.append([alias(run("reduced"), run("short"))])
    here.retract(run("reduced").key, "wrong")
    assert shown(here) == {"short": [], "reduced": []}
    with pytest.raises(LedgerError, match="no current record"):
        here.retract(run("short").key, "wrong")
