"""Run benchmark files and keep what they measured: ``python tools/bench.py tests/bench/bench_*.py``.

A file has ``run()``, one row a comparison with ``name``, ``ours_seconds``, ``reference_seconds``, ``ratio``,
``equal`` and ``device``; it may declare ``SMALLEST_RATIO``, below which it fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "data" / "results" / "bench"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.exists() or spec is None or spec.loader is None:
        sys.exit(f"error: {path} is no benchmark; name files like tests/bench/bench_graph.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failures(rows: list[dict[str, Any]], smallest: float) -> list[str]:
    """One sentence a row whose results differ or whose ratio is below the declared one."""
    wrong = [f"{row['name']} on {row['device']}: the two results differ" for row in rows if not row["equal"]]
    slow = [
        f"{row['name']} on {row['device']}: ratio {row['ratio']:.2f}, {smallest:g} is declared"
        for row in rows
        if row["ratio"] < smallest
    ]
    return wrong + slow


def save(name: str, title: str, rows: list[dict[str, Any]], out: Path) -> list[Path]:
    """One file a device, so that a GPU's numbers stay when a laptop measures again."""
    import torch

    from lggkit.study.context import processor_name

    out.mkdir(parents=True, exist_ok=True)
    written = []
    for device in sorted({row["device"] for row in rows}):
        held = [row for row in rows if row["device"] == device]
        slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")
        path = out / f"{name}-{slug}.json"
        content = {
            "title": title,
            "device": device,
            "processor": processor_name(),
            "torch": torch.__version__,
        }
        path.write_text(json.dumps(content | {"rows": held}, indent=1) + "\n", encoding="utf-8")
        written.append(path)
    return written


def bench(path: Path, out: Path) -> list[str]:
    """Measure one file, print its rows and keep them; what failed."""
    module = load(path)
    rows = module.run()
    for row in rows:
        ours, reference = 1e3 * row["ours_seconds"], 1e3 * row["reference_seconds"]
        times = f"{ours:.3g} ms, the usual way {reference:.3g} ms, x{row['ratio']:.1f}"
        print(f"{row['name']} ({row['device']}): {times}", flush=True)
    title = (module.__doc__ or path.stem).strip().splitlines()[0].rstrip(".")
    save(path.stem.removeprefix("bench_"), title, rows, out)
    return failures(rows, getattr(module, "SMALLEST_RATIO", 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    failed = [line for path in chosen.files for line in bench(path, chosen.out)]
    sys.exit("\n".join(f"error: {line}" for line in failed) if failed else 0)


if __name__ == "__main__":
    main()
