"""Import torch and torchvision, which must be built for each other, and say what to do when they are not."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def problem() -> str | None:
    """One sentence about what is wrong with the pair, or None."""
    pair = f"torch {installed('torch')} and torchvision {installed('torchvision')}"
    remedy = (
        "install both from one place in the versions of constraints.txt: make clean-venv, then make book "
        "(for a CPU-only or other build: make book TORCH_INDEX=https://download.pytorch.org/whl/cpu)"
    )
    try:
        importlib.import_module("torch").zeros(1)
        importlib.import_module("torchvision").ops.nms  # noqa: B018
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return f"{pair} do not work together ({reason[0]}); {remedy}"
    return None


if __name__ == "__main__":
    found = problem()
    if found:
        sys.exit(f"error: {found}")
    print(f"  torch {installed('torch')} and torchvision {installed('torchvision')} import")
