"""A Sphinx extension: mathematics that needs no network.

One file of MathJax 3 (every TeX package, glyphs as outlines) is copied beside the pages. Outlines rather than
web fonts because Firefox refuses fonts from a parent folder when a page is opened from disk.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

PACKAGE = "sphinx-mathjax-offline"
NAME = "tex-svg-full.js"


def mathjax_file() -> Path:
    """MathJax as the package ``sphinx-mathjax-offline`` ships it.

    Raises:
        FileNotFoundError: the package is not installed, or no longer holds the file.
    """
    spec = find_spec(PACKAGE)
    path = Path(spec.origin).parent / "static" / "mathjax" / NAME if spec and spec.origin else Path(NAME)
    if not path.exists():
        raise FileNotFoundError(f"{NAME} of {PACKAGE} is missing; run pip install {PACKAGE}==0.0.2")
    return path


def _copy(app, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        target = Path(app.outdir, "_static", "mathjax", NAME)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(mathjax_file(), target)


def setup(app) -> dict[str, bool]:
    """Called by Sphinx."""
    mathjax_file()
    app.config.mathjax_path = f"mathjax/{NAME}"
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
