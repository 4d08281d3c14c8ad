"""What readers of the ledger do with lines and files that are damaged, and what an append reads."""

import json

import numpy as np
import pytest

from lggkit.study.records import ledger_lines
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.ledger_lines import collected

EXPERIMENT = "lgg/s41_distillation"


@pytest.fixture
def ledger(tmp_path, make_record):
    """A ledger with the seeds 0 and 2 and room for a line between them."""
    ledger = Ledger(tmp_path / "results")
    ledger.append(make_record(seed=0)), ledger.append(make_record(seed=2))
    return ledger


def altered(**fields):
    return lambda line: json.dumps(json.loads(line) | fields).encode()


DAMAGE = {
    "garbage": lambda line: b"garbage",
    "metrics null": altered(metrics=None),
    "deep": lambda line: b"[" * 200_000,
    "400 digits": lambda line: line.replace(b"10.0", b"9" * 400),
    "seed of 400 digits": lambda line: line.replace(b'"seed": 0', b'"seed": ' + b"9" * 400),
    "arm a list": altered(arm=[1]),
    "NaN": lambda line: line.replace(b"10.0", b"NaN"),
    "Infinity": lambda line: line.replace(b"10.0", b"-Infinity"),
    "twice": lambda line: line[:-1] + b', "seed": 1}',
    "no UTF-8": lambda line: line.replace(b"gkd", b"g\xffd"),
    "NUL": lambda line: b"\0" * 100,
    "another section's": altered(experiment="lgg/s42_embeddings"),
    "another scale's": altered(scale="paper"),
    "a retraction without a reason": lambda line: b'{"retract": "' + b"0" * 16 + b'"}',
    "a retraction of a list": lambda line: b'{"retract": [1], "reason": "x"}',
    "a retraction with a broken date": lambda line: b'{"retract": "a", "reason": "x", "date": 3}',
    "a list": lambda line: b"[1]",
    "a text": lambda line: b'"retract"',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_line_is_named_and_the_others_are_served(ledger, make_record, damage):
    path = ledger.files()[0]
    first, last = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([first, damage(first), last, b""]))
    with collected() as problems:
        assert [r.seed for r in ledger.records(EXPERIMENT, "reduced")] == [0, 2]
    (problem,) = problems
    assert problem.startswith(f"{path}, line 2 is not a record and was left out: ") and "\n" not in problem
    assert ledger.problems() == [problem]
    assert ledger.append(make_record(seed=1)) and not ledger.append(make_record(seed=2))
    assert ledger.retract(make_record(seed=0).key, "why").seed == 0


def test_without_a_collector_it_is_logged_once(ledger, caplog):
    with open(ledger.files()[0], "ab") as file:
        file.write(b"garbage\n")
    for _ in range(3):
        ledger.records(EXPERIMENT, "reduced")
    assert [r.levelname for r in caplog.records] == ["WARNING"] and "line 3" in caplog.text


def test_a_folder_in_place_of_a_file_and_a_link_to_nowhere_are_named(ledger, make_record):
    folder = ledger.path("lgg/s42_embeddings", "reduced")
    folder.mkdir()
    ledger.path("lgg/s43_robustness", "paper").symlink_to("nowhere")
    ledger.path("lgg/s43_robustness", "smoke").symlink_to("s43_robustness.smoke.jsonl")
    assert ledger.records("lgg/s42_embeddings", "reduced") == []
    assert len(ledger.problems()) == 3 and any(f"{folder} cannot be read" in p for p in ledger.problems())
    assert len(ledger.records(EXPERIMENT, "reduced")) == 2
    with pytest.raises(LedgerError, match="cannot write to"):
        ledger.append(make_record(experiment="lgg/s42_embeddings"))
    with pytest.raises(LedgerError, match="cannot write to"):
        ledger.probe([("lgg/s42_embeddings", "reduced")])


def test_a_place_outside_the_folder_is_refused(ledger):
    for name, scale in (
        ("../../x", "reduced"),
        ("/tmp/x", "reduced"),
        (EXPERIMENT, "../paper"),
        ("", "paper"),
    ):
        with pytest.raises(ValueError):
            ledger.records(name, scale)


def test_arrays_that_are_no_numbers_are_not_written(ledger, make_record):
    with pytest.raises(LedgerError, match="'sigma' holds Python objects"):
        ledger.append(make_record(seed=5, arrays={"sigma": np.array([{}])}))
    assert not list(ledger.root.rglob("*.npz*"))


@pytest.fixture
def parsed(monkeypatch):
    """The lines that appends understand."""
    seen, take = [], ledger_lines.Reading.take
    monkeypatch.setattr(
        ledger_lines.Reading,
        "take",
        lambda self, line, *rest: (seen.append(line), take(self, line, *rest))[1],
    )
    return seen


def test_an_append_understands_only_lines_of_its_key(tmp_path, make_record, parsed):
    for seed in range(100):
        assert Ledger(tmp_path).append(make_record(seed=seed))
    assert parsed == []
    assert not any(Ledger(tmp_path).append(make_record(seed=seed)) for seed in range(100))
    assert len(parsed) == 100
    assert len(Ledger(tmp_path).records(EXPERIMENT, "reduced")) == 100


def test_an_append_notices_what_others_did_to_the_file(ledger, make_record, parsed):
    path = ledger.files()[0]
    whole = path.read_bytes()
    last = whole.splitlines()[1]
    path.write_bytes(last + b"\n")
    assert ledger.append(make_record(seed=0)), "a line was removed"
    path.write_bytes(whole.replace(b'"seed": 2', b'"seed": 3') * 2)
    assert not ledger.append(make_record(seed=0)), "the file was written anew and longer"
    path.unlink()
    assert ledger.append(make_record(seed=0)), "the file is another one"
    with open(path, "ab") as file:
        file.write(last + b"\n" + make_record(seed=4).to_json().encode())
    assert not ledger.append(make_record(seed=2)), "another writer added a line"
    assert not ledger.append(make_record(seed=4)), "a line without its end"
    ledger.retract(make_record(seed=2).key, "why")
    assert ledger.append(make_record(seed=2)) and not ledger.append(make_record(seed=4))
