"""What a signal to end does to a run through the queue: the training writes its checkpoints first."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from lggkit.training.pace import stop_on_demand

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 20.0


@contextmanager
def on_signals(handle: Callable[[int], None]) -> Iterator[None]:
    """Inside, the signals to end are handed to a function; those that are ignored stay ignored.

    Signals can be taken in the main thread only: in others nothing changes.
    """
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in taken:
            signal.signal(number, lambda number, _: handle(number))
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)


@contextmanager
def stoppable(patience: float = PATIENCE) -> Iterator[list[int]]:
    """Inside, a first signal to end is as if the time budget were spent; the list has its number then.

    A training stops after its step and writes its checkpoints. A second signal, or ``patience`` seconds in
    which something else did not end, interrupts, whatever the main thread waits for.

    Raises:
        KeyboardInterrupt: on the second signal.
    """
    got: list[int] = []
    timers: list[threading.Timer] = []

    def stop(number: int) -> None:
        if got:
            raise KeyboardInterrupt
        got.append(number)
        ask()
        timers.append(threading.Timer(patience, _signal_main, [number]))
        timers[0].daemon = True
        timers[0].start()

    with stop_on_demand() as ask, on_signals(stop):
        try:
            yield got
        finally:
            for timer in timers:
                timer.cancel()
                timer.join()


def _signal_main(number: int) -> None:
    # `_thread.interrupt_main` would only leave a note, which a main thread that waits reads after its wait.
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, number)
    else:
        _thread.interrupt_main(number)


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
