"""Where things lie; always from the repository root, never from the working directory."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path


class NoCheckout(FileNotFoundError):
    """There is no checkout where one is looked for."""


@functools.cache
def repository() -> Path:
    """The checkout: ``$LGGKIT_ROOT`` if set, else the folder above the package.

    Raises:
        NoCheckout: that folder has no ``data/paper``: the study, not the library, needs a checkout.
    """
    named = os.environ.get("LGGKIT_ROOT")
    root = Path(named) if named else Path(__file__).resolve().parents[2]
    try:
        checkout = root.resolve() if (root / "data" / "paper").is_dir() else None
    except (OSError, RuntimeError, ValueError):  # too long a name, a link to itself
        checkout = None
    if checkout is None:
        where = f"{root}, the folder that LGGKIT_ROOT names," if named else root
        raise NoCheckout(f"{where} has no data/paper; run from a checkout or set LGGKIT_ROOT to one")
    return checkout


def results() -> Path:
    """The committed ledger: scales ``short``, ``reduced`` and ``paper``."""
    return repository() / "data" / "results"


def live_results() -> Path:
    """The ignored ledger of what is measured while a notebook runs: scale ``smoke``."""
    return repository() / "_build" / "results"


def weights() -> Path:
    """Networks trained here, by the keys of their descriptions; ignored."""
    return repository() / "_build" / "weights"


def commit() -> str:
    """Short id of the checked-out commit, with a plus where the tree differs; empty without git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=repository(),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
