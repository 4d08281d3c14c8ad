"""The kNN graph of a whole set, 50,000 x 512, against scikit-learn's: time and memory.

Each side runs in a process of its own, so that the operating system can tell how much memory it took. What
scikit-learn returns is not symmetric yet, ours is.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from lggkit.graph import knn_graph

N, WIDTH, K = 50_000, 512, 10
ROUNDING = 1e-6
LARGEST_BYTES = 2 * 2**30
SMALLEST_RATIO = 1.0
Edges = tuple[np.ndarray, np.ndarray, np.ndarray]


def run() -> list[dict]:
    """One row; ratio = reference / ours."""
    with tempfile.TemporaryDirectory() as folder:
        (theirs, reference), (ours, measured) = (alone(side, Path(folder)) for side in ("reference", "ours"))
    if measured["peak_bytes"] > LARGEST_BYTES:
        sys.exit(f"error: the graph took {measured['peak_bytes']:,} bytes, {LARGEST_BYTES:,} are allowed")
    return [
        {
            "name": f"{K} nearest neighbours of {N:,} x {WIDTH}",
            **{f"ours_{key}": value for key, value in measured.items()},
            **{f"reference_{key}": value for key, value in reference.items()},
            "ratio": reference["seconds"] / measured["seconds"],
            "equal": agree(ours, theirs),
            "device": f"cpu, {torch.get_num_threads()} threads",
        }
    ]


def library(x: Tensor) -> Edges:
    graph = knn_graph(x, K, normalized=False)
    return graph.indices[0].numpy(), graph.indices[1].numpy(), graph.weights.numpy()


def scikit_learn(x: Tensor) -> Edges:
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(x.numpy(), K, mode="distance", metric="cosine").tocoo()
    return graph.row, graph.col, 1 - graph.data


def agree(ours: Edges, theirs: Edges) -> bool:
    """Whether the edges are the same, but for last neighbours whose cosines are equal to rounding."""
    x = latents()
    last = theirs[2].reshape(N, K).min(1)
    differing = np.setxor1d(pairs(ours), pairs(theirs))
    low, high = differing // N, differing % N
    cosine = torch.cosine_similarity(x[low].double(), x[high].double()).numpy()
    gap = np.minimum(abs(cosine - last[low]), abs(cosine - last[high]))
    return len(differing) < N * K / 1000 and bool((gap < ROUNDING).all())


def pairs(edges: Edges) -> np.ndarray:
    row, column = (end.astype(np.int64) for end in edges[:2])
    return np.unique(np.minimum(row, column) * N + np.maximum(row, column))


def latents() -> Tensor:
    """As behind a ReLU."""
    return torch.randn(N, WIDTH, generator=torch.Generator().manual_seed(0)).relu()


def alone(side: str, folder: Path) -> tuple[Edges, dict[str, float]]:
    """Edges, seconds and bytes of one side, by this file in another process."""
    out = folder / f"{side}.npz"
    subprocess.run([sys.executable, __file__, side, str(out)], check=True)
    arrays = np.load(out)
    measured = {key: arrays[key].item() for key in ("seconds", "peak_bytes")}
    return (arrays["row"], arrays["column"], arrays["weight"]), measured


def measure(side: str, out: str) -> None:
    build = {"ours": library, "reference": scikit_learn}[side]
    x = latents()
    start = perf_counter()
    row, column, weight = build(x)
    seconds, peak = perf_counter() - start, peak_bytes()
    np.savez(out, row=row, column=column, weight=weight, seconds=seconds, peak_bytes=peak)


def peak_bytes() -> int:
    """Of this process, libraries and data included."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage has may be the parent's
        return 1024 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return (1 if sys.platform == "darwin" else 1024) * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(*sys.argv[1:])
    else:
        print(json.dumps(run(), indent=2))
