"""What a signal to end does to a run through the queue: the training writes its checkpoints first."""

from __future__ import annotations

import _thread
import math
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lggkit.training.pace import until

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
        stack.enter_context(until(-math.inf))
        timers.append(threading.Timer(patience, _signal_main, [number]))
        timers[0].daemon = True
        timers[0].start()

    with until(math.inf), ExitStack() as stack, on_signals(stop):
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
