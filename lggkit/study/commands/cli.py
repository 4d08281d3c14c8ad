"""``python -m lggkit``: the scorecard and the study from a terminal."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lggkit.record import check_scale
from lggkit.study import paths
from lggkit.study.commands import cli_compare, cli_queue, cli_regions
from lggkit.study.commands.cli_parts import Only, asked, folder_of, told
from lggkit.study.judging import scorecard as scores
from lggkit.study.records.ledger import Ledger

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="The geometry of latent spaces: the study, and tools for networks of your own.",
)
study = typer.Typer(no_args_is_help=True, help="Measure what is missing; keep the ledger.")
app.add_typer(study, name="study")
cli_queue.add_to(study)
app.command()(cli_compare.compare)
cli_regions.add_to(app)


@app.command()
@told
def scorecard(as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False) -> None:
    """Per table: cells measured and their verdicts; per claim: its verdict."""
    card = scores.scorecard()
    typer.echo(json.dumps(card, indent=1) if as_json else scores.as_text(card))


@study.command()
@told
def merge(folder: Annotated[str, typer.Argument(help="folder of records written with --out")]) -> None:
    """Takes the records of another folder over into data/results."""
    added, known = Ledger(paths.results()).merge(Ledger(asked(folder_of, folder)))
    typer.echo(f"{added} records added, {known} held already")


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
    from lggkit.study.records.rekey import rekey
    from lggkit.study.running import units

    for name in (first_scale, scale):
        asked(check_scale, name)
    names = dict(asked(_pair, text) for text in renamed or ())
    for one in asked(units.chosen, experiment):
        count = rekey(Ledger(paths.results()), one.name, first_scale, scale, reason, names)
        typer.echo(f"{one.name}: {count} records carried over")


def _pair(text: str) -> tuple[str, str]:
    new, equals, old = text.partition("=")
    if not (new and equals and old):
        raise ValueError(f"renamed is {text!r}; write new=old")
    return new, old


@study.command()
@told
def readme() -> None:
    """Brings the README's headline and picture up to date with the ledger."""
    from lggkit.study.pages import generated

    generated.draw_picture(paths.repository() / "book" / "images" / "figure-2.png")
    generated.update_readme(paths.repository() / "README.md")


@study.command()
@told
def check() -> None:
    """Reads the whole ledger and names every line that cannot be understood."""
    problems = Ledger(paths.results()).problems()
    typer.echo("\n".join(problems) if problems else "every line is understood")
    raise typer.Exit(bool(problems))
