"""Notebooks as pairs: a percent source that is reviewed, and the same cells with outputs that a reader opens.

``python -m lggkit.study.publishing.notebooks run SOURCE OUT -p scale smoke`` executes one into a file of
its own; ``python -m lggkit.study.publishing.notebooks pair [SOURCE ...]`` re-executes the committed ones. A
notebook runs in its own folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lggkit.durable import require_writable
from lggkit.study.publishing.images import lean_outputs
from lggkit.study.publishing.parameters import command_line, value_of
from lggkit.study.records.ledger_lines import LEFT_OUT

KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
INJECTED = "injected-parameters"


def find_notebooks(root: Path) -> list[Path]:
    """Every notebook below ``root``/notebooks, sorted: its source where it has one, else the ``.ipynb``."""
    notebooks = {
        p.with_suffix(".ipynb") for end in ("py", "ipynb") for p in (root / "notebooks").rglob(f"*.{end}")
    }
    hidden = {p for p in notebooks if any(part.startswith(".") for part in p.relative_to(root).parts)}
    return [source_of(path) for path in sorted(notebooks - hidden)]


def source_of(notebook: Path) -> Path:
    """The percent source beside a notebook, or the notebook itself where there is none."""
    source = notebook.with_suffix(".py")
    return source if source.exists() else notebook


def read(path: Path):
    """A notebook without outputs, from ``.py`` (percent format) or ``.ipynb``, ready for papermill.

    Raises:
        FileNotFoundError: there is no such file.
    """
    import jupytext

    if not path.exists():
        raise FileNotFoundError(f"notebook {path} does not exist; see notebooks/ for those that do")
    notebook = jupytext.read(path)
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def parameters_of(path: Path) -> dict[str, str]:
    """The source text of every default in the notebook's parameters cell, by name."""
    import nbformat
    import papermill

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "inspected.ipynb")
        nbformat.write(read(path), plain)
        parameters = papermill.inspect_notebook(str(plain))
    return {name: entry["default"] for name, entry in parameters.items()}


def check_parameters(path: Path, parameters: Mapping[str, Any]) -> None:
    """Refuse, with a ValueError, parameters that the notebook does not declare; papermill only warns."""
    known = parameters_of(path)
    for name in parameters:
        if name not in known:
            has = ", ".join(known) or "none"
            raise ValueError(f"notebook {path.name} has no parameter {name!r}; it has: {has}")


def run_notebook(path: Path, out: Path, parameters: Mapping[str, Any]) -> Path:
    """Execute a notebook into ``out`` and leave its source untouched.

    ``out`` appears only when every cell has run; what a failed run reached lies beside it as
    ``.<name>.failed.ipynb``.

    Raises:
        ValueError: a parameter is unknown, or ``out`` is no place for a notebook.
        OSError: nothing can be written there, which is found before anything runs.
        papermill.PapermillExecutionError: a cell raised.
    """
    check_parameters(path, parameters)
    _check_out(path, out)
    partial = out.with_name(f".{out.stem}.failed.ipynb")
    _write(_execute(path, partial, parameters), partial)
    os.replace(partial, out)
    return out


def _check_out(path: Path, out: Path) -> None:
    if out.suffix != ".ipynb" or out.is_dir() or out.resolve() == path.resolve():
        raise ValueError(f"cannot write a notebook to {out}; name a file of its own that ends in .ipynb")
    require_writable(out.parent)


def pair(source: Path) -> Path:
    """Execute a percent source at its own defaults and write the ``.ipynb`` beside it, cells the same.

    Raises:
        ValueError: the source's ``scale`` is not ``smoke`` by default, which nbval and readers rely on.
    """
    scale = parameters_of(source).get("scale", "'smoke'")
    if scale.strip("'\"") != "smoke":
        raise ValueError(f"{source.name} has scale = {scale} in its parameters cell; commit it with 'smoke'")
    return run_notebook(source, source.with_suffix(".ipynb"), {})


def _execute(path: Path, partial: Path, parameters: Mapping[str, Any]):
    from papermill import execute_notebook

    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    return execute_notebook(
        read(path),
        str(partial),
        parameters=dict(parameters),
        cwd=str(path.resolve().parent),
        progress_bar=False,
        extra_arguments=["--IPKernelApp.log_level=40"],
    )


def _write(notebook, path: Path) -> None:
    """Without papermill's timings and absolute paths; the injected cell is run but not shown."""
    import nbformat

    lean_outputs(notebook)
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.pop("tags", [])
        if INJECTED in tags:
            tags = [*tags, "remove-cell"]
        if tags:
            cell.metadata["tags"] = tags
    with open(path, "w", encoding="utf-8") as file:
        nbformat.write(notebook, file)
        file.flush()
        os.fsync(file.fileno())


def _timed(work, path: Path) -> Path:
    start = time.perf_counter()
    done = work()
    print(f"  ran {path.name} in {time.perf_counter() - start:.0f} s", flush=True)
    return done


def left_out(notebook: Path) -> list[str]:
    """What the readers of records said, while a notebook ran, that they had left out."""
    import nbformat

    cells = nbformat.read(notebook, as_version=4).cells
    said = [
        output.text for cell in cells for output in cell.get("outputs", []) if output.get("name") == "stderr"
    ]
    return [line for text in said for line in text.splitlines() if LEFT_OUT in line]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module; the Makefile calls it."""
    chosen = command_line(__doc__).parse_args(arguments)
    try:
        done = _run(chosen) if chosen.command == "run" else _pair(chosen)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    if problems := [problem for notebook in filter(None, done) for problem in left_out(notebook)]:
        sys.exit("\n".join(dict.fromkeys(problems)))


def _run(chosen: argparse.Namespace) -> list[Path]:
    parameters = {name: value_of(text) for name, text in chosen.parameter}
    source = source_of(chosen.source)
    return [_timed(lambda: run_notebook(source, chosen.out, parameters), source)]


def _pair(chosen: argparse.Namespace) -> list[Path]:
    named = [path.resolve() for path in chosen.sources]
    sources = named or [path for path in find_notebooks(Path.cwd()) if path.suffix == ".py"]
    with ThreadPoolExecutor(chosen.workers) as pool:
        return list(pool.map(lambda source: _timed(lambda: pair(source), source), sources))


if __name__ == "__main__":
    main()
