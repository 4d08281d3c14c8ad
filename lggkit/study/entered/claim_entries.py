"""One row of a paper's ``claims.csv`` as a `Claim`, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lggkit.study.entered.entries import Entry
from lggkit.study.entered.gates import Condition, parse_gate
from lggkit.study.entered.paper_entries import experiment_of

KINDS = ("greater", "equivalent", "trend", "exact", "all_of")
EVERY_SEED = 1
DIRECTIONS = ("increasing", "decreasing")
SHARED = re.compile(r"[a-z0-9_]+/[a-z0-9-]+")
NEEDS = {
    "greater": ("left", "right"),
    "equivalent": ("left", "right", "margin"),
    "trend": ("left", "metric", "direction"),
    "exact": ("left", "metric", "margin"),
    "all_of": ("members",),
}
"""What each kind of claim is decided by; the kinds of two sides may have a metric as well."""


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, with the rule that decides it, declared before anything was measured."""

    paper: str
    id: str
    number: str
    section: str
    statement: str
    kind: str
    experiment: str
    left: str
    right: str
    metric: str
    margin: float | None
    direction: str
    members: tuple[str, ...]
    n_required: dict[str, int]
    source: str
    note: str
    gate: tuple[Condition, ...] = ()
    """What must be true of the networks that it is about; nothing for identities and untrained things."""
    after_run: bool = False
    """Whether it was written or made stricter after a run of it."""
    shares: str = ""
    """The claim, as paper/id, that rests on the same measurement and is counted for both."""

    @property
    def identity(self) -> bool:
        """Whether it is a statement of mathematics, which no trained network decides."""
        return self.kind == "exact" and not self.gate


def claim_of(paper: str, entry: Entry, kinds: Mapping[str, str]) -> Claim:
    """A row of ``claims.csv``; ``kinds`` are those of all claims of the file, by identifier.

    Raises:
        ValueError: one sentence with file and line about a field that is missing or not as it should be.
    """
    kind = entry.one_of("kind", KINDS)
    _check_sides(entry, kind)
    members = tuple(part.strip() for part in entry.fields["members"].split(";") if part.strip())
    for member in members:
        if kinds.get(member, "all_of") == "all_of" or members.count(member) > 1:
            raise entry.fault(f"members has {member!r}; name other claims of this file, each once, no all_of")
    return Claim(
        paper=paper,
        margin=entry.number("margin", least=0.0),
        members=members,
        n_required=_seeds(entry),
        gate=_gate(entry, kind),
        after_run=entry.one_of("after_run", ("", "yes")) == "yes",
        shares=_shares(entry, paper),
        experiment=experiment_of(entry, required=False),
        **{name: entry.text(name, required=False) for name in _CLAIM_TEXTS},
    )


def _seeds(entry: Entry) -> dict[str, int]:
    """Seeds at each scale that decides; as many at short scale as at reduced where nothing else is said."""
    given = {scale: entry.count(f"n_required_{scale}") for scale in ("short", "reduced", "paper")}
    given["short"] = given["short"] or given["reduced"]
    return {scale: count or EVERY_SEED for scale, count in given.items()}


def _gate(entry: Entry, kind: str) -> tuple[Condition, ...]:
    try:
        gate = parse_gate(entry.fields["gate"])
    except ValueError as error:
        raise entry.fault(str(error)) from error
    if gate and kind == "all_of":
        raise entry.fault(
            "gate is given, which a claim of kind all_of does not have; its members have theirs"
        )
    return gate


def _shares(entry: Entry, paper: str) -> str:
    other = entry.fields["shares"]
    if (other and not SHARED.fullmatch(other)) or other == f"{paper}/{entry.fields['id']}":
        raise entry.fault(f"shares is {other!r}; write paper/id of another claim")
    return other


def _check_sides(entry: Entry, kind: str) -> None:
    optional = ("metric",) if "right" in NEEDS[kind] else ()
    for name in ("left", "right", "metric", "margin", "direction", "members"):
        if entry.text(name, required=name in NEEDS[kind]) and name not in (*NEEDS[kind], *optional):
            raise entry.fault(f"{name} is {entry.fields[name]!r}, which a claim of kind {kind} does not have")
    if kind == "trend":
        entry.one_of("direction", DIRECTIONS)
    if kind == "equivalent" and not entry.number("margin", least=0.0):
        raise entry.fault("margin is 0, within which nothing is known to lie; write a number above it")
    bare = [side for side in ("left", "right") if optional and not re.search(":.", entry.fields[side])]
    if bare and not entry.fields["metric"]:
        raise entry.fault(f"{bare[0]} is {entry.fields[bare[0]]!r} without a metric; write arm:metric")


_CLAIM_TEXTS = (
    *("id", "number", "section", "statement", "kind", "left", "right", "metric", "direction"),
    *("source", "note"),
)
CLAIM_COLUMNS = (
    *("id", "number", "section", "statement", "kind", "experiment", "left", "right", "metric", "margin"),
    *("direction", "members", "n_required_reduced", "n_required_paper", "source", "note"),
)
LATER_CLAIM_COLUMNS = ("n_required_short", "gate", "after_run", "shares")
