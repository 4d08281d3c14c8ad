"""``python -m lggkit``: the scorecard and the study from a terminal."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from lggkit.record import SCALES
from lggkit.study import paths
from lggkit.study import scorecard as scores
from lggkit.study.ledger import Ledger, LedgerError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Latent geometry graphs: the study.")
study = typer.Typer(no_args_is_help=True, help="Measure what is missing; keep the ledger.")
app.add_typer(study, name="study")

Scale = Annotated[str, typer.Option(help="smoke, reduced or paper")]
Only = Annotated[str | None, typer.Option("--experiment", help="one experiment, as paper/section; else all")]
Out = Annotated[Path | None, typer.Option("--out", help="write records here instead of data/results")]


@app.command()
def scorecard(as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False) -> None:
    """Per table: cells measured and their verdicts; per claim: its verdict."""
    card = scores.scorecard()
    typer.echo(json.dumps(card, indent=1) if as_json else scores.as_text(card))


@study.command()
def run(
    scale: Scale = "reduced",
    experiment: Only = None,
    arm: Annotated[str | None, typer.Option(help="one arm only")] = None,
    budget: Annotated[str | None, typer.Option(help="stop after, as in 9m or 1h30m")] = None,
    out: Out = None,
    commit: Annotated[str | None, typer.Option(help="commit id to write into records, without git")] = None,
    progress: Annotated[bool, typer.Option(help="show progress bars")] = False,
    shard: Annotated[str, typer.Option(help="i/n: every n-th seed from i on, for n processes")] = "0/1",
) -> None:
    """Measures what no record holds yet, table arms first; safe to stop and to start again."""
    from lggkit.study import queue
    from lggkit.study.context import StudyContext

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    ledgers = _ledgers(scale, out)
    units = _or_exit(queue.pending, ledgers, scale, experiment)
    _or_exit(queue.check_arm, arm, experiment)
    units = _or_exit(queue.shard, units if arm is None else queue.only_arm(units, arm), shard)
    limit = _or_exit(queue.seconds, budget) if budget else None
    context = StudyContext(progress=progress, **({"commit": commit} if commit else {}))
    outcome = _or_exit(queue.run, units, ledgers[-1], context, limit, ledgers[:-1])
    typer.echo(
        f"{len(outcome.measured)} records written; {sum(len(u.specs) for u in outcome.left)} runs left"
    )
    if outcome.failed:
        typer.echo("\n".join(f"not measured: {line}" for line in outcome.failed), err=True)
        raise typer.Exit(1)


@study.command()
def pending(scale: Scale = "paper", experiment: Only = None, out: Out = None) -> None:
    """Lists the runs that no record holds yet, in the order in which they would be measured."""
    from lggkit.study import queue

    units = _or_exit(queue.pending, _ledgers(scale, out), scale, experiment)
    for unit in units:
        for arm in dict.fromkeys(spec.arm for spec in unit.specs):
            seeds, keys = zip(*((str(s.seed), s.key) for s in unit.specs if s.arm == arm), strict=True)
            typer.echo(f"{unit.experiment.name}  {arm}  seeds {','.join(seeds)}  keys {' '.join(keys)}")
    typer.echo(f"{sum(len(unit.specs) for unit in units)} runs pending at {scale} scale")


@study.command("list")
def list_arms(experiment: Only = None) -> None:
    """Lists all experiments and their arms, with the number of seeds that each scale gets."""
    from lggkit.study import queue

    for one in _or_exit(queue.chosen, experiment):
        typer.echo(f"{one.name}: {one.title}")
        for arm in one.arms:
            seeds = ", ".join(f"{scale} {one.seed_count(arm, scale)}" for scale in SCALES)
            typer.echo(f"  {arm.name}  {arm.title}  (seeds: {seeds})")


@study.command()
def merge(folder: Annotated[Path, typer.Argument(help="folder of records written with --out")]) -> None:
    """Takes the records of another folder over into data/results."""
    added, held = _or_exit(Ledger(paths.results()).merge, Ledger(folder))
    typer.echo(f"{added} records added, {held} held already")


@study.command()
def retract(key: str, reason: str) -> None:
    """Supersedes a record; its line stays in the file, and the run becomes pending again."""
    record = _or_exit(Ledger(paths.results()).retract, key, reason)
    typer.echo(f"retracted {record.experiment}, {record.arm}, seed {record.seed}, {record.scale}: {reason}")


@study.command()
def readme() -> None:
    """Brings the README's headline and picture up to date with the ledger."""
    from lggkit.study import pages

    _or_exit(pages.draw_picture, paths.repository() / "book" / "images" / "figure-2.png")
    _or_exit(pages.update_readme, paths.repository() / "README.md")


@study.command()
def check() -> None:
    """Reads the whole ledger and names every line that cannot be understood."""
    problems = Ledger(paths.results()).problems()
    typer.echo("\n".join(problems) if problems else "every line is understood")
    raise typer.Exit(bool(problems))


def _ledgers(scale: str, out: Path | None) -> list[Ledger]:
    if scale not in SCALES:
        typer.echo(f"scale is {scale!r}; choose one of {', '.join(SCALES)}", err=True)
        raise typer.Exit(2)
    return [scores.ledger_of(scale)] + ([Ledger(out)] if out else [])


def _or_exit(function, *arguments):
    """Calls a function; a user's error becomes its one sentence and exit status 1."""
    try:
        return function(*arguments)
    except (LedgerError, KeyError, ValueError, OSError) as error:
        typer.echo(error.args[0] if isinstance(error, KeyError) else str(error), err=True)
        raise typer.Exit(1) from error
