"""What of another folder's ledger a file takes over: retractions first, then records."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from lggkit import strict
from lggkit.record import Record
from lggkit.study.records.ledger_lines import Reading, Retraction


@dataclass
class Plan:
    """The retractions and records to append, in this order, and how many records are not taken."""

    retractions: list[Retraction] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    held: int = 0


def plan(ours: Reading, theirs: Reading) -> Plan:
    """What to append to ``ours`` so that it says what both say.

    A retraction withdraws the lines of its key above it in its own file, the same lines in the other, and of
    the other's lines those that were measured before its date, unless these stand below a retraction of
    their own file: measured again, they stay. Where both hold a current record, ours stays. Nothing is left
    to append once the plan was followed. ``ours`` is brought up to date.
    """
    ours_alone, theirs_alone = _alone(ours, theirs), _alone(theirs, ours)
    made = Plan()
    for retraction in theirs_alone:
        lines = theirs.retractions[retraction] | _older(ours, retraction)
        if not lines <= ours.withdrawn:
            made.retractions.append(dataclasses.replace(retraction, lines=tuple(sorted(lines))))
            ours.add_retraction(made.retractions[-1])
    for key, record in theirs.records.items():
        name = theirs.current(key)
        outdated = any(name in _older(theirs, retraction) for retraction in ours_alone)
        if key in ours.records or name in ours.withdrawn or outdated:
            made.held += 1
        else:
            made.records.append(record)
            ours.add_record(record)
    return made


def _alone(one: Reading, other: Reading) -> list[Retraction]:
    """The retractions of one that the other does not have, whatever lines they name."""
    had = {retraction.identity for retraction in other.retractions}
    return [retraction for retraction in one.retractions if retraction.identity not in had]


def _older(reading: Reading, retraction: Retraction) -> set[str]:
    """The names of a key's lines that are older than a retraction of the other file and not renewed since."""
    until = strict.moment(retraction.date)
    lines = reading.live.get(retraction.key, {}).items()
    dated = {name: strict.moment(record.date) for name, record in lines if name not in reading.renewed}
    return {name for name, date in dated.items() if until and date and date < until}
