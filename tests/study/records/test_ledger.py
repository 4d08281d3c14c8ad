import contextlib
import errno
import json
import multiprocessing
import os

import numpy as np
import pytest

from lggkit.study.records import ledger as module
from lggkit.study.records.ledger import Ledger, LedgerError

resource = pytest.importorskip("resource", reason="files are limited in size with it")

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "results")


def test_append_and_read_back(ledger, make_record):
    first, second = make_record(seed=0), make_record(seed=1)
    assert ledger.append(first) and ledger.append(second)
    assert ledger.records(EXPERIMENT, "reduced") == [first, second]
    assert ledger.records(EXPERIMENT, "paper") == []
    assert ledger.files() == [ledger.root / "lgg" / "s41_distillation.reduced.jsonl"]


def test_a_key_is_held_once_and_the_first_number_stays(ledger, make_record):
    ledger.append(make_record(metrics={"test_error": 9.0}))
    assert not ledger.append(make_record(metrics={"test_error": 8.0}))
    assert [r.metrics["test_error"] for r in ledger.records(EXPERIMENT, "reduced")] == [9.0]


def test_arrays_lie_beside_and_come_before_the_line(ledger, make_record, monkeypatch):
    record = make_record(arrays={"sigma": np.arange(6.0).reshape(2, 3)})
    monkeypatch.setattr(module, "append_line", lambda path, line: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ledger.append(record)
    assert ledger.records(EXPERIMENT, "reduced") == [] and (ledger.root / f"lgg/{record.key}.npz").exists()
    monkeypatch.undo()
    ledger.append(record)
    np.testing.assert_array_equal(ledger.arrays(record)["sigma"], record.arrays["sigma"])
    (ledger.root / f"lgg/{record.key}.npz").unlink()
    with pytest.raises(LedgerError, match="are missing: put"):
        ledger.arrays(record)


def test_corrupt_lines_are_named_and_the_rest_is_kept(ledger, make_record):
    good = [make_record(seed=s) for s in range(3)]
    for record in good:
        ledger.append(record)
    path = ledger.path(EXPERIMENT, "reduced")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:40], "[1]", '{"retract": 3}', lines[2]]) + "\n")
    assert ledger.records(EXPERIMENT, "reduced") == [good[0], good[2]]
    assert [f"line {n}" in p for n, p in zip((2, 3, 4), ledger.problems(), strict=True)] == [True] * 3


def test_a_line_cut_short_by_a_kill_does_not_swallow_the_next(ledger, make_record):
    ledger.append(make_record(seed=0))
    with open(ledger.path(EXPERIMENT, "reduced"), "a") as handle:
        handle.write('{"arm": "gk')
    ledger.append(make_record(seed=1))
    assert [r.seed for r in ledger.records(EXPERIMENT, "reduced")] == [0, 1]
    assert len(ledger.problems()) == 1


def test_a_full_disk_loses_nothing_and_is_one_sentence(ledger, make_record, monkeypatch):
    ledger.append(make_record(seed=0))
    before = ledger.path(EXPERIMENT, "reduced").read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match=r"cannot write to .*: No space left on device; free some space"):
        ledger.append(make_record(seed=1))
    with pytest.raises(LedgerError, match="No space left"):
        ledger.append(make_record(seed=2, arrays={"sigma": np.zeros(3)}))
    monkeypatch.undo()
    assert ledger.path(EXPERIMENT, "reduced").read_bytes() == before
    assert not list(ledger.root.rglob("*.npz*"))
    assert ledger.append(make_record(seed=1))


@contextlib.contextmanager
def files_up_to(size):
    """A real end of room: what is written beyond it is written in part and then refused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_found_room_in_part_is_healed_by_the_next(ledger, make_record):
    ledger.append(make_record(seed=0))
    size = ledger.path(EXPERIMENT, "reduced").stat().st_size
    with files_up_to(size + 100), pytest.raises(LedgerError, match="File too large; free some space"):
        ledger.append(make_record(seed=1))
    with files_up_to(100), pytest.raises(LedgerError, match="File too large"):
        ledger.append(make_record(seed=2, arrays={"sigma": np.zeros(300)}))
    assert not list(ledger.root.rglob("*npz*"))
    assert [r.seed for r in ledger.records(EXPERIMENT, "reduced")] == [0]
    assert ledger.append(make_record(seed=1)) and ledger.append(make_record(seed=2))
    assert [r.seed for r in ledger.records(EXPERIMENT, "reduced")] == [0, 1, 2]


def test_a_line_that_found_room_in_part_leaves_nothing_behind(ledger, make_record):
    ledger.append(make_record(seed=0))
    path = ledger.path(EXPERIMENT, "reduced")
    before = path.read_bytes()
    with files_up_to(len(before) + 100), contextlib.suppress(LedgerError):
        ledger.append(make_record(seed=1))
    assert path.read_bytes() == before


def test_retraction_supersedes_and_never_deletes(ledger, make_record):
    old = make_record(metrics={"test_error": 1.0})
    ledger.append(old)
    ledger.retract(old.key, "wrong labels")
    assert ledger.records(EXPERIMENT, "reduced") == []
    assert ledger.read(EXPERIMENT, "reduced").retracted == {old.key: "wrong labels"}
    new = make_record(metrics={"test_error": 2.0})
    assert ledger.append(new) and ledger.records(EXPERIMENT, "reduced") == [new]
    assert len(ledger.path(EXPERIMENT, "reduced").read_text().splitlines()) == 3


def test_retraction_wants_a_reason_and_a_key_that_is_there(ledger, make_record):
    ledger.append(make_record())
    with pytest.raises(LedgerError, match="gives no reason"):
        ledger.retract(make_record().key, " ")
    with pytest.raises(LedgerError, match="has the key 'nothing'"):
        ledger.retract("nothing", "why")


def _write(root, seeds, make):
    for seed in seeds:
        Ledger(root).append(make(seed=seed))


def test_several_writers_at_once_lose_and_double_nothing(ledger, make_record):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(ledger.root, range(20), make_record)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = ledger.path(EXPERIMENT, "reduced").read_text().splitlines()
    assert len(lines) == 20 and sorted(json.loads(line)["seed"] for line in lines) == list(range(20))
