"""Carrying records over: what is recomputed, what is refused, and that nothing is appended then."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pytest

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.protocol import Protocol
from lggkit.record import SCALES, key_of
from lggkit.study import paths
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.rekey import rekey

NAME = "lgg/s00_toy"


def test_every_stored_key_comes_out_of_todays_settings():
    """A change of defaults, names or arms that orphans a record fails here."""
    ledger, checked = Ledger(paths.results()), 0
    for experiment in experiments.all_experiments():
        ways = ledger.aliases.ways(experiment.name)
        ends = {way[-1].key: (start, way) for start, way in ways.items()}
        for record in (record for scale in SCALES for record in ledger.records(experiment.name, scale)):
            spec = experiment.spec(record.arm, record.scale, record.seed)
            assert spec.key == record.key, (record.experiment, record.arm, record.seed, record.scale)
            if record.first_key:
                (scale, key), way = ends[record.key]
                assert key == record.first_key
                assert len(way) > 1 or key_of(spec, scale, way[0].renamed) == key
            checked += 1
    assert checked >= 183


def test_no_stored_line_is_orphaned():
    """Every current line, under its key or the one that it was carried over to, is of a run of today."""
    ledger = Ledger(paths.results())
    lines = {key for place in ledger.places() for key in ledger.read(*place).records}
    shown = [record for place in ledger.places() for record in ledger.records(*place)]
    assert lines == {record.first_key or record.key for record in shown}
    assert {record.experiment for record in shown} <= {one.name for one in experiments.all_experiments()}


@dataclass(frozen=True)
class Loss:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Then(Protocol):
    k: int = 5
    epochs: int = 1
    loss: Loss = field(default_factory=lambda: Loss("a"))


@dataclass(frozen=True)
class Cost:
    name: str
    strength: float = 1.0


@dataclass(frozen=True)
class Now(Protocol):
    neighbours: int = 5
    epochs: int = 1
    loss: Cost = field(default_factory=lambda: Cost("a"))


RENAMED = {"neighbours": "k", "Cost": "Loss", "strength": "weight"}


def section(protocols, changes):
    arms = (Arm("base", "b"), Arm("ours", "c", changes))
    return Experiment(
        name=NAME,
        title="toy",
        protocols=protocols,
        arms=arms,
        seeds=dict.fromkeys(SCALES, 2),
        measure=lambda specs, context: iter(()),
    )


@pytest.fixture
def registered(monkeypatch):
    """Makes an experiment the only one that there is."""

    def register(experiment):
        monkeypatch.setattr(experiments, "all_experiments", lambda: [experiment])
        monkeypatch.setattr(experiments, "get", lambda name: experiment)
        return experiment

    return register


THEN = section({"reduced": Then(epochs=3), "short": Then(epochs=3)}, {"k": 7, "loss": Loss("b", 2.0)})
LONGER = dataclasses.replace(THEN, protocols={"reduced": Then(epochs=9), "short": Then(epochs=3)})
NOW = section({"reduced": Now(epochs=9), "short": Now(epochs=3)}, {"neighbours": 7, "loss": Cost("b", 2.0)})


@pytest.fixture
def ledger(tmp_path, measured):
    ledger = Ledger(tmp_path / "results")
    for record in measured(THEN):
        assert ledger.append(record)
    return ledger


@pytest.fixture
def measured(make_record):
    """Records of all runs of an experiment at a scale."""

    def make(experiment, scale="reduced", value=10.0):
        made = []
        for spec in experiment.specs(scale):
            one = make_record(spec.arm, spec.seed, scale, NAME, {"sigma": np.full(2, spec.seed)})
            made.append(
                dataclasses.replace(
                    one, key=spec.key, settings=spec.settings, metrics={"test_error": value + spec.seed}
                )
            )
        return made

    return make


def keys(ledger, scale):
    return {record.key for record in ledger.records(NAME, scale)}


def planned(experiment, scale):
    return {spec.key for spec in experiment.specs(scale)}


def test_records_stand_under_the_new_keys_with_their_arrays(ledger, registered):
    registered(LONGER)
    assert rekey(ledger, NAME, "reduced", "short", "made longer") == 4
    assert keys(ledger, "reduced") == set() and keys(ledger, "short") == planned(LONGER, "short")
    for record in ledger.records(NAME, "short"):
        assert record.scale == "short" and record.metrics["test_error"] == 10.0 + record.seed
        assert ledger.arrays(record)["sigma"].tolist() == [record.seed] * 2
    assert ledger.places() == [(NAME, "short"), (NAME, "reduced")]
    assert rekey(ledger, NAME, "reduced", "short", "made longer") == 0


def test_renamed_fields_and_types_are_carried_over_and_settings_have_todays_names(ledger, registered):
    registered(NOW)
    assert rekey(ledger, NAME, "reduced", "short", "words", RENAMED) == 4
    assert keys(ledger, "short") == planned(NOW, "short")
    ours = next(record for record in ledger.records(NAME, "short") if record.arm == "ours")
    assert ours.settings == NOW.spec("ours", "short").settings | {"epochs": 3}
    assert ledger.arrays(ours)["sigma"].tolist() == [0, 0]


def test_two_hops_lead_to_the_last_place(ledger, registered):
    registered(LONGER)
    rekey(ledger, NAME, "reduced", "short", "made longer")
    registered(NOW)
    assert keys(ledger, "short") != planned(NOW, "short")
    assert rekey(ledger, NAME, "short", "short", "words", RENAMED) == 4
    assert keys(ledger, "short") == planned(NOW, "short") and keys(ledger, "reduced") == set()
    ours = next(record for record in ledger.records(NAME, "short") if record.arm == "ours")
    assert ours.first_key == next(spec.key for spec in THEN.specs("reduced") if spec.arm == "ours")
    assert ours.settings == NOW.spec("ours", "short").settings
    assert ledger.arrays(ours)["sigma"].tolist() == [0, 0]


def test_settings_have_todays_names_where_the_key_does_not_change(ledger, registered):
    registered(dataclasses.replace(NOW, protocols={"reduced": Now(epochs=3)}))
    assert rekey(ledger, NAME, "reduced", "reduced", "words", RENAMED) == 4
    assert rekey(ledger, NAME, "reduced", "reduced", "words", RENAMED) == 0
    for record in ledger.records(NAME, "reduced"):
        assert record.settings["neighbours"] == (5 if record.arm == "base" else 7)
        assert "weight" not in record.settings["loss"] and not ledger.append(record)
        assert ledger.arrays(record) and bool(record.first_key) == (record.arm == "ours")


def test_there_and_back_again_and_there_once_more(ledger, registered):
    first = {record.key: record for record in ledger.records(NAME, "reduced")}
    registered(LONGER)
    rekey(ledger, NAME, "reduced", "short", "made longer")
    registered(THEN)
    assert rekey(ledger, NAME, "short", "reduced", "taken back") == 4
    assert {record.key: record for record in ledger.records(NAME, "reduced")} == first
    assert keys(ledger, "short") == set() and not ledger.append(next(iter(first.values())))
    registered(LONGER)
    assert rekey(ledger, NAME, "reduced", "short", "made longer after all") == 4
    assert keys(ledger, "short") == planned(LONGER, "short") and keys(ledger, "reduced") == set()


WRONG = [
    ({}, "does not come out of today's settings"),
    ({"neighbours": "k"}, "does not come out"),
    ({"neighbours": "n", "Cost": "Loss", "strength": "weight"}, "does not come out"),
    ({**RENAMED, "nothing": "epochs"}, "has no setting 'nothing'"),
    ({**RENAMED, "epochs": "k"}, "have had the same name"),
]


@pytest.mark.parametrize(("names", "told"), WRONG)
def test_a_wrong_rename_is_refused_and_nothing_is_appended(ledger, registered, names, told):
    registered(NOW)
    with pytest.raises(LedgerError, match=told):
        rekey(ledger, NAME, "reduced", "short", "words", names)
    assert not ledger.aliases.path.exists() and len(keys(ledger, "reduced")) == 4


def test_what_cannot_be_carried_over_is_said(ledger, registered):
    registered(LONGER)
    with pytest.raises(LedgerError, match="no reason"):
        rekey(ledger, NAME, "reduced", "short", "  ")
    with pytest.raises(LedgerError, match="no protocol at paper scale"):
        rekey(ledger, NAME, "reduced", "paper", "why")
    registered(dataclasses.replace(LONGER, arms=LONGER.arms[:1]))
    with pytest.raises(LedgerError, match=r"no arm 'ours'.*nothing was carried over"):
        rekey(ledger, NAME, "reduced", "short", "why")
    registered(dataclasses.replace(LONGER, protocols={"reduced": Then(epochs=9), "short": Then(epochs=4)}))
    with pytest.raises(LedgerError, match="does not come out"):
        rekey(ledger, NAME, "reduced", "short", "why")
    assert not ledger.aliases.path.exists()


def test_records_of_todays_runs_at_the_first_scale_stay(ledger, registered, measured):
    registered(LONGER)
    rekey(ledger, NAME, "reduced", "short", "made longer")
    for record in measured(LONGER, value=20.0):
        assert ledger.append(record)
    assert rekey(ledger, NAME, "reduced", "short", "again") == 0
    assert keys(ledger, "reduced") == planned(LONGER, "reduced")
    assert {record.metrics["test_error"] for record in ledger.records(NAME, "short")} == {10.0, 11.0}


def test_nothing_is_added_under_a_key_that_has_a_number_or_that_was_left(ledger, registered, measured):
    registered(LONGER)
    rekey(ledger, NAME, "reduced", "short", "made longer")
    before = {path: path.read_bytes() for path in ledger.files()}
    assert not any(ledger.append(record) for record in measured(LONGER, "short", 30.0))
    for record in measured(THEN):
        with pytest.raises(LedgerError, match=r"were carried over to .* at short scale"):
            ledger.append(record)
    assert {path: path.read_bytes() for path in ledger.files()} == before


def test_a_carried_number_is_retracted_and_measured_again(ledger, registered, measured):
    registered(LONGER)
    rekey(ledger, NAME, "reduced", "short", "made longer")
    old = next(record for record in ledger.records(NAME, "short") if record.seed == 1)
    assert ledger.retract(old.key, "wrong labels") == old
    assert keys(ledger, "short") == planned(LONGER, "short") - {old.key}
    new = next(record for record in measured(LONGER, "short", 50.0) if record.key == old.key)
    assert ledger.append(new) and not ledger.append(new)
    assert new in ledger.records(NAME, "short") and len(keys(ledger, "short")) == 4
    assert ledger.retract(old.key, "wrong again") == new
    assert old.key not in keys(ledger, "short")
    with pytest.raises(LedgerError, match="no current record"):
        ledger.retract(old.key, "once more")
    assert ledger.append(new)
