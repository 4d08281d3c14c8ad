"""One process at a time does a given piece of work; the others wait for it, or for what it leaves."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from lggkit.training.pace import OutOfTime, time_is_up

log = logging.getLogger("lggkit.study")
SECONDS_BETWEEN_LOOKS = 0.1


class Turn:
    """The right to do the work of a key: held by one process at a time, and lost when that ends.

    ``work`` is what others are told that it does; by default it trains the network of the key.
    """

    def __init__(self, folder: Path, key: str, work: str = "") -> None:
        self.key, self.work = key, work or f"train network {key}"
        self.holder = folder / f".{key}.holder"
        self._file = folder / f".{key}.lock"
        self._lock = FileLock(self._file)

    def take(self) -> bool:
        """Take the turn if nobody has it; whether it is ours now."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        with contextlib.suppress(OSError):
            self.holder.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
        return True

    def give(self) -> None:
        """Let go of the turn, and leave no file behind."""
        # The file goes while the lock is held: who waits on it sees that its name is gone and opens another.
        # Where an open file cannot be removed it stays, which does no harm.
        for file in (self.holder, self._file):
            with contextlib.suppress(OSError):
                file.unlink()
        self._lock.release()

    def wait(self) -> None:
        """Take the turn as soon as it is free; the log says whom it is that has it.

        Raises:
            OutOfTime: the budget was spent meanwhile, see `lggkit.training.pace.until`.
        """
        told = False
        while not self.take():
            if time_is_up(()):
                raise OutOfTime(f"out of time, waiting for {self._who()} to {self.work}")
            if not told:
                log.warning("  waiting for %s to %s", self._who(), self.work)
                told = True
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _who(self) -> str:
        try:
            return self.holder.read_text(encoding="utf-8") or "another process"
        except (OSError, ValueError):
            return "another process"


@contextlib.contextmanager
def turns(folder: Path, keys: Sequence[str]) -> Iterator[list[str]]:
    """Hold the turns of those keys that are free; where none is, wait for that of the first.

    Nothing is waited for while a turn taken here is held, so that two processes that want the same networks
    in different orders do not wait for each other.
    """
    mine = [turn for turn in (Turn(folder, key) for key in keys) if turn.take()]
    if keys and not mine:
        mine = [Turn(folder, keys[0])]
        mine[0].wait()
    try:
        yield [turn.key for turn in mine]
    finally:
        for turn in mine:
            turn.give()
