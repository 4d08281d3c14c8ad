"""Carrying records over to other keys where settings were moved or renamed on purpose."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lggkit import experiments, strict
from lggkit.record import Record, Spec, key_of
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.ledger_aliases import Alias


def rekey(
    ledger: Ledger,
    name: str,
    first_scale: str,
    scale: str,
    reason: str,
    renamed: Mapping[str, str] | None = None,
) -> int:
    """Append an alias for each record of an experiment at ``first_scale``; how many were appended.

    Its new key is that of today's run of the same arm and seed at ``scale``. First every key is computed
    again from today's settings, by what they were called before (``renamed``, today's name to the old one, of
    a field or of the type of a nested dataclass): only settings that are the same by value are carried over.
    Records that are of today's runs at ``first_scale`` and not of those at ``scale`` stay. One whose key does
    not change gets an alias where its settings have old names. Nothing is appended where one key does not
    come out.

    Raises:
        LedgerError: a key does not come out of today's settings, no reason is given, or a renamed setting
            does not exist today or shares its old name.
        KeyError: there is no such experiment.
    """
    if not reason.strip():
        raise LedgerError("no reason is given; say what was moved or renamed")
    experiment, names = experiments.get(name), dict(renamed or {})
    if missing := {first_scale, scale} - experiment.protocols.keys():
        raise LedgerError(f"{name} has no protocol at {min(missing)} scale; choose scales that it has")
    _check_names(experiment, scale, names)
    date, aliases = strict.now(), []
    for record in ledger.records(name, first_scale):
        spec = _spec(experiment, record, scale)
        stays = record.key == spec.key and not (names and _words(record.settings) != _words(spec.settings))
        if not stays and _moves(record, experiment, spec, first_scale, names):
            aliases.append(Alias(name, first_scale, record.key, scale, spec.key, reason, date, names))
    return ledger.aliases.append(aliases)


def _check_names(experiment: experiments.Experiment, scale: str, names: Mapping[str, str]) -> None:
    known = {one for arm in experiment.arms for one in _named(experiment.spec(arm.name, scale).protocol)}
    if unknown := sorted(names.keys() - known):
        raise LedgerError(
            f"{experiment.name} has no setting {unknown[0]!r}; give today's name first: new=old"
        )
    if len(set(names.values())) < len(names):
        raise LedgerError("two settings are said to have had the same name; give each its own")


def _named(settings: Any) -> set[str]:
    """The names of fields and of the types of nested dataclasses."""
    if not dataclasses.is_dataclass(settings):
        return set()
    fields = {entry.name: getattr(settings, entry.name) for entry in dataclasses.fields(settings)}
    return {type(settings).__name__, *fields}.union(*map(_named, fields.values()))


def _words(settings: Any) -> set[str]:
    """The names in settings as plain data."""
    return set(settings).union(*map(_words, settings.values())) if isinstance(settings, dict) else set()


def _spec(experiment: experiments.Experiment, record: Record, scale: str) -> Spec:
    try:
        return experiment.spec(record.arm, scale, record.seed)
    except KeyError as error:
        raise LedgerError(f"record {record.key}: {error.args[0]}; nothing was carried over") from error


def _moves(
    record: Record, experiment: experiments.Experiment, spec: Spec, first_scale: str, names: Mapping[str, str]
) -> bool:
    """Whether a record is of today's run; False where it is of today's run at the first scale instead."""
    before = key_of(spec, first_scale, names)
    if before == record.key:
        return True
    if experiment.spec(record.arm, first_scale, record.seed).key == record.key:
        return False
    raise LedgerError(
        f"record {record.key} of {record.arm}, seed {record.seed}, does not come out of today's settings "
        f"(they give {before}); nothing was carried over: give every field that was renamed, or leave it"
    )
