"""What the benchmarks measured, as it lies in ``data/results/bench``, and its figures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lggkit.study import tables

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Bench:
    """The rows of one benchmark on one device."""

    name: str
    file: Path
    title: str
    machine: str
    torch: str
    rows: Sequence[Row]

    def of_kind(self, kind: str) -> list[Row]:
        """Its rows of a kind, see ``tools/bench.py``; a row that names none is of kind ``time``."""
        return [row for row in self.rows if row.get("kind", "time") == kind]

    @property
    def picture(self) -> str:
        """The file name of its figure."""
        return f"growth-{self.file.stem.partition('-')[2]}.png"

    def table(self, frame: pd.DataFrame, caption: str, kind: str = "") -> str:
        """A table of the page, with machine and torch version in its caption."""
        label = re.sub(r"[^a-z0-9]+", "-", f"tab-bench-{self.file.stem}{kind and '-' + kind}".lower())
        return tables.as_myst(frame, f"{caption}; {self.machine}, torch {self.torch}", label)


def recorded(folder: Path) -> list[Bench]:
    """Everything in a folder of benchmark files; nothing where there is no folder."""
    return [_read(file) for file in sorted(folder.glob("*.json"))]


def _read(file: Path) -> Bench:
    held = json.loads(file.read_text(encoding="utf-8"))
    machine = re.sub(r"^cpu\b", held["processor"], held["device"])
    return Bench(file.stem.split("-")[0], file, held["title"], machine, held["torch"], held["rows"])


def draw_figures(folder: Path, target: Path) -> list[Path]:
    """The growth of the graph's cost as ``target/growth-<device>.png``, one file a device; those written."""
    from lggkit.study.figures import benchmarks, use_style

    use_style()
    drawn = {target / b.picture: b.rows for b in recorded(folder) if b.name == "graph"}
    for file, rows in drawn.items():
        save_figure(benchmarks.growth_figure(rows), file)
    return list(drawn)


def save_figure(figure: Any, file: Path) -> None:
    """Write a figure, and let go of it."""
    import matplotlib.pyplot as plt

    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches="tight")
    plt.close(figure)
