import json
from dataclasses import dataclass, field

import pytest

from lggkit.record import Protocol, Record, Spec
from lggkit.study import paths


@dataclass(frozen=True)
class Inner:
    epochs: int
    rate: float = 0.1


@dataclass(frozen=True)
class Settings(Protocol):
    k: int = 5
    training: Inner = field(default_factory=lambda: Inner(200))


def key(protocol=None, **changes):
    fields = {"experiment": "lgg/s", "arm": "a", "scale": "smoke", "seed": 0} | changes
    return Spec(**fields, protocol=protocol or Settings()).key


def record(**changes):
    fields = {"key": "0" * 16, "experiment": "lgg/s", "arm": "a", "scale": "smoke", "seed": 0, "settings": {}}
    return Record(**fields | {"metrics": {"error": 1.0}} | changes)


@pytest.mark.parametrize(
    "changes", [{"experiment": "lgg/t"}, {"arm": "b"}, {"scale": "paper"}, {"seed": 1}], ids=str
)
def test_key_tells_runs_apart(changes):
    assert key(**changes) != key()


@pytest.mark.parametrize(
    "protocol",
    [Settings(k=6), Settings(revision=2), Settings(training=Inner(100)), Settings(training=Inner(200, 0.2))],
    ids=str,
)
def test_key_tells_settings_apart(protocol):
    assert key(protocol) != key()


def test_key_survives_new_fields_with_defaults():
    @dataclass(frozen=True)
    class Inner(globals()["Inner"]):
        warmup: float = 0.0

    @dataclass(frozen=True)
    class Grown(Settings):
        training: Inner = field(default_factory=lambda: Inner(200))
        mode: str = "or"

    assert key(Grown()) == key(Settings())
    assert key(Grown(k=6)) == key(Settings(k=6))
    assert key(Grown(mode="and")) != key(Settings())
    changed = {"training": Inner(100)}, {"training": globals()["Inner"](100)}
    assert key(Grown(**changed[0])) == key(Settings(**changed[1]))


def test_keys_never_change():
    """Records on disk are found by these; a change here orphans every one of them."""
    assert key() == "8a5b086920f325ed"
    assert key(Settings(k=6, training=Inner(100, 0.2))) == "db25d1f33c625494"


def test_spec_refuses_unknown_scale_and_negative_seed():
    with pytest.raises(ValueError, match=r"scale is 'full'; choose one of smoke, short, reduced, paper"):
        Spec("lgg/s", "a", "full")
    with pytest.raises(ValueError, match="seed is -1"):
        Spec("lgg/s", "a", "smoke", -1)


def test_record_goes_to_json_and_back_with_names_of_arrays_only():
    written = record(arrays={"sigma": [1, 2], "adjacency": 3}, curves={"loss": [2.0, 1.0]})
    line = written.to_json()
    assert json.loads(line)["arrays"] == ["adjacency", "sigma"]
    back = Record.from_json(line)
    assert back == written and set(back.arrays) == {"adjacency", "sigma"}


def test_record_refuses_what_is_not_finite_unless_it_diverged():
    with pytest.raises(ValueError, match="'error' is not finite"):
        record(metrics={"error": float("nan")})
    with pytest.raises(ValueError, match="'list' is not finite"):
        record(metrics={"list": [1.0, float("inf")]})
    with pytest.raises(ValueError, match="gives no reason"):
        record(status="diverged")
    with pytest.raises(ValueError, match="status is 'lost'"):
        record(status="lost")
    assert record(status="diverged", reason="loss at step 3", metrics={}).reason


@pytest.mark.parametrize("line", ["{", "[]", '{"key": "a"}', '{"unknown": 1}'])
def test_from_json_refuses_what_is_no_record(line):
    with pytest.raises(ValueError, match=r"not a record|Expecting"):
        Record.from_json(line)


WRONG = {
    "key": ["", "../../escaped/xxxx", 7, None, "0" * 17],
    "experiment": ["../../escaped/x", "/abs/x", "a\\b", "a/b\0", "", "lgg", ["lgg/s"], None],
    "arm": ["../x", "a/b", "", [1], {}, None, "a\0"],
    "scale": ["full", "", None, ["smoke"], "../smoke"],
    "seed": [-1, 1.5, True, "0", None, 10**400],
    "settings": [None, [], "k", {"k": [[float("inf")]]}, {"k": float("nan")}],
    "metrics": [None, [], 3, {"e": None}, {"e": "1"}, {"e": True}, {"e": [[1.0]]}, {"e": 10**400}, {"e": {}}],
    "curves": [None, [], {"loss": 1.0}, {"loss": ["1"]}, {"loss": [float("inf")]}, {"loss": None}],
    "status": ["lost", None, 1],
    "reason": [None, 3, "\ud800"],
    "device": [None, 3],
    "precision": [None, []],
    "torch": [2.1],
    "path": [None],
    "seconds": [None, "1", float("nan"), -1.0, True],
    "commit": [None, 7],
    "date": [None, 2026, "yesterday"],
    "arrays": [None, "ab", [1], {"../x": 1}, {"": 1}, {"file": 1}],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_every_field_is_held_to_its_type_and_form(name, value):
    with pytest.raises(ValueError):
        record(**{name: value})
    fields = json.loads(record().to_json()) | {
        name: list(value) if name == "arrays" and isinstance(value, dict) else value
    }
    with pytest.raises(ValueError, match=r"^not a record: "):
        Record.from_json(json.dumps(fields))


@pytest.mark.parametrize(
    "changes", [{"experiment": "../x"}, {"experiment": "a/b/c"}, {"arm": "a/b"}, {"arm": ""}, {"seed": True}]
)
def test_a_spec_names_nothing_that_leaves_its_folder(changes):
    with pytest.raises(ValueError):
        key(**changes)


def test_every_stored_record_is_one():
    files = sorted(paths.results().glob("*/*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines() if b'"retract"' not in line]
    records = [Record.from_json(line) for line in lines]
    assert len(records) >= 200
    assert [r.to_json() for r in records] == [line.decode() for line in lines]
