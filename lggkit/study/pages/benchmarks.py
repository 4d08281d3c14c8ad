"""What the benchmarks measured, as it lies in ``data/results/bench``, and its figures."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lggkit.study.records.bench_rows import check_rows
from lggkit.study.shown import tables

Row = Mapping[str, Any]
DRAWN = {"graph": 512, "topology": 128}
"""Benchmarks whose growth is drawn, and the features of the rows that are."""
AGAIN = "measure it again with `make bench`, or remove the file"


@dataclass(frozen=True)
class Bench:
    """The rows of one benchmark on one device; ``statistic`` says of what its times are."""

    name: str
    file: Path
    title: str
    machine: str
    torch: str
    rows: Sequence[Row]
    statistic: str = "medians"

    def of_kind(self, kind: str) -> list[Row]:
        """Its rows of a kind, see ``tools/bench.py``; a row that names none is of kind ``time``."""
        return [row for row in self.rows if row.get("kind", "time") == kind]

    @property
    def picture(self) -> str:
        """The file name of its figure."""
        stem = self.file.stem
        return f"growth-{stem.removeprefix('graph-')}.png"

    def table(self, frame: pd.DataFrame, caption: str, kind: str = "") -> str:
        """A table of the page, with machine and torch version in its caption."""
        label = re.sub(r"[^a-z0-9]+", "-", f"tab-bench-{self.file.stem}{kind and '-' + kind}".lower())
        return tables.as_myst(frame, f"{caption}; {self.machine}, torch {self.torch}", label)


def recorded(folder: Path) -> list[Bench]:
    """Everything in a folder of benchmark files; nothing where there is no folder.

    Raises:
        ValueError: one sentence about the first file that is not what ``tools/bench.py`` writes, with its
            line or row.
    """
    return [_read(file) for file in sorted(folder.glob("*.json"))]


def _read(file: Path) -> Bench:
    content = _parsed(file)
    try:
        content = {"statistic": Bench.statistic, **content}
        texts = {name: content.get(name) for name in ("title", "device", "processor", "torch", "statistic")}
        for name, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{name} is {text!r}, not a text")
        check_rows(content.get("rows"))
    except ValueError as error:
        raise ValueError(f"{file}: {error}; {AGAIN}") from error
    machine = re.sub(r"^cpu\b", lambda _: texts["processor"], texts["device"])
    told = texts["title"], machine, texts["torch"], content["rows"], texts["statistic"]
    return Bench(file.stem.split("-")[0], file, *told)


def _parsed(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes().decode("utf-8-sig"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}, line {error.lineno}: no JSON ({error.msg}); {AGAIN}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: no JSON ({error}); {AGAIN}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file}: a JSON {type(content).__name__}, not an object; {AGAIN}")
    return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no finite number")


def draw_figures(folder: Path, target: Path) -> list[Path]:
    """The growth of costs (`DRAWN`) as ``target/growth-<device>.png``, one file a device; those written.

    Raises:
        ValueError: a file is broken, or lacks the rows that the figure shows.
    """
    from lggkit.study.figures import benchmarks, use_style

    use_style()
    drawn = {target / b.picture: b for b in recorded(folder) if b.name in DRAWN}
    for file, bench in drawn.items():
        try:
            save_figure(benchmarks.growth_figure(bench.rows, DRAWN[bench.name]), file)
        except ValueError as error:
            raise ValueError(f"{bench.file}: {error}") from error
    return list(drawn)


def save_figure(figure: Any, file: Path) -> None:
    """Write a figure, and let go of it."""
    import matplotlib.pyplot as plt

    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches="tight")
    plt.close(figure)
