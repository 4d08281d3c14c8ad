"""Peak memory of a graph with its label variation and of a training step, against the usual way.

Each side runs in a process of its own: on the CPU the most it ever held beyond what it held before the call,
by the operating system's count; on a GPU what PyTorch's allocator handed out at most beyond that. A small
call goes first, so that libraries are loaded.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from bench_graph import latents, library, straightforward, timed
from usual import (
    BATCH,
    MEAN,
    STD,
    Engine,
    Loop,
    device_name,
    devices,
    network,
    normalizing,
    pictures,
    settings,
)

from lggkit.data import normalize
from lggkit.training import Stream

SMALLEST_RATIO = 0.7
N, WIDTH, STEPS = 4096, 512, 2
NETWORKS = ("WRN28-0.5", "ResNet-18")
TOLERANCE = {"graph": 1e-3, "step": 1e-2}
Work = Callable[[], np.ndarray]


def run() -> list[dict]:
    """One row a device for the graph and one a network; ratio = reference / ours, of bytes."""
    return [line for device in devices() for line in (graph(device), *(step(x, device) for x in NETWORKS))]


def graph(device: str, n: int = N) -> dict:
    name = f"graph and label variation of {n:,} × {WIDTH}, forward and backward"
    return compare(name, device, ("graph", str(n)))


def step(name: str, device: str) -> dict:
    return compare(f"training step of {name}, batch {BATCH}, not compiled", device, ("step", name))


def compare(name: str, device: str, task: tuple[str, str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        sides = (alone(side, device, task, Path(folder)) for side in ("reference", "ours"))
        (expected, reference), (result, ours) = sides
    largest = TOLERANCE[task[0]] * abs(expected).max()
    return {
        "kind": "memory",
        "name": name,
        "ours_bytes": ours,
        "reference_bytes": reference,
        "ratio": reference / ours,
        "equal": bool(np.allclose(result, expected, rtol=0, atol=largest)),
        "device": device_name(device),
    }


def alone(side: str, device: str, task: tuple[str, str], folder: Path) -> tuple[np.ndarray, int]:
    """What one side computes and the bytes it takes at most, by this file in another process."""
    out = folder / f"{side}.npz"
    threads = str(torch.get_num_threads())
    subprocess.run([sys.executable, __file__, side, device, *task, threads, str(out)], check=True)
    arrays = np.load(out)
    return arrays["result"], arrays["peak_bytes"].item()


def measure(side: str, device: str, kind: str, what: str, threads: str, out: str) -> None:
    torch.set_num_threads(int(threads))
    first, work = {"graph": graph_work, "step": step_work}[kind](side, device, what)
    first()
    before = held_bytes(device)
    result = work()
    np.savez(out, result=result, peak_bytes=max(peak_bytes(device) - before, 1))


def graph_work(side: str, device: str, n: str) -> tuple[Work, Work]:
    loss = {"ours": library, "reference": straightforward}[side]

    def of(x: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
        return timed(loss, [x], labels)[1][0].cpu().numpy()

    x = latents(int(n), WIDTH, device)
    labels = torch.randint(10, (int(n),), generator=torch.Generator().manual_seed(0)).to(device)
    return lambda: of(x[:64].detach().requires_grad_(), labels[:64]), lambda: of(x, labels)


def step_work(side: str, device: str, name: str) -> tuple[Work, Work]:
    """The mean loss of an epoch of two batches, the same ones for both sides."""
    images, config = pictures(BATCH * STEPS), settings(capture=False)
    small = Loop(network(NETWORKS[0]), pictures(2), device)
    if side == "ours":
        engine = Engine([normalizing(name)], images, device, config, seeds=[0])
        return small.epoch, lambda: np.array([engine.epoch(), *engine.losses])[1:]
    stream, loop = Stream(images, config, seed=0), Loop(network(name), images, device)

    def epoch() -> np.ndarray:
        batches = (stream.make(i) for i in range(STEPS))
        return np.array([np.mean([loop.update(normalize(b.images, MEAN, STD), b.labels) for b in batches])])

    return small.epoch, epoch


def held_bytes(device: str) -> int:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    return status("VmRSS") or peak_bytes(device)


def peak_bytes(device: str) -> int:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return status("VmHWM") or unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def status(field: str) -> int:
    """Of this process, where the system tells: what getrusage has may be the parent's."""
    file = Path("/proc/self/status")
    return 1024 * int(file.read_text().split(f"{field}:")[1].split()[0]) if file.exists() else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(*sys.argv[1:])
    else:
        print(json.dumps(run(), indent=2))
