"""Carrying records over to other keys where settings were moved or renamed on purpose."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from lggkit import experiments
from lggkit.record import Record, Spec, key_of
from lggkit.study.ledger import Ledger, LedgerError
from lggkit.study.ledger_aliases import Alias


def rekey(
    ledger: Ledger,
    name: str,
    first_scale: str,
    scale: str,
    reason: str,
    renamed: Mapping[str, str] | None = None,
) -> int:
    """Append an alias for each record of an experiment at ``first_scale``; how many were appended.

    Its new key is that of today's run of the same arm and seed at ``scale``. First every stored key is
    computed again from today's settings, by what they were called before (``renamed``, today's name to the
    old one, in the protocol or in a dataclass nested in it): only settings that are the same by value are
    carried over. Nothing is appended where one key does not come out.

    Raises:
        LedgerError: a stored key does not come out of today's settings, or no reason is given.
        KeyError: there is no such experiment.
    """
    if not reason.strip():
        raise LedgerError("no reason is given; say what was moved or renamed")
    experiment, date = experiments.get(name), datetime.datetime.now(datetime.UTC)
    aliases = []
    for record in ledger.records(name, first_scale):
        spec = experiment.spec(_arm(experiment, record), scale, record.seed)
        _same(record, spec, first_scale, renamed or {})
        if record.key != spec.key:
            stamp = date.isoformat(timespec="seconds")
            first = record.first_key or record.key
            aliases.append(Alias(name, first_scale, first, scale, spec.key, reason, stamp))
    return ledger.aliases.append(aliases)


def _arm(experiment: experiments.Experiment, record: Record) -> str:
    try:
        return experiment.arm(record.arm).name
    except KeyError as error:
        raise LedgerError(f"record {record.key}: {error.args[0]}; nothing was carried over") from error


def _same(record: Record, spec: Spec, first_scale: str, renamed: Mapping[str, str]) -> None:
    before = key_of(spec, first_scale, renamed)
    if before != record.key:
        raise LedgerError(
            f"record {record.key} of {record.arm}, seed {record.seed}, does not come out of today's settings "
            f"(they give {before}); nothing was carried over: give every field that was renamed, or leave it"
        )
