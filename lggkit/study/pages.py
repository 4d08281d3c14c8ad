"""Parts of prose pages that are computed when the book is built: scorecard, compute, benchmarks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lggkit.durable import write_whole
from lggkit.study import bench_parts, benchmarks, papers, paths, tables, view
from lggkit.study.costs import Spent, spent
from lggkit.study.headline import headline_sentence as headline_sentence
from lggkit.study.ledger import Ledger
from lggkit.study.ledger_lines import place_of

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
