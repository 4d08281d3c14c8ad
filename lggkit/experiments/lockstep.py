"""Described networks are trained here, together where they may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from lggkit.experiments.networks import Context, Guide, Network, Observer, Seeded, content
from lggkit.networks.seeds import derive
from lggkit.training import Batch, Objective, Stream, Teacher, TrainResult, choose_path, train_many
from lggkit.training.run import Run
from lggkit.training.task import Options


def train_networks(
    wanted: Sequence[Seeded], context: Context, observe: Observer | None = None
) -> list[TrainResult]:
    """The networks of descriptions and seeds, trained; in lockstep where they see the same batches.

    Together go those of the same images and schedule, whose recipes are of one kind and allow it.
    """
    groups: dict[tuple, list[Seeded]] = defaultdict(list)
    for network, seed in wanted:
        recipe = network.recipe
        split = network.images.split_of(seed)
        groups[network.images, split, network.schedule, type(recipe), recipe.lockstep].append((network, seed))
    results: dict[Seeded, TrainResult] = {}
    for group in groups.values():
        for precision, together in by_precision(group, wanted, context, results).items():
            trained = _train_together(together, context, observe, precision)
            results |= dict(zip(together, trained, strict=True))
    return [results[one] for one in wanted]


def _train_together(
    wanted: Sequence[Seeded], context: Context, observe: Observer | None, precision: str | None
) -> list[TrainResult]:
    first, guides = wanted[0][0], _guides(wanted, context)
    models = [network.begun(seed, context) for network, seed in wanted]
    described = {model: network for model, (network, _) in zip(models, wanted, strict=True)}
    keys = [network.key(seed) for network, seed in wanted]
    names = keys if observe is None else [f"{key}.{derive(0, observe.identity):016x}" for key in keys]
    looked = {} if observe is None else {"evaluate_at": observe.epochs}
    return train_many(
        models,
        first.images.training(context, wanted[0][1]),
        first.schedule,
        seeds=[seed for _, seed in wanted],
        objectives=[_objective(network, model, guides) for model, network in described.items()],
        taps=first.recipe.taps(models[0]),
        device=context.device,
        checkpoints=[context.checkpoints / f"{name}.pt" for name in names],
        evaluate=None if observe is None else lambda model: observe.look(described[model], model),
        after_step=first.recipe.after_step(),
        progress=context.progress,
        tags=names,
        precision=precision,
        **looked,
    )


def _guides(wanted: Sequence[Seeded], context: Context) -> dict[Guide, Teacher]:
    """Those that recipes ask for, each once, so that its latents are computed once for a batch."""
    asked = dict.fromkeys(network.recipe.guide for network, _ in wanted)
    return {guide: _teacher(guide, context) for guide in asked if guide is not None}


def _teacher(guide: Guide, context: Context) -> Teacher:
    """The guide, in the precision of its training where that is left open."""
    (result,) = context.networks([(guide.network, guide.seed)])
    precision = result.precision if guide.precision == "auto" else guide.precision
    return Teacher(result.model, [*guide.depths], precision)


def _objective(network: Network, model: nn.Module, guides: Mapping[Guide, Teacher]) -> Objective:
    own, guide = network.recipe.objective_of(model), guides.get(network.recipe.guide)

    def objective(latents: Mapping[str, Tensor], outputs: Tensor, labels: Tensor, batch: Batch) -> Tensor:
        return own(latents, outputs, batch, {} if guide is None else guide(batch))

    return objective


def begun_run(network: Network, seed: int, context: Context) -> Run:
    """The training of a network before its first step, without checkpoint, to be advanced by hand."""
    data, config = network.images.training(context, seed), network.schedule
    model = network.begun(seed, context)
    guides = _guides([(network, seed)], context)
    options = Options(taps=network.recipe.taps(model), after_step=network.recipe.after_step())
    (precision,) = by_precision([(network, seed)], [(network, seed)], context, {})
    path = choose_path(config, context.device, len(data), precision)
    model.to(memory_format=path.layout)
    objective = _objective(network, model, guides)
    return Run(model, Stream(data, config, seed), config, path, options, objective)


OPEN = "auto"


FREE = ("epochs", "augment", "pad", "flip")
"""What arms of one comparison may differ in: for how long, and how images are augmented."""


def paired(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two descriptions, as `content` gives them, have the same images and schedule but for `FREE`."""
    schedules = [{**each.get("schedule", {}), **dict.fromkeys(FREE)} for each in (one, other)]
    return one.get("images") == other.get("images") and schedules[0] == schedules[1]


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether they are paired, of one architecture, and augmented alike: the closest pair that there is."""
    kinds = [
        (each.get("architecture"), {**each.get("schedule", {}), "epochs": None}) for each in (one, other)
    ]
    return paired(one, other) and kinds[0] == kinds[1]


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
