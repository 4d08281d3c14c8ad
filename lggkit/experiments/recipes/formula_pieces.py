"""Pieces of small networks that are trained on a paraboloid: of a square, and of the plane."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import nn

from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.small_mlps import fit_formula
from lggkit.regions import Cells, Polyhedron, enumerate_cells, hamming, planar_partition, square

SAMPLE_SEED = 3_000


@functools.lru_cache(maxsize=16)
def _fitted(settings: Any, shape: tuple[int, int], block: int):
    """The networks of a block of seeds for one number of layers and nodes, with their mean squares."""
    source = torch.Generator().manual_seed(SAMPLE_SEED)
    x = 2 * torch.rand(settings.samples, settings.inputs, generator=source) - 1
    widths = (settings.inputs, *[shape[1]] * shape[0], 1)
    seeds = tuple(range(block * settings.block, (block + 1) * settings.block))
    target = x.square().sum(1) - settings.level
    return fit_formula(widths, seeds, x, target, settings.epochs, settings.batch, settings.rate)


def _network(settings: Any, shape: tuple[int, int], seed: int) -> tuple[nn.Module, float]:
    networks, losses = _fitted(settings, shape, seed // settings.block)
    return networks[seed % settings.block], losses[seed % settings.block]


def toy(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pieces of square and plane, their sizes inside and outside, and three exact checks."""
    network, loss = _network(settings, settings.grid[0], seed)
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
    return metrics, _drawn(cells, wide) if seed == 0 else {}


def _drawn(cells: Cells, partition: list) -> dict[str, Any]:
    """The partition as arrays: corners of all pieces, how many each has, the size of each piece's slope."""
    slopes = [cells.of(torch.from_numpy(p.pattern)).weight[0].norm().item() for p in partition]
    return {
        "corners": np.concatenate([p.vertices for p in partition]).astype(np.float32),
        "counts": np.array([len(p.vertices) for p in partition]),
        "slopes": np.array(slopes, dtype=np.float32),
    }


def table(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Pieces of the square [-1, 1]² and mean squares, for each number of layers and nodes."""
    metrics: dict[str, Any] = {}
    for layers, nodes in settings.grid:
        network, loss = _network(settings, (layers, nodes), seed)
        count = len(planar_partition(Cells(network, (2,)), square(1.0)))
        metrics |= {f"pieces_{layers}x{nodes}": count, f"mse_{layers}x{nodes}": 1e6 * loss}
        metrics[f"alive_{layers}x{nodes}"] = float(loss < 0.05)
    return metrics, {}
