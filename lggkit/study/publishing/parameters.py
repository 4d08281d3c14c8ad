"""The command line of the notebooks, and what the values on it mean."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

WORDS = {"True": True, "False": False, "None": None}


def value_of(text: str) -> Any:
    """A parameter's value: JSON, Python's True, False and None, what reads as a number, else the text itself.

    This is what papermill's command line makes of ``-p``, and lists and the like as JSON besides.
    """
    if text in WORDS:
        return WORDS[text]
    for read in (json.loads, int, float):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue
    return text


def worker_count(text: str) -> int:
    """How many notebooks run at once.

    Raises:
        argparse.ArgumentTypeError: the text is no integer from 1 on.
    """
    if not (text.isascii() and text.isdigit() and 0 < len(text) <= 4 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} notebooks cannot run at once; give an integer from 1 on")
    return int(text)


def command_line(description: str | None) -> argparse.ArgumentParser:
    """What can be asked of ``python -m lggkit.study.publishing.notebooks``."""
    parser = argparse.ArgumentParser(
        prog="python -m lggkit.study.publishing.notebooks", description=description
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="execute one notebook into another file")
    run.add_argument("source", type=Path)
    run.add_argument("out", type=Path)
    run.add_argument("-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"))
    again = commands.add_parser("pair", help="re-execute committed notebooks from their percent sources")
    again.add_argument("sources", type=Path, nargs="*")
    again.add_argument("--workers", type=worker_count, default=2)
    return parser
