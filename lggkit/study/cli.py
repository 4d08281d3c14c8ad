"""``python -m lggkit``: the scorecard and the study from a terminal."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lggkit.record import SCALES, check_scale
from lggkit.study import paths
from lggkit.study import scorecard as scores
from lggkit.study.ledger import Ledger, LedgerError
from lggkit.study.ledger_lines import collected

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Latent geometry graphs: the study.")
study = typer.Typer(no_args_is_help=True, help="Measure what is missing; keep the ledger.")
app.add_typer(study, name="study")

Scale = Annotated[str, typer.Option(help="smoke, short, reduced or paper")]
Only = Annotated[str | None, typer.Option("--experiment", help="one experiment, as paper/section; else all")]
Out = Annotated[str | None, typer.Option("--out", help="write records here instead of data/results")]


def told(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose errors are one sentence each, and which names what it left out of what it read.

    Exit status 2 where it was asked for what cannot be, 1 where it failed or left something out.
    """

    @functools.wraps(command)
    def sentences(*arguments, **options) -> None:
        with collected() as problems:
            status = _status(lambda: command(*arguments, **options))
        for problem in problems:
            typer.echo(problem, err=True)
        if status or problems:
            raise typer.Exit(status or 1)

    return sentences


def _status(command: Callable[[], None]) -> int:
    try:
        command()
    except typer.Exit as ended:
        return ended.exit_code
    except (LedgerError, KeyError, ValueError, OSError) as error:
        typer.echo(error.args[0] if isinstance(error, KeyError) else str(error), err=True)
        return 2 if isinstance(error, paths.NoCheckout) else 1
    return 0


@app.command()
@told
def scorecard(as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False) -> None:
    """Per table: cells measured and their verdicts; per claim: its verdict."""
    card = scores.scorecard()
    typer.echo(json.dumps(card, indent=1) if as_json else scores.as_text(card))


@study.command()
@told
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
    limit = None if budget is None else _asked(queue.seconds, budget)
    _asked(queue.shard, [], shard)
    ledgers = _ledgers(scale, out)
    units = queue.pending(ledgers, scale, experiment)
    queue.check_arm(arm, experiment)
    units = queue.shard(units if arm is None else queue.only_arm(units, arm), shard)
    stamp = {"commit": commit} if commit else {}
    context = StudyContext(progress=progress, trainings=ledgers[-1].trainings, **stamp)
    outcome = queue.run(units, ledgers[-1], context, limit, ledgers[:-1])
    typer.echo(
        f"{len(outcome.measured)} records written; {sum(len(u.specs) for u in outcome.left)} runs left"
    )
    if outcome.failed:
        typer.echo("\n".join(f"not measured: {line}" for line in outcome.failed), err=True)
        raise typer.Exit(1)


@study.command()
@told
def pending(scale: Scale = "paper", experiment: Only = None, out: Out = None) -> None:
    """Lists the runs that no record holds yet, in the order in which they would be measured."""
    from lggkit.study import queue

    units = queue.pending(_ledgers(scale, out), scale, experiment)
    for unit in units:
        for arm in dict.fromkeys(spec.arm for spec in unit.specs):
            seeds, keys = zip(*((str(s.seed), s.key) for s in unit.specs if s.arm == arm), strict=True)
            typer.echo(f"{unit.experiment.name}  {arm}  seeds {','.join(seeds)}  keys {' '.join(keys)}")
    typer.echo(f"{sum(len(unit.specs) for unit in units)} runs pending at {scale} scale")


@study.command("list")
@told
def list_arms(experiment: Only = None) -> None:
    """Lists all experiments and their arms, with the number of seeds that each scale gets."""
    from lggkit.study import queue

    for one in queue.chosen(experiment):
        typer.echo(f"{one.name}: {one.title}")
        for arm in one.arms:
            seeds = ", ".join(f"{scale} {one.seed_count(arm, scale)}" for scale in SCALES)
            typer.echo(f"  {arm.name}  {arm.title}  (seeds: {seeds})")


@study.command()
@told
def merge(folder: Annotated[str, typer.Argument(help="folder of records written with --out")]) -> None:
    """Takes the records of another folder over into data/results."""
    added, held = Ledger(paths.results()).merge(Ledger(_asked(_folder, folder)))
    typer.echo(f"{added} records added, {held} held already")


@study.command()
@told
def retract(key: str, reason: str) -> None:
    """Supersedes a record; its line stays in the file, and the run becomes pending again."""
    record = Ledger(paths.results()).retract(key, reason)
    typer.echo(f"retracted {record.experiment}, {record.arm}, seed {record.seed}, {record.scale}: {reason}")


@study.command()
@told
def rekey(
    first_scale: Annotated[str, typer.Option("--from", help="the scale of the records")],
    scale: Annotated[str, typer.Option("--to", help="the scale of the runs that they are carried over to")],
    reason: Annotated[str, typer.Option(help="what was moved or renamed")],
    experiment: Only = None,
    renamed: Annotated[list[str] | None, typer.Option(help="a setting's new and old name: new=old")] = None,
) -> None:
    """Carries records over to the keys of today's settings, after computing every stored key again."""
    from lggkit.study import queue
    from lggkit.study.rekey import rekey

    for name in (first_scale, scale):
        _asked(check_scale, name)
    names = dict(_asked(_pair, text) for text in renamed or ())
    for one in queue.chosen(experiment):
        count = rekey(Ledger(paths.results()), one.name, first_scale, scale, reason, names)
        typer.echo(f"{one.name}: {count} records carried over")


def _pair(text: str) -> tuple[str, str]:
    new, found, old = text.partition("=")
    if not (new and found and old):
        raise ValueError(f"renamed is {text!r}; write new=old")
    return new, old


@study.command()
@told
def readme() -> None:
    """Brings the README's headline and picture up to date with the ledger."""
    from lggkit.study import pages

    pages.draw_picture(paths.repository() / "book" / "images" / "figure-2.png")
    pages.update_readme(paths.repository() / "README.md")


@study.command()
@told
def check() -> None:
    """Reads the whole ledger and names every line that cannot be understood."""
    problems = Ledger(paths.results()).problems()
    typer.echo("\n".join(problems) if problems else "every line is understood")
    raise typer.Exit(bool(problems))


def _ledgers(scale: str, out: str | None) -> list[Ledger]:
    _asked(check_scale, scale)
    return [scores.ledger_of(scale)] + ([] if out is None else [Ledger(_asked(_folder, out))])


def _folder(text: str) -> Path:
    """The folder that an option names; a ValueError where there can be none of this name."""
    if not text.strip() or "\0" in text:
        raise ValueError(f"the folder is {text!r}; name one, or . for where you are")
    if Path(text).exists() and not Path(text).is_dir():
        raise ValueError(f"{text} is a file; name a folder of records")
    return Path(text)


def _asked(check: Callable, *values):
    """What a check of an option gives; where it cannot be, its one sentence and exit status 2."""
    try:
        return check(*values)
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
