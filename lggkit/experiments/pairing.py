"""What the trainings of a seed must have in common so that differences between its arms are paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lggkit.experiments.networks import Context, Network, Seeded, content
from lggkit.training import TrainResult

OPEN = "auto"


def paired(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions, as `content` gives them, have the same images and schedule but for epochs."""
    schedules = [{**each.get("schedule", {}), "epochs": None} for each in (one, other)]
    return one.get("images") == other.get("images") and schedules[0] == schedules[1]


def by_precision(
    group: Sequence[Seeded], beside: Sequence[Seeded], context: Context, trained: Mapping[Seeded, TrainResult]
) -> dict[str | None, list[Seeded]]:
    """Networks of one schedule, grouped by the precision that is known for their seed; None: not yet known.

    Where the schedule leaves it open, a seed's arms are trained in what the first of them was: one of those
    just ``trained``, or an earlier training that the context knows of. Where there is none, students share
    the precision of their guide, and the arms of the seed that are wanted ``beside`` them do too.
    """
    known: dict[int, str | None] = {seed: None for _, seed in group}
    for one in group:
        known[one[1]] = known[one[1]] or _earlier(one, context, trained)
    for network, seed in beside:
        if seed in known and known[seed] is None and paired(content(network), content(group[0][0])):
            known[seed] = _of_guide(network, context)
    groups: dict[str | None, list[Seeded]] = {}
    for one in group:
        groups.setdefault(known[one[1]], []).append(one)
    return groups


def _earlier(one: Seeded, context: Context, trained: Mapping[Seeded, TrainResult]) -> str | None:
    network, seed = one
    if network.schedule.precision != OPEN:
        return None
    for (other, at), result in trained.items():
        if at == seed and paired(content(network), content(other)):
            return result.precision
    return context.precision_of(network, seed)


def _of_guide(network: Network, context: Context) -> str | None:
    guide = network.recipe.guide
    if guide is None or network.schedule.precision != OPEN:
        return None
    return context.networks([(guide.network, guide.seed)])[0].precision
