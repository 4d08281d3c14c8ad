"""The commands about what is to be measured: run, pending, status, list."""

from __future__ import annotations

import json
import logging
from typing import Annotated

import typer

from lggkit.record import SCALES
from lggkit.study.commands.cli_parts import Only, Out, Scale, asked, ledgers, told

AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]


def add_to(app: typer.Typer) -> None:
    """Make them commands of an application."""
    for name, command in {"run": run, "pending": pending, "status": status, "list": list_arms}.items():
        app.command(name)(command)


@told
def run(
    scale: Scale = "reduced",
    experiment: Only = None,
    arm: Annotated[list[str] | None, typer.Option(help="one arm only; give it again for more")] = None,
    budget: Annotated[str | None, typer.Option(help="stop after, as in 9m or 1h30m")] = None,
    out: Out = None,
    commit: Annotated[str | None, typer.Option(help="commit id to write into records, without git")] = None,
    progress: Annotated[bool, typer.Option(help="show progress bars")] = False,
    shard: Annotated[str, typer.Option(help="i/n: every n-th seed from i on, for n machines")] = "0/1",
    workers: Annotated[str, typer.Option(help="processes of one thread each; one on a GPU")] = "1",
) -> None:
    """Measures what no record holds yet, claimed arms first; safe to stop and to start again.

    Below paper scale an arm that is complete there is left out, unless --arm names it.
    """
    from lggkit.study.running import queue
    from lggkit.study.running.context import StudyContext
    from lggkit.study.running.stopping import run_workers, stoppable, worker_count

    def todo() -> list[queue.Unit]:
        units = queue.pending(all_ledgers, scale, experiment, arm or ())
        return queue.shard(queue.only_arms(units, arm) if arm else units, shard)

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    limit = None if budget is None else asked(queue.seconds, budget)
    count = asked(worker_count, workers)
    asked(queue.shard, [], shard)
    all_ledgers = ledgers(scale, out)
    asked(queue.chosen, experiment)
    units = todo()
    asked(queue.check_arms, arm or [], experiment)
    context = StudyContext(progress=progress, **({"commit": commit} if commit else {}))
    if count > 1 and len(units) > 1 and context.device.type == "cpu":
        queue.probe(units, all_ledgers[-1], context)
        options = {"experiment": experiment, "budget": budget, "out": out, "commit": commit}
        given = {"scale": scale, "shard": shard} | {name: o for name, o in options.items() if o is not None}
        asking = [f"--{name}={option}" for name, option in given.items()]
        asking += [*(f"--arm={name}" for name in arm or ()), *["--progress"] * progress]
        status = run_workers(["study", "run", *asking], min(count, len(units)))
        left = todo()
        _say(_runs(units) - _runs(left), _runs(left))
        raise typer.Exit(status)
    if context.device.type != "cpu":
        units = queue.joined(units)
    with stoppable() as stopped:
        outcome = queue.run(units, all_ledgers[-1], context, limit, all_ledgers[:-1])
    _say(len(outcome.measured), _runs(outcome.left))
    for line in outcome.failed:
        typer.echo(f"not measured: {line}", err=True)
    raise typer.Exit(128 + stopped[0] if stopped else int(bool(outcome.failed)))


def _say(written: int, left: int) -> None:
    typer.echo(f"{written} records written; {left} runs left")


def _runs(units: list) -> int:
    return sum(len(unit.specs) for unit in units)


@told
def pending(scale: Scale = "paper", experiment: Only = None, out: Out = None) -> None:
    """Lists the runs that no record holds yet, in the order in which they would be measured.

    Below paper scale an arm that is complete there is left out.
    """
    from lggkit.study.running import queue

    asked(queue.chosen, experiment)
    units = queue.pending(ledgers(scale, out), scale, experiment)
    for unit in units:
        for spec in unit.specs:
            typer.echo(f"{unit.experiment.name}  {spec.arm}  seed {spec.seed}  key {spec.key}")
    typer.echo(f"{_runs(units)} runs pending at {scale} scale")


@told
def status(experiment: Only = None, out: Out = None, as_json: AsJson = False) -> None:
    """Runs recorded and pending of each experiment and scale, hours spent and likely to come."""
    from lggkit.study.running import overview, queue

    asked(queue.chosen, experiment)
    state = overview.overview(ledgers("reduced", out), experiment)
    typer.echo(json.dumps(state, indent=1) if as_json else overview.as_text(state))


@told
def list_arms(experiment: Only = None) -> None:
    """Lists all experiments and their arms, with the number of seeds that each scale gets."""
    from lggkit.study.running import queue

    for one in asked(queue.chosen, experiment):
        typer.echo(f"{one.name}: {one.title}")
        for arm in one.arms:
            seeds = ", ".join(f"{scale} {one.seed_count(arm, scale)}" for scale in SCALES)
            typer.echo(f"  {arm.name}  {arm.title}  (seeds: {seeds})")
