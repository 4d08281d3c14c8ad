import json
from dataclasses import dataclass, field

import pytest

from lggkit.record import Protocol, Record, Spec


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
    with pytest.raises(ValueError, match=r"scale is 'full'; choose one of smoke, reduced, paper"):
        Spec("lgg/s", "a", "full")
    with pytest.raises(ValueError, match="seed is -1"):
        Spec("lgg/s", "a", "smoke", -1)


def test_record_goes_to_json_and_back_with_names_of_arrays_only():
    kept = record(arrays={"sigma": [1, 2], "adjacency": 3}, curves={"loss": [2.0, 1.0]})
    line = kept.to_json()
    assert json.loads(line)["arrays"] == ["adjacency", "sigma"]
    back = Record.from_json(line)
    assert back == kept and set(back.arrays) == {"adjacency", "sigma"}


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
