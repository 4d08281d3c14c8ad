"""Paper 5, article 3: the polyhedra of ReLU networks, counted on toys, and compared by set on digits.

Networks on formulas are trained for all seeds at once; a seed's network depends on no other.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation import pieces
from lggkit.evaluation.clusters import rank_correlation
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.recipes.small_mlps import accuracy_of, fit_formula, fit_images, mlp
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.regions import Cells, Polyhedron, enumerate_cells, hamming, planar_partition, square

FORMULA_SEED, PAIR_SEED = 3_000, 3_100
PLACES = ("train", "test", "fgsm", "signs")


@dataclass(frozen=True)
class Settings(Protocol):
    """Settings of article 3; ``grid`` are layers and nodes, ``images`` how many a set is measured on."""

    kind: str = "toy"
    grid: tuple[tuple[int, int], ...] = ((2, 10),)
    inputs: int = 2
    level: float = 0.4
    samples: int = 10_000
    epochs: int = 60
    batch: int = 128
    rate: float = 5e-3
    block: int = 50
    dataset: str = "mnist-10k"
    most_epochs: int = 50
    enough: float = 99.0
    images: int = 2_000
    distances: tuple[float, ...] = (0.5, 0.75, 1.0)
    epsilon: float = 0.1
    pairs: int = 60
    bisected: int = 5
    components: int = 40
    component_epsilon: float = 0.44
    balls: int = 40


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec, by its protocol's kind."""
    kinds = {"toy": _toy, "table": _table, "solid": _solid, "sets": _sets, "depths": _depths, "balls": _balls}
    for spec in specs:
        start = time.monotonic()
        metrics, arrays = kinds[spec.protocol.kind](spec, context)
        yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start)


@functools.lru_cache(maxsize=16)
def _fitted(settings: Settings, shape: tuple[int, int], block: int):
    """The networks of a block of seeds for one number of layers and nodes, with their mean squares."""
    source = torch.Generator().manual_seed(FORMULA_SEED)
    x = 2 * torch.rand(settings.samples, settings.inputs, generator=source) - 1
    widths = (settings.inputs, *[shape[1]] * shape[0], 1)
    seeds = tuple(range(block * settings.block, (block + 1) * settings.block))
    target = x.square().sum(1) - settings.level
    return fit_formula(widths, seeds, x, target, settings.epochs, settings.batch, settings.rate)


