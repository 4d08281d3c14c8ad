"""What the commands share: options, and how errors and what was left out are told."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from lggkit.record import check_scale
from lggkit.study import paths
from lggkit.study.judging import scorecard as scores
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.records.ledger_lines import collected

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
        typer.echo(_said(error), err=True)
        return 2 if isinstance(error, paths.NoCheckout) else 1
    return 0


def _said(error: Exception) -> str:
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error)


def ledgers(scale: str, out: str | None) -> list[Ledger]:
    """The ledgers of a scale, the one to write to last."""
    asked(check_scale, scale)
    return [scores.ledger_of(scale)] + ([] if out is None else [Ledger(asked(folder_of, out))])


def folder_of(text: str) -> Path:
    """The folder that an option names; a ValueError where there can be none of this name."""
    if not text.strip() or "\0" in text:
        raise ValueError(f"the folder is {text!r}; name one, or . for where you are")
    if Path(text).exists() and not Path(text).is_dir():
        raise ValueError(f"{text} is a file; name a folder of records")
    return Path(text)


def picture(text: str, *suffixes: str) -> Path:
    """The file that a picture is to be written to; a ValueError where there can be none of this name."""
    if Path(text).suffix not in suffixes:
        raise ValueError(f"out is {text!r}; name a file that ends in {' or '.join(suffixes)}")
    if Path(text).is_dir() or not Path(text).parent.is_dir():
        raise ValueError(f"out is {text!r}, no file in a folder that is there; make the folder first")
    return Path(text)


def asked(check: Callable, *values):
    """What a check of an option gives; where it cannot be, its one sentence and exit status 2."""
    try:
        return check(*values)
    except (KeyError, ValueError, OSError) as error:
        typer.echo(_said(error), err=True)
        raise typer.Exit(2) from error


def own(what: str, work: Callable[..., Any], *values: Any, **options: Any) -> Any:
    """What a function makes of somebody's network; a ValueError where the network fails in it."""
    try:
        return work(*values, **options)
    except (TypeError, RuntimeError, AttributeError, IndexError) as error:
        from lggkit.training.processor import first_line

        raise ValueError(f"{what} failed: {first_line(error)}") from error
