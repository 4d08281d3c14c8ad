"""Run benchmark files and keep what they measured: ``python tools/bench.py tests/bench/bench_*.py``.

A file has ``run()``, which gives rows with ``name``, ``device`` and, by their ``kind``,

- ``time`` (the default): ``ours_seconds``, ``reference_seconds``, ``ratio``, ``equal``; where only ours was
  measured, reference and ratio are None. What was set up beforehand is in ``setup_seconds``.
- ``memory``: the same in ``ours_bytes`` and ``reference_bytes``.
- ``roof``: ``rate`` and ``unit``, what the device was measured to move or to do in a second.
- ``profile``: ``network``, ``seconds``, ``shares`` by part, ``convolutions_alone_seconds``.

``SMALLEST_RATIO`` of a file, or ``smallest_ratio`` of a row, is the ratio below which the run fails.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

OUT = Path(__file__).resolve().parents[1] / "data" / "results" / "bench"
Row = dict[str, Any]


def load(path: Path) -> ModuleType:
    """The file as a module; what lies beside it can be imported."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.exists() or spec is None or spec.loader is None:
        sys.exit(f"error: {path} is no benchmark; name files like tests/bench/bench_graph.py")
    beside = str(path.resolve().parent)
    if beside not in sys.path:
        sys.path.insert(0, beside)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def failures(rows: list[Row], smallest: float) -> list[str]:
    """One sentence a row whose results differ or whose ratio is below the declared one."""
    held = [row for row in rows if "equal" in row]
    wrong = [f"{row['name']} on {row['device']}: the two results differ" for row in held if not row["equal"]]
    return wrong + [line for row in held if (line := too_slow(row, smallest))]


def too_slow(row: Row, smallest: float) -> str:
    declared = row.get("smallest_ratio", smallest)
    if row["ratio"] is None or row["ratio"] >= declared:
        return ""
    return f"{row['name']} on {row['device']}: ratio {row['ratio']:.2f}, {declared:g} is declared"


def described(row: Row) -> str:
    """A row in a line."""
    return f"{row['name']} ({row['device']}): {DESCRIBED[row.get('kind', 'time')](row)}"


def compared(key: str, factor: float, unit: str, row: Row) -> str:
    ours = f"{factor * row[f'ours_{key}']:.3g} {unit}"
    if row["ratio"] is None:
        return f"{ours}, nothing to compare with"
    return f"{ours}, the usual way {factor * row[f'reference_{key}']:.3g} {unit}, x{row['ratio']:.2f}"


def spread(row: Row) -> str:
    shares = ", ".join(f"{part} {100 * share:.0f} %" for part, share in row["shares"].items())
    return f"{row['network']}: {shares}; convolutions alone {1e3 * row['convolutions_alone_seconds']:.3g} ms"


DESCRIBED = {
    "time": lambda row: compared("seconds", 1e3, "ms", row),
    "memory": lambda row: compared("bytes", 1e-6, "MB", row),
    "roof": lambda row: f"{row['rate'] / 1e9:.3g} G{row['unit']}",
    "profile": spread,
}


def save(name: str, title: str, rows: list[Row], out: Path) -> list[Path]:
    """One file a device, so that a GPU's numbers stay when a laptop measures again."""
    import torch

    from lggkit.durable import write_whole
    from lggkit.study.running.context import processor_name

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
        text = json.dumps(content | {"rows": held}, indent=1, allow_nan=False)
        write_whole(path, text + "\n")
        written.append(path)
    return written


def check_out(out: Path) -> None:
    """Stop before anything is measured where nothing could be kept."""
    from lggkit.durable import require_writable

    try:
        require_writable(out)
    except OSError as error:
        sys.exit(f"error: {error}")


def bench(path: Path, out: Path) -> list[str]:
    """Measure one file, print its rows and keep them; what failed."""
    from lggkit.study.records.bench_rows import check_rows

    module, start = load(path), perf_counter()
    check_out(out)
    rows = module.run()
    try:
        check_rows([{"device": ""} | row for row in rows])
    except ValueError as error:
        return [f"{path.name}: {error}; nothing of it was kept"]
    for row in rows:
        print(described(row), flush=True)
    title = (module.__doc__ or path.stem).strip().splitlines()[0].rstrip(".")
    save(path.stem.removeprefix("bench_"), title, rows, out)
    print(f"{path.name} took {perf_counter() - start:.0f} s", flush=True)
    return failures(rows, getattr(module, "SMALLEST_RATIO", 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the JSON files")
    chosen = parser.parse_args()
    for path in chosen.files:
        if not path.is_file():
            sys.exit(f"error: {path} is no benchmark; name files like tests/bench/bench_graph.py")
    failed = [line for path in chosen.files for line in bench(path, chosen.out)]
    sys.exit("\n".join(f"error: {line}" for line in failed) if failed else 0)


if __name__ == "__main__":
    main()
