"""Parts of prose pages that are computed when the book is built: front page, compute, benchmarks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lggkit.durable import write_whole
from lggkit.study import paths
from lggkit.study.pages import bench_parts, benchmarks, landing
from lggkit.study.pages.headline import headline_sentence
from lggkit.study.records.ledger import Ledger
from lggkit.study.records.ledger_lines import place_of
from lggkit.study.running.costs import Spent, spent
from lggkit.study.shown import tables, view

PICTURED = "lgg/s33_latent_geometry_graphs"
FILMED = "geometries_of_learning/a04_local_linearity"
FILM = """```{{figure}} ../_generated/film.svg
:name: fig-film
:width: 400px
:alt: Polygons of a square change their borders and colours until a light region stands around the middle.

The pieces of a network with three hidden layers of eight while it learns to tell a disc from the ring
about it, in {frames} frames. Colour is the size of the slope on a piece; where it is light, the second output
is larger.
```"""
BEGIN, END = "<!-- {} -->", "<!-- end of {} -->"


def write_pages(folder: Path) -> Path:
    """Writes what pages include: the parts of the front page, ``compute.md`` and the benchmarks."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = paths.results() / "bench"
    parts = {
        "findings": landing.findings_text(landing.myst_link),
        "headline": headline_sentence(),
        "state": landing.state_text(),
        "forest": landing.forests_text(),
        "scorecard": landing.details_text(),
        "compute": _compute(),
        **bench_parts.page_parts(measured),
    }
    for name, text in parts.items():
        write_whole(folder / f"{name}.md", text + "\n")
    benchmarks.draw_figures(measured, folder)
    write_whole(folder / "film.md", _film(folder) + "\n")
    return folder


def _film(folder: Path) -> str:
    """Draws the film of the pieces of a network as ``film.svg``; the figure that shows it."""
    from lggkit.study.figures.geometries_of_learning import a04_film, a04_planes

    shown = view.highest(FILMED)
    if not shown.arm("film"):
        return "No film is recorded yet."
    titles = a04_planes.moments(shown, "film")
    write_whole(folder / "film.svg", a04_film.film(shown.arrays("film"), titles))
    return FILM.format(frames=len(titles))


def update_readme(readme: Path) -> bool:
    """Puts findings and headline between their marks in the README; whether that changed anything.

    Raises:
        ValueError: the marks are not there.
    """
    text = updated = readme.read_text(encoding="utf-8")
    parts = {"findings": landing.findings_text(landing.file_link), "scorecard": headline_sentence()}
    for name, part in parts.items():
        updated = _between_marks(updated, name, part, readme)
    write_whole(readme, updated)
    return updated != text


def _between_marks(text: str, name: str, part: str, file: Path) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    if end not in text.partition(begin)[2]:
        raise ValueError(f"{file} has no marks {begin} and {end}; put them around the {name}")
    before, rest = text.split(begin, 1)
    return f"{before}{begin}\n{part}\n{end}{rest.split(end, 1)[1]}"


def draw_picture(file: Path) -> Path:
    """Draws Figure 2 from the highest scale recorded into a PNG file for the README."""
    from lggkit.study.figures import latent_geometry, use_style

    use_style()
    shown = view.highest(PICTURED)
    settings = shown.records[0].settings
    benchmarks.save_figure(latent_geometry.graphs_figure(shown.arrays("resnet18"), settings["k"]), file)
    return file


def _compute() -> str:
    frame = _times()
    if frame.empty:
        return "Nothing is recorded yet."
    return tables.as_myst(frame, "Runs and time behind the records of this book", "tab-compute")


def _times() -> pd.DataFrame:
    ledger = Ledger(paths.results())
    for file in ledger.files():
        if place_of(file) is None:
            raise ValueError(f"{file} is no ledger file; name it SECTION.SCALE.jsonl, or move it away")
    columns = ["experiment", "scale", "device", "runs", "trainings", "longest (min)", "total (min)"]
    return pd.DataFrame([_time_row(row) for row in spent(ledger)], columns=columns)


def _time_row(row: Spent) -> list[str | int]:
    minutes = [f"{value / 60:.1f}" for value in (max(row.runs + row.apart), row.seconds)]
    name = row.experiment or "trainings of no record"
    return [name, row.scale, row.device, len(row.runs), row.trainings or "–", *minutes]
