"""A step of each of four small networks, trained together in several ways, against one after another.

Seconds are those of one step of every model, on all cores. *Lockstep* takes turns in one process, on a GPU
as concurrent streams captured in graphs; *stacked* is one batched model (``torch.func``, parameters stacked,
the forward pass mapped over them, convolutions in groups); *processes* have one thread each, as many as
there are cores, and share the models. Setting up (starting a process, capturing) is kept apart.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from time import perf_counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from usual import (
    BATCH,
    RATE,
    Engine,
    alternate,
    devices,
    fixed,
    normalizing,
    pictures,
    row,
    wait,
)

from lggkit.data import DataSet
from lggkit.training import Stream, TrainResult, choose_path, train, train_many

NETWORK, SEEDS = "WRN28-0.5", (0, 1, 2, 3)
STEPS, ROUNDS = {"cpu": 2, "cuda": 50}, {"cpu": 5, "cuda": 5}
TOLERANCE = {"float32": 1e-3, "bfloat16": 1e-2}
SMALLEST_RATIO = 0.0
SMALLEST = {"cpu": {"lockstep": 0.8, "processes": 0.9}, "cuda": {"lockstep": 0.8}}
KEPT = {"lockstep": "`train_many`", "processes": "`study run --shard`"}


def run() -> list[dict]:
    """One row a strategy and device; ratio = one after another / together, of medians."""
    return [line for device in devices() for line in compare(device, ROUNDS[device])]


def compare(device: str, rounds: int) -> list[dict]:
    images = pictures(BATCH * STEPS[device])
    alone = engine(images, device, rounds)
    sides = {
        "lockstep": engine(images, device, rounds),
        "stacked": Stacked(models(), images, device),
        "processes": Workers(device, STEPS[device], rounds),
    }
    try:
        alone.epoch(together=False)
        for side in sides.values():
            side.epoch()
        same = {name: close(side.losses, alone.losses, device) for name, side in sides.items()}
        same["lockstep"] &= same_models(images, device)
        turns = [lambda: alone.epoch(together=False), *(side.epoch for side in sides.values())]
        reference, *ours = alternate(turns, rounds)
    finally:
        sides["processes"].close()
    pairs = zip(sides, ours, strict=True)
    return [strategy(name, sides[name], seconds, reference, same[name], device) for name, seconds in pairs]


def strategy(name: str, side, ours: float, reference: float, same: bool, device: str) -> dict:
    what = f"{len(SEEDS)} × {NETWORK}, {side.what} / one after another"
    more = {"strategy": name, "setup_seconds": side.setup_seconds, "kept": KEPT.get(name, "")}
    return row(what, ours, reference, same, device, smallest_ratio=SMALLEST[device].get(name, 0.0), **more)


def models(seeds: tuple[int, ...] = SEEDS) -> list[nn.Module]:
    return [normalizing(NETWORK, seed) for seed in seeds]


def engine(images: DataSet, device: str, rounds: int, seeds: tuple[int, ...] = SEEDS) -> Engine:
    made = Engine(models(seeds), images, device, fixed(device, epochs=rounds + 1), seeds)
    made.what = f"lockstep ({made.path})"
    return made


class Stacked:
    """All models as one, eager: every parameter and buffer has a leading dimension, the models."""

    def __init__(self, models: list[nn.Module], images: DataSet, device: str) -> None:
        self.device, self.setup_seconds, self.step, self.losses = device, 0.0, 0, []
        config = fixed(device)
        self.path = choose_path(config, device, len(images))
        self.what = f"stacked ({str(self.path.dtype).removeprefix('torch.')}, eager)"
        images = images.to(self.path.device)
        self.streams = [Stream(images, config, seed) for seed in SEEDS]
        stacked, self.buffers = stack_module_state([model.to(device) for model in models])
        self.parameters = {name: p.detach().requires_grad_() for name, p in stacked.items()}
        self.optimizer = config.optimizer_for(list(self.parameters.values()), RATE)
        self.skeleton = copy.deepcopy(models[0]).to("meta")

    def loss(self, parameters: dict, buffers: dict, images: Tensor, labels: Tensor) -> Tensor:
        """Of one model; batch norm updates its running statistics in place, model by model."""
        logits = functional_call(self.skeleton, (parameters, buffers), (images,))
        return F.cross_entropy(logits.float(), labels)

    def advance(self) -> Tensor:
        batches = [stream.batch(self.step) for stream in self.streams]
        images, labels = (torch.stack([getattr(b, x) for b in batches]) for x in ("images", "labels"))
        with self.path.autocast():
            losses = torch.vmap(self.loss)(self.parameters, self.buffers, images, labels)
        self.optimizer.zero_grad()
        losses.sum().backward()
        self.optimizer.step()
        self.step += 1
        return losses.detach()

    def epoch(self) -> float:
        start, steps = perf_counter(), self.streams[0].steps_per_epoch
        losses = [self.advance() for _ in range(steps)]
        self.losses = torch.stack(losses).mean(0).tolist()
        wait(self.device)
        return (perf_counter() - start) / steps


class Workers:
    """Processes that wait for a line, train their models for an epoch in lockstep, and answer with a line."""

    def __init__(self, device: str, steps: int, rounds: int) -> None:
        count = min(len(SEEDS), torch.get_num_threads() if device == "cpu" else len(SEEDS))
        self.steps, self.losses = steps, []
        self.shards = [SEEDS[i::count] for i in range(count)]
        self.what = f"{count} processes of one thread"
        start = perf_counter()
        self.processes = [self._start(device, shard, rounds) for shard in self.shards]
        for process in self.processes:
            self._read(process)
        self.setup_seconds = perf_counter() - start

    def _start(self, device: str, seeds: tuple[int, ...], rounds: int) -> subprocess.Popen:
        arguments = [device, str(self.steps), str(rounds), *map(str, seeds)]
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            [sys.executable, __file__, "work", *arguments], env=os.environ | threads, **pipes
        )

    def _read(self, process: subprocess.Popen) -> list[float]:
        line = process.stdout.readline()
        if not line:
            sys.exit("error: a process of the seeds benchmark died; what it said is above")
        return json.loads(line)

    def epoch(self) -> float:
        start = perf_counter()
        for process in self.processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = [self._read(process) for process in self.processes]
        seconds = perf_counter() - start
        pairs = zip(self.shards, answers, strict=True)
        by_seed = {seed: loss for shard, losses in pairs for seed, loss in zip(shard, losses, strict=True)}
        self.losses = [by_seed[seed] for seed in SEEDS]
        return seconds / self.steps

    def close(self) -> None:
        for process in self.processes:
            process.stdin.close()
            process.wait()
            process.stdout.close()


def work(device: str, steps: str, rounds: str, *seeds: str) -> None:
    """What a process of `Workers` does."""
    torch.set_num_threads(1)
    share = engine(pictures(BATCH * int(steps)), device, int(rounds), tuple(map(int, seeds)))
    print(json.dumps([]), flush=True)
    for _ in sys.stdin:
        share.epoch()
        print(json.dumps(share.losses), flush=True)


def close(ours: list[float], theirs: list[float], device: str) -> bool:
    """Whether the losses of an epoch agree, model by model, to the rounding of the path."""
    return bool(np.allclose(ours, theirs, rtol=TOLERANCE[fixed(device).precision], atol=0))


def same_models(images: DataSet, device: str) -> bool:
    """Whether `train_many` gives what `train` gives: bit for bit on the CPU, losses to rounding on a GPU."""
    config = fixed(device, capture=False)
    ours = train_many(models(), images, config, seeds=SEEDS, device=device)
    theirs = [
        train(model, images, config, seed=s, device=device) for model, s in zip(models(), SEEDS, strict=True)
    ]
    if device == "cuda":
        return close(*([r.curves["train_loss"][0] for r in side] for side in (ours, theirs)), device)
    return all(equal_states(*pair) for pair in zip(ours, theirs, strict=True))


def equal_states(ours: TrainResult, theirs: TrainResult) -> bool:
    expected = theirs.model.state_dict()
    return all(torch.equal(value, expected[key]) for key, value in ours.model.state_dict().items())


if __name__ == "__main__":
    if sys.argv[1:2] == ["work"]:
        work(*sys.argv[2:])
    else:
        print(json.dumps(run(), indent=2))
