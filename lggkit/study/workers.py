"""Several processes of one thread each at the same queue, which take the next unit that nobody is at."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from lggkit.study.stopping import on_signals

MOST = 64
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def worker_count(text: str) -> int:
    """The number of processes that a text asks for.

    Raises:
        ValueError: the text is no number from 1 to 64.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise ValueError(f"workers is {text[:20]!r}; write a number of processes from 1 to {MOST}")
    return int(text)


def run_workers(arguments: Sequence[str], count: int) -> int:
    """Run ``python -m lggkit`` with these arguments in several processes; the worst of their exit statuses.

    Signals to end are handed on to all of them. A process that was killed by a signal counts as 128 and its
    number. Of what they say only what goes to the standard error is shown; the first shows progress.
    """
    children: list[subprocess.Popen] = []
    with on_signals(lambda number: _tell(children, number)):
        try:
            for index in range(count):
                children.append(_start([one for one in arguments if not (index and one == "--progress")]))
            return max(_status(child.wait()) for child in children)
        finally:
            _end(children)


def _start(arguments: Sequence[str]) -> subprocess.Popen:
    # A session of its own: the terminal's Ctrl-C would reach it beside the signal that is handed on.
    return subprocess.Popen(
        [sys.executable, "-m", "lggkit", *arguments],
        env=os.environ | ONE_THREAD,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _tell(children: Sequence[subprocess.Popen], number: int) -> None:
    for child in children:
        if child.poll() is None:
            child.send_signal(number)


def _end(children: Sequence[subprocess.Popen]) -> None:
    """No process is left behind, whatever went wrong here."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        child.wait()


def _status(code: int) -> int:
    return 128 - code if code < 0 else code
