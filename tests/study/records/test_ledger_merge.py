"""What merging does to numbers that were retracted on either side."""

import numpy as np
import pytest

from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.ledger_lines import collected

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def here(tmp_path):
    return Ledger(tmp_path / "here")


@pytest.fixture
def there(tmp_path):
    return Ledger(tmp_path / "there")


@pytest.fixture
def number(make_record):
    return lambda value, date="", **fields: make_record(metrics={"test_error": value}, date=date, **fields)


def shown(ledger):
    return [r.metrics["test_error"] for r in ledger.records(EXPERIMENT, "reduced")]


def fill(ledger, *steps):
    """Appends the records and retracts the current one for each reason."""
    for step in steps:
        if isinstance(step, str):
            ledger.retract(ledger.records(EXPERIMENT, "reduced")[0].key, step)
        else:
            assert ledger.append(step)


def lines(ledger):
    return ledger.path(EXPERIMENT, "reduced").read_bytes()


CASES = {
    "retracted here, current there": ((1, "bug"), (1,), []),
    "current here, retracted there": ((1,), (1, "bug"), []),
    "retracted on both sides": ((1, "bug"), (1, "another"), []),
    "retracted and measured again here": ((1, "bug", 2), (1,), [2]),
    "retracted and measured again there": ((1,), (1, "bug", 2), [2]),
    "retracted here, also there, where it was measured again": ((1, "bug"), (1, "bug", 2), [2]),
    "retracted here, also there, measured again here": ((1, "bug", 2), (1, "bug"), [2]),
    "measured again on both sides": ((1, "bug", 2), (1, "bug", 3), [2]),
    "retracted there and unknown here": ((), (1, "bug"), []),
    "retracted there twice": ((1,), (1, "bug", 2, "bug again"), []),
    "measured again there is what was retracted here": ((1, "bug", 2, "again"), (1, "bug", 2), []),
    "measured again here is what was retracted there": ((1, "bug", 2), (1, "bug", 2, "again"), []),
    "another number here than the one retracted there": ((2,), (1, "bug"), [2]),
    "another number there than the one retracted here": ((1, "bug"), (2,), [2]),
    "the same number again here": ((1, "bug", 1), (1,), [1]),
    "the same number again there": ((1, "bug"), (1, "bug", 1), [1]),
    "nothing retracted": ((1,), (2,), [1]),
}


@pytest.mark.parametrize(("mine", "theirs", "current"), CASES.values(), ids=CASES)
def test_retractions_travel_and_win_over_the_same_line(here, there, number, mine, theirs, current):
    fill(here, *(step if isinstance(step, str) else number(step) for step in mine))
    fill(there, *(step if isinstance(step, str) else number(step) for step in theirs))
    before = shown(there)
    here.merge(there)
    assert shown(here) == current and shown(there) == before
    once = lines(here)
    here.merge(there)
    assert lines(here) == once
    there.merge(here), here.merge(there)
    assert lines(here) == once


def test_reason_and_date_come_along(here, there, number):
    fill(here, number(1)), fill(there, number(1), "wrong labels")
    (retraction,) = there.read(EXPERIMENT, "reduced").retractions
    here.merge(there)
    assert here.read(EXPERIMENT, "reduced").retracted == {number(1).key: "wrong labels"}
    assert [r.identity for r in here.read(EXPERIMENT, "reduced").retractions] == [retraction.identity]
    assert retraction.date


def test_what_a_third_folder_brings_does_not_come_back(here, there, number, tmp_path):
    third = Ledger(tmp_path / "third")
    fill(there, number(1), "bug"), fill(third, number(1))
    assert here.merge(there) == (0, 0) and here.merge(third) == (0, 1)
    assert shown(here) == []


OLD, NEW = "2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"


def test_dates_say_which_of_other_numbers_a_retraction_covers(here, there, number):
    """It was retracted today: what was measured before falls with it, what was measured later does not."""
    fill(here, number(1, OLD), "bug"), fill(there, number(2, OLD))
    assert here.merge(there) == (0, 1) and shown(here) == []
    fill(there, "lost"), fill(there, number(3, NEW))
    assert here.merge(there) == (1, 1 - 1) and shown(here) == [3]


def test_a_number_here_that_is_older_than_their_retraction_falls(here, there, number):
    fill(here, number(2, OLD)), fill(there, number(1, OLD), "bug")
    here.merge(there)
    assert shown(here) == []
    fill(here, number(3, OLD))
    here.merge(there)
    assert shown(here) == [3]


def test_other_keys_are_not_touched(here, there, number):
    fill(here, number(1, seed=1)), fill(there, number(1), "bug", number(2, seed=2))
    assert here.merge(there) == (1, 0) and shown(here) == [1, 2]


def test_what_is_missing_comes_with_its_arrays(here, there, make_record):
    mine, theirs = make_record(seed=0), make_record(seed=0, metrics={"test_error": 99.0})
    new = make_record(seed=1, arrays={"sigma": np.ones(2)})
    here.append(mine), there.append(theirs), there.append(new)
    assert here.merge(there) == (1, 1)
    assert here.records(EXPERIMENT, "reduced") == [mine, new]
    np.testing.assert_array_equal(here.arrays(new)["sigma"], np.ones(2))
    assert here.merge(there) == (0, 2)


def test_an_empty_folder_is_refused(here, there):
    with pytest.raises(LedgerError, match="no ledger file"):
        here.merge(there)


@pytest.mark.parametrize("damage", ["", "../../escaped/x", "/escaped/x", "..\\\\x"])
def test_a_damaged_line_is_named_and_the_rest_is_merged(here, there, make_record, tmp_path, damage):
    there.append(make_record(seed=0)), there.append(make_record(seed=1))
    path = there.files()[0]
    first, second = path.read_text().splitlines()
    path.write_text(first.replace(EXPERIMENT, damage) if damage else "{")
    with open(path, "a") as handle:
        handle.write("\n" + second + "\n")
    with collected() as problems:
        assert here.merge(there) == (1, 0)
    assert [f"{path}, line 1 " in problem for problem in problems] == [True]
    assert [r.seed for r in here.records(EXPERIMENT, "reduced")] == [1]
    assert {p.name for p in tmp_path.iterdir()} == {"here", "there"}


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_damaged_arrays_are_set_aside_and_the_rest_is_merged(here, there, make_record, keep):
    bad, good = (make_record(seed=s, arrays={"sigma": np.arange(50.0)}) for s in (0, 1))
    there.append(bad), there.append(good)
    file = there.root / f"lgg/{bad.key}.npz"
    file.write_bytes(file.read_bytes()[:keep])
    with collected() as problems:
        assert here.merge(there) == (1, 0)
    (problem,) = problems
    assert str(file) in problem and f"set aside as {bad.key}.npz.damaged" in problem and "\n" not in problem
    assert not file.exists() and file.with_name(f"{bad.key}.npz.damaged").exists()
    assert here.records(EXPERIMENT, "reduced") == [good]
    with collected() as problems:
        assert here.merge(there) == (0, 1) and "are missing" in next(iter(problems))


def test_files_of_other_names_are_named(here, there, make_record):
    there.append(make_record())
    path = there.files()[0]
    path.with_name("copy of it.jsonl").write_bytes(path.read_bytes())
    with collected() as problems:
        assert here.merge(there) == (1, 0)
    assert "is not named as in <paper>/<section>.<scale>.jsonl" in next(iter(problems))
