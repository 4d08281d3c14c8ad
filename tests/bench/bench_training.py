"""The training step along the library's paths against a plain PyTorch loop, itself plain and compiled.

A step is everything from the bytes to the updated weights, the batch's augmentation included. All sides
begin with equal weights; in the first epoch, which is not timed, they see the same batches and their losses
are compared. What is compiled is compiled anew, and its seconds are kept apart. A row is a path of ours
against a loop; the profile says what each step spends its time on, and what its convolutions take alone.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from profiles import convolutions_alone, marked, shares
from usual import (
    BATCH,
    MEAN,
    NETWORKS,
    STD,
    Engine,
    Loop,
    alternate,
    device_name,
    devices,
    network,
    normalizing,
    pictures,
    row,
    settings,
)

from lggkit.data import normalize
from lggkit.networks.blocks import PostActivationBlock
from lggkit.training.processor import has_compiler

SMALLEST_RATIO = 0.9
STEPS = {"cpu": 2, "cuda": 50}
ROUNDS = {"WRN10-1 (small_net)": 7, "WRN28-0.5": 7, "ResNet-18": 3}
TARGETS = {
    "cpu": {"WRN10-1 (small_net)": 2.3, "WRN28-0.5": 2.3, "ResNet-18": 3.0},
    "cuda": {},
}
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}


def run() -> list[dict]:
    """Three rows and two profiles a network and device; ratio = reference / ours, of medians."""
    with new_cache():
        return [line for device in devices() for name in NETWORKS for line in compare(name, device)]


def compare(name: str, device: str, rounds: int | None = None) -> list[dict]:
    rounds = rounds or ROUNDS[name]
    ways = ["eager", "compiled"] if has_compiler() else ["eager"]
    images = pictures(BATCH * STEPS[device])
    ours = {way: engine(name, images, device, way == "compiled", rounds) for way in ways}
    loops = {way: Loop(network(name), images, device, way == "compiled") for way in ways}
    losses = first_losses(ours, loops)
    for loop in loops.values():
        loop.warm_up()
    sides = {("ours", way): side for way, side in ours.items()}
    sides |= {("loop", way): side for way, side in loops.items()}
    medians = alternate([side.epoch for side in sides.values()], rounds)
    seconds = dict(zip(sides, medians, strict=True))
    best = min(ways, key=lambda way: seconds["ours", way])
    rows = [
        comparison(name, sides["ours", way], sides["loop", other], seconds, losses, (way, other), best)
        for way, other in dict.fromkeys([*((way, "eager") for way in ways), (best, ways[-1])])
    ]
    return rows + profiled(name, ours[best], loops["eager"], seconds["ours", best], seconds["loop", "eager"])


def comparison(
    name: str, ours: Engine, loop: Loop, seconds: dict, losses: dict, ways: tuple[str, str], best: str
) -> dict:
    way, other = ways
    more = {
        "network": name,
        "path": ours.path,
        "setup_seconds": ours.setup_seconds,
        "reference_setup_seconds": loop.setup_seconds,
    }
    if way == best and other == "eager" and name in TARGETS[ours.device]:
        more["target"] = TARGETS[ours.device][name]
    tolerance = TOLERANCE[ours.precision]
    same = math.isclose(losses["ours", way], losses["loop", other], rel_tol=tolerance)
    what = f"{name}, {ours.path} / the usual loop{', compiled' if other == 'compiled' else ''}"
    return row(what, seconds["ours", way], seconds["loop", other], same, ours.device, **more)


def engine(name: str, images, device: str, compiled: bool, rounds: int, **changes) -> Engine:
    config = settings(epochs=rounds + 1, compile=compiled, **changes)
    return Engine([normalizing(name)], images, device, config, seeds=[0])


def first_losses(ours: dict[str, Engine], loops: dict[str, Loop]) -> dict[tuple[str, str], float]:
    """Each side's mean loss over the first epoch of our stream; ours make it as they make every other."""
    stream = next(iter(ours.values())).runs[0].stream
    batches = [stream.make(step) for step in range(stream.steps_per_epoch)]
    means = {}
    for way, loop in loops.items():
        inputs = [(normalize(b.images, MEAN, STD).contiguous(), b.labels) for b in batches]
        means["loop", way] = sum(loop.update(*each) for each in inputs) / len(batches)
    for way, side in ours.items():
        side.epoch()
        means["ours", way] = side.losses[0]
    return means


def profiled(name: str, ours: Engine, loop: Loop, seconds: float, loop_seconds: float) -> list[dict]:
    """Shares of our best step and the usual one's; a captured step is profiled uncaptured."""
    run, device = ours.runs[0], ours.device
    if run.path.captured:
        compiled, images = run.path.compile, pictures(BATCH * STEPS[device])
        ours = engine(name, images, device, compiled, 1, capture=False)
        ours.epoch()
    stream = ours.runs[0].stream
    images, plain = stream.batch(0).images, stream.batch
    stream.batch = marked(plain)
    floor = convolutions_alone(run.model, images, run.path.dtype)
    about = {"kind": "profile", "network": name, "device": device_name(device)}
    about["convolutions_alone_seconds"] = floor
    way = ours.path.rpartition(", ")[2]
    sides = ((f"lggkit, {way}", ours, seconds), ("the usual loop", loop, loop_seconds))
    lines = [
        about | {"name": side, "seconds": spent, "shares": shares(each.epoch, device)}
        for side, each, spent in sides
    ]
    stream.batch = plain
    return lines


@contextmanager
def new_cache() -> Iterator[None]:
    """An empty cache for what is compiled, and a warm toolchain: each network pays for itself only."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        try:
            if has_compiler():
                block = PostActivationBlock(8, 16, 2).to(memory_format=torch.channels_last)
                torch.compile(block)(torch.rand(32, 8, 16, 16)).sum().backward()
            yield
        finally:
            os.environ.pop("TORCHINDUCTOR_CACHE_DIR")
            if before is not None:
                os.environ["TORCHINDUCTOR_CACHE_DIR"] = before


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
