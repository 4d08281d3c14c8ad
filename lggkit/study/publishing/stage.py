"""The stage: the tree the book is built from, with executed notebooks in the place of the committed ones.

``python -m lggkit.study.publishing.stage ROOT EXECUTED STAGE`` brings it up to date. A file whose
content is unchanged keeps its time stamp, so that Sphinx reads only what is new.
"""

from __future__ import annotations

import filecmp
import shutil
import sys
from pathlib import Path

FILES = ("_config.yml", "_toc.yml", "README.md", "LICENSE", "CITATION.cff")
FOLDERS = ("book", "notebooks", "data/paper", "data/results")
COMPUTED = Path("book", "_generated")


def build_stage(root: Path, executed: Path, stage: Path, computed: Path | None = None) -> Path:
    """Make ``stage`` a copy of what the book needs from the repository ``root``, and nothing else.

    ``executed`` are papermill's outputs, laid out as below ``root``/notebooks, ``computed`` parts of prose
    pages that were written for this build, to appear as ``book/_generated``.

    Raises:
        FileNotFoundError: a notebook has not been executed, or ``_config.yml`` or ``_toc.yml`` is missing.
    """
    sources = _sources(root, executed)
    if computed:
        sources |= {COMPUTED / path.name: path for path in computed.iterdir()}
    for target, source in sources.items():
        _copy(source, stage / target)
    for path in [p for p in stage.rglob("*") if p.is_file()]:
        if path.relative_to(stage) not in sources:
            path.unlink()
    return stage


def _sources(root: Path, executed: Path) -> dict[Path, Path]:
    sources = {Path(name): root / name for name in FILES if (root / name).exists()}
    for name in ("_config.yml", "_toc.yml"):
        if Path(name) not in sources:
            raise FileNotFoundError(f"{name} is not in {root}; give the repository's root folder")
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            target = path.relative_to(root)
            if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in target.parts):
                sources[target] = _executed(path, target, executed)
    return sources


def _executed(path: Path, target: Path, executed: Path) -> Path:
    if target.parts[0] != "notebooks" or path.suffix != ".ipynb":
        return path
    output = executed / target.relative_to("notebooks")
    if not output.exists():
        raise FileNotFoundError(f"notebook {target} has not been executed into {executed}; run make book")
    return output


def _copy(source: Path, target: Path) -> None:
    if target.exists() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def main(root: str, executed: str, stage: str) -> None:
    """Computes the parts of pages beside the stage, then builds the stage."""
    from lggkit.study.pages.generated import write_pages
    from lggkit.study.records.ledger_lines import collected

    with collected() as problems:
        build_stage(Path(root), Path(executed), Path(stage), write_pages(Path(stage).with_name("pages")))
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
