"""Parts of prose pages that are computed when the book is built: scorecard, compute, benchmarks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from lggkit.durable import write_whole
from lggkit.record import SCALES
from lggkit.study import bench_parts, benchmarks, papers, paths, tables, view
from lggkit.study.headline import headline_sentence as headline_sentence
from lggkit.study.ledger import Ledger

PICTURED = "lgg/s33_latent_geometry_graphs"
BEGIN, END = "<!-- scorecard -->", "<!-- end of scorecard -->"


def write_pages(folder: Path) -> Path:
    """Writes ``headline.md``, ``scorecard.md``, ``compute.md`` and the benchmarks for pages to include."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = paths.results() / "bench"
    parts = {
        "headline": headline_sentence(),
        "scorecard": _scorecard(),
        "compute": _compute(),
        **bench_parts.page_parts(measured),
    }
    for name, text in parts.items():
        write_whole(folder / f"{name}.md", text + "\n")
    benchmarks.draw_figures(measured, folder)
    return folder


def update_readme(readme: Path) -> bool:
    """Puts the headline between the README's two marks; whether that changed anything.

    Raises:
        ValueError: the marks are not there.
    """
    text = readme.read_text(encoding="utf-8")
    if END not in text.partition(BEGIN)[2]:
        raise ValueError(f"{readme} has no marks {BEGIN} and {END}; put them around the headline")
    before, rest = text.split(BEGIN, 1)
    updated = f"{before}{BEGIN}\n{headline_sentence()}\n{END}{rest.split(END, 1)[1]}"
    write_whole(readme, updated)
    return updated != text


def draw_picture(file: Path) -> Path:
    """Draws Figure 2 from the highest scale recorded into a PNG file for the README."""
    from lggkit.study.figures import latent_geometry, use_style

    use_style()
    shown = view.highest(PICTURED)
    settings = shown.records[0].settings
    benchmarks.save_figure(latent_geometry.graphs_figure(shown.arrays("resnet18"), settings["k"]), file)
    return file


def _scorecard() -> str:
    parts = []
    for paper in papers.papers():
        slug = paper.name.replace("_", "-")
        caption = "Cells of each table, how many are measured at each scale, and verdicts at paper scale"
        scores = tables.as_myst(tables.scores_table(paper.name), caption, f"tab-scores-{slug}")
        claims = tables.as_myst(tables.claims_table(paper.name), "Claims and verdicts", f"tab-claims-{slug}")
        dropdown = f":::::{{dropdown}} Every claim of this paper\n{claims}\n:::::"
        parts.append(f"### {paper.title}\n\n{scores}\n\n{dropdown}")
    return "\n\n".join(parts)


def _compute() -> str:
    frame = _times()
    if frame.empty:
        return "Nothing is recorded yet."
    return tables.as_myst(frame, "Runs and time behind the records of this book", "tab-compute")


def _times() -> pd.DataFrame:
    """A row an experiment, scale and device; trainings that records do not count have rows of their own."""
    ledger, rows = Ledger(paths.results()), []
    for name, scale in itertools.product(_recorded(ledger), SCALES):
        timed = [(record.device, record.seconds) for record in ledger.records(name, scale)]
        rows += _times_of(name, scale, timed)
    trained = [(training.device, training.seconds) for training in ledger.trainings.lines()]
    rows += _times_of("networks trained for them", "", trained)
    columns = ["experiment", "scale", "device", "runs", "longest (min)", "total (min)"]
    return pd.DataFrame(rows, columns=columns)


def _recorded(ledger: Ledger) -> list[str]:
    """The experiments that have a file, whatever scale its records are carried over to.

    Raises:
        ValueError: a file is none of a ledger.
    """
    found = []
    for file in ledger.files():
        section, _, scale = file.stem.rpartition(".")
        if scale not in SCALES:
            raise ValueError(f"{file} is no ledger file; name it SECTION.SCALE.jsonl, or move it away")
        found.append(f"{file.parent.name}/{section}")
    return list(dict.fromkeys(found))


def _times_of(name: str, scale: str, timed: Sequence[tuple[str, float]]) -> list[list[str | int]]:
    rows = []
    for device in sorted({device for device, _ in timed}):
        seconds = [value for where, value in timed if where == device]
        minutes = [f"{value / 60:.1f}" for value in (max(seconds), sum(seconds))]
        rows.append([name, scale, device, len(seconds), *minutes])
    return rows