def _network(settings: Settings, shape: tuple[int, int], seed: int) -> tuple[nn.Module, float]:
    networks, losses = _fitted(settings, shape, seed // settings.block)
    return networks[seed % settings.block], losses[seed % settings.block]


def _toy(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Toy 1: pieces of square and plane, their sizes inside and outside, and three exact checks."""
    network, loss = _network(spec.protocol, spec.protocol.grid[0], spec.seed)
    cells, start = Cells(network, (2,)), torch.tensor([0.013, 0.017])
    whole, wide = enumerate_cells(cells, start), planar_partition(cells, square(4.0))
    inner = planar_partition(cells, square(1.0))
    walked = enumerate_cells(cells, start, Polyhedron.box(-1, 1, 2))
    names = {piece.pattern.tobytes() for piece in inner}
    met = {pattern.numpy().tobytes() for pattern in walked.patterns}
    ends = torch.tensor([[0.0, -1.0], [0.0, 1.0], [6.0, -1.0], [6.0, 1.0]])
    apart = hamming(cells.patterns(ends))
    outside = [p.area for p in wide if p.pattern.tobytes() not in names]
    metrics = {
        "mse_millionths": 1e6 * loss,
        "pieces_square": len(inner),
        "pieces_plane": len(whole.patterns),
        "pieces_bounded": int(whole.bounded.sum()),
        "pieces_unbounded": int((~whole.bounded).sum()),
        "density_inside": len(inner) / 4,
        "density_outside": len(outside) / 60,
        "hamming_inside": int(apart[0, 1]),
        "hamming_outside": int(apart[2, 3]),
        "walk_and_cut_differ": len(names ^ met) + abs(len(inner) - len(names)),
        "area_missing": abs(sum(p.area for p in inner) - 4),
    }
    return metrics, _drawn(cells, wide) if spec.seed == 0 else {}


def _drawn(cells: Cells, partition: list) -> dict[str, Any]:
    """The partition as arrays: corners of all pieces, how many each has, the size of each piece's slope."""
    slopes = [cells.of(torch.from_numpy(p.pattern)).weight[0].norm().item() for p in partition]
    return {
        "corners": np.concatenate([p.vertices for p in partition]).astype(np.float32),
        "counts": np.array([len(p.vertices) for p in partition]),
        "slopes": np.array(slopes, dtype=np.float32),
    }


def _table(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Table 1: pieces of the square [-1, 1]² and mean squares, for each number of layers and nodes."""
    metrics: dict[str, Any] = {}
    for layers, nodes in spec.protocol.grid:
        network, loss = _network(spec.protocol, (layers, nodes), spec.seed)
        count = len(planar_partition(Cells(network, (2,)), square(1.0)))
        metrics |= {f"pieces_{layers}x{nodes}": count, f"mse_{layers}x{nodes}": 1e6 * loss}
        metrics[f"alive_{layers}x{nodes}"] = float(loss < 0.05)
    return metrics, {}


def _solid(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Toy 3: pieces of the cube [-1, 1]³, by walking."""
    network, loss = _network(spec.protocol, spec.protocol.grid[0], spec.seed)
    start = torch.tensor([0.013, 0.017, 0.011])
    found = enumerate_cells(Cells(network, (3,)), start, Polyhedron.box(-1, 1, 3))
    return {"mse_millionths": 1e6 * loss, "pieces_cube": len(found.patterns)}, {}


def _images(settings: Settings, context: Context, train: bool) -> tuple[Tensor, Tensor]:
    data = context.data(settings.dataset, train)
    return to_float(data.images).flatten(1).cpu(), data.labels.cpu()


@functools.lru_cache(maxsize=2)
def _classifier(settings: Settings, shape: tuple[int, int], seed: int, components: bool, context: Context):
    """A trained network with training and test inputs, images or their principal components."""
    train, test = (_images(settings, context, part) for part in (True, False))
    if components:
        middle = train[0].mean(0)
        axes = torch.linalg.eigh((train[0] - middle).T.cov())[1].flip(1)[:, : settings.components]
        train, test = (((x - middle) @ axes, labels) for x, labels in (train, test))
    widths = (train[0].shape[1], *[shape[1]] * shape[0], 10)
    network, fit = fit_images(widths, seed, *train, settings.most_epochs, settings.enough)
    return network, fit, train, test


def _perturbed(
    settings: Settings, network: nn.Module, test, seed: int, size: float, bounds
) -> dict[str, Tensor]:
    x, labels = (part[: settings.images] for part in test)
    source = torch.Generator().manual_seed(seed)
    moved = {"fgsm": pieces.attacked(network, x, labels, size, bounds)}
    return {"test": x, **moved, "signs": pieces.noisy(x, size, source, bounds)}


def _sets(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables 3 and 4: neighbours of the same class, and Hamming responses of four sets at each distance."""
    settings, seed = spec.protocol, spec.seed
    network, fit, train, test = _classifier(settings, settings.grid[0], seed, False, _Held(context))
    metrics = {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    fresh = mlp((train[0].shape[1], *[settings.grid[0][1]] * settings.grid[0][0], 10), seed)
    for prefix, one in (("", network), ("untrained_", fresh.requires_grad_(False))):
        for split, queries in (("train", None), ("test", test)):
            rates = pieces.same_class_rates(one, train, queries)
            metrics |= {f"{prefix}same_class_{split}_{name}": rate for name, rate in rates.items()}
    sets = {"train": train[0][: settings.images]}
    sets |= _perturbed(settings, network, test, seed, settings.epsilon, (0, 1))
    root = train[0].shape[1] ** 0.5
    for name, x in sets.items():
        source = torch.Generator().manual_seed(seed)
        near = [pieces.hamming_response(network, x, d, source) for d in settings.distances]
        far = [pieces.hamming_response(network, x, d * root, source) for d in settings.distances]
        metrics |= {f"response_{name}_{d:g}": n for d, n in zip(settings.distances, near, strict=True)}
        metrics |= {f"response_{name}": sum(near) / len(near), f"far_{name}": sum(far) / len(far)}
        metrics[f"far_{name}_all"] = far
    metrics["relative_test"] = 100 * metrics["response_test"] / metrics["response_train"]
    metrics["relative_train"] = 100.0
    wrong = network(sets["fgsm"]).argmax(1) != test[1][: settings.images]
    metrics["fgsm_error"] = 100 * wrong.double().mean().item()
    return metrics, {}


def _depths(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figure 4 and Table 5: exact crossings between nearest training images, at every depth."""
    settings, metrics, last = spec.protocol, {}, {}
    for shape in settings.grid:
        network, fit, train, _ = _classifier(settings, shape, spec.seed, False, _Held(context))
        pairs = pieces.nearest_pairs(train[0], settings.pairs)
        last = pieces.segments(Cells(network, train[0].shape[1:]), train[0], pairs, settings.bisected)
        met = np.array(last["crossings"]) + 1
        metrics |= {f"most_{shape[0]}": float(met.max()), f"mean_{shape[0]}": float(met.mean())}
        metrics |= {f"fit_{shape[0]}": fit}
        gap, apart = np.array(last["crossings"]) - last["hamming"], np.array(last["hamming"])
        metrics["crossings_below_hamming"] = metrics.get("crossings_below_hamming", 0) + float(
            (gap < 0).sum()
        )
        metrics["parity_violations"] = metrics.get("parity_violations", 0) + sum(last["unequal_bits"])
    first, final = settings.grid[0][0], settings.grid[-1][0]
    metrics["growth_most"] = metrics[f"most_{final}"] / metrics[f"most_{first}"]
    metrics["growth_mean"] = metrics[f"mean_{final}"] / metrics[f"mean_{first}"]
    metrics["gap_with_hamming"] = rank_correlation(gap.tolist(), apart.tolist()) or 0.0
    seen = last["bisection"]
    metrics["bisection_share"] = 100 * sum(seen) / sum(last["crossings"][: len(seen)])
    arrays = {name: np.array(last[name]) for name in ("crossings", "hamming")}
    return metrics, arrays


def _balls(spec: Spec, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Table 6 on principal components: largest balls within the box of the training inputs, four sets."""
    settings = spec.protocol
    network, fit, train, test = _classifier(settings, settings.grid[0], spec.seed, True, _Held(context))
    size = settings.component_epsilon
    few = replace(settings, images=settings.balls)
    sets = {"train": train[0][: settings.balls]} | _perturbed(few, network, test, spec.seed, size, None)
    spread = torch.cat([train[0], *sets.values()])
    box = Polyhedron.box(spread.amin(0) - 1, spread.amax(0) + 1, spread.shape[1])
    radii = pieces.ball_radii(network, sets, box)
    wrong = (network(sets["fgsm"]).argmax(1) != test[1][: settings.balls]).numpy()
    metrics = {f"radius_{name}": float(np.mean(found)) for name, found in radii.items()}
    metrics |= {f"radius_{name}_sd": float(np.std(found, ddof=1)) for name, found in radii.items()}
    metrics |= {"train_accuracy": fit, "test_accuracy": accuracy_of(network, *test)}
    metrics |= {"fgsm_error": 100 * float(wrong.mean())}
    if wrong.any():
        metrics["radius_fgsm_wrong"] = float(np.array(radii["fgsm"])[wrong].mean())
    metrics["unbounded_share"] = 100 * pieces.unbounded_share(network, sets["test"][: settings.bisected])
    return metrics, {f"radii_{name}": np.array(found) for name, found in radii.items()}


class _Held:
    """A context that a cache can hold: equal to every other of the same data."""

    def __init__(self, context: Context) -> None:
        self.data = context.data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


LAYERS, NODES = tuple((n, 5) for n in (2, 4, 6, 8, 10)), tuple((3, n) for n in (5, 10, 15, 20, 25))
DEEPER = tuple((n, 200) for n in (1, 2, 3, 4, 5))
PAPER = Settings()
SMOKE = replace(
    PAPER,
    **{"dataset": "digits", "samples": 400, "epochs": 2, "block": 2, "most_epochs": 1, "images": 40},
    **{"pairs": 4, "bisected": 2, "balls": 2, "components": 20, "grid": ((2, 4),)},
)
ARMS = (
    Arm("toy1", "2-10-10-1 on a paraboloid", seeds={"paper": 5}),
    Arm("layers", "2 to 10 layers of 5", {"kind": "table", "grid": LAYERS}, seeds={"paper": 50}),
    Arm("nodes", "3 layers of 5 to 25", {"kind": "table", "grid": NODES}, seeds={"paper": 50}),
    Arm(
        "toy3",
        "3-10-10-10-1 on a paraboloid",
        {"kind": "solid", "grid": ((3, 10),), "inputs": 3, "level": 3.0},
    ),
    Arm("structure-3x200", "3 layers of 200", {"kind": "sets", "grid": ((3, 200),)}),
    Arm("structure-5x300", "5 layers of 300", {"kind": "sets", "grid": ((5, 300),)}),
    Arm("segments", "1 to 5 layers of 200", {"kind": "depths", "grid": DEEPER}),
    Arm("balls", "3 layers of 200 on principal components", {"kind": "balls", "grid": ((3, 200),)}),
)

EXPERIMENT = Experiment(
    name="geometries_of_learning/a03_relu_polyhedra",
    title="Polyhedra of ReLU networks",
    protocols={"smoke": SMOKE, "short": replace(PAPER, epochs=20), "reduced": PAPER, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    measure=measure,
    minutes={"smoke": 0.2, "short": 2, "reduced": 2, "paper": 2},
    priority=70,
)
