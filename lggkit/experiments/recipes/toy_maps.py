"""Article 4 on the plane: XOR by hand and trained, a disc in a ring, and four of these."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.experiments.networks import Context
from lggkit.experiments.recipes.map_networks import deciding, fit_together, restarts, unstacked
from lggkit.experiments.recipes.small_mlps import mlp, outputs
from lggkit.regions import (
    Cells,
    Polyhedron,
    dual_points,
    enclosed_parts,
    local_affine_maps,
    planar_partition,
    square,
)

CORNERS = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
WANTED = torch.tensor([[-3.0], [1.0], [1.0], [-1.0]])
BANDS = {(True, True): (-2.0, -2.0, 1.0), (True, False): (2.0, 2.0, 1.0), (False, False): (0.0, 0.0, -1.0)}
REACH = 2.5
"""Half the side of the square in which enclosed parts are looked for."""


def by_hand() -> nn.Sequential:
    """Eq. 2: ``[2, -4] ReLU([1 1; 1 1] (x, y) + (1, 0)) - 1``."""
    network = mlp((2, 2, 1), 0).requires_grad_(False)
    network[0].weight.fill_(1.0)
    network[0].bias.copy_(torch.tensor([1.0, 0.0]))
    network[2].weight.copy_(torch.tensor([[2.0, -4.0]]))
    network[2].bias.fill_(-1.0)
    return network


def xor(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Violations of eqs. 2 and 3 by the network of eq. 2; maps of trained ones of several widths."""
    cells = Cells(by_hand(), (2,))
    by_pattern = {
        tuple(p.pattern.tolist()): cells.of(torch.from_numpy(p.pattern)) for p in _pieces(by_hand())
    }
    slips = [abs(a - b) for name, c in by_pattern.items() for a, b in zip(_row(c), BANDS[name], strict=True)]
    metrics: dict[str, Any] = {
        "corner_error": (by_hand()(CORNERS) - WANTED).abs().max().item(),
        "band_error": max(slips) + abs(len(by_pattern) - len(BANDS)),
        "phantom_cell": float(not _empty(cells.of(torch.tensor([False, True])))),
    }
    arrays = {}
    for width in settings.widths:
        network = _trained_xor(width, seed, settings.xor_steps)
        rows = _rows(network, _pieces(network))
        metrics[f"maps_{width}"] = len(np.unique(np.round(rows, 5), axis=0))
        right = (network(CORNERS).sign()[:, 0] == torch.tensor([-1.0, 1.0, 1.0, -1.0])).all()
        metrics[f"solved_{width}"] = 100.0 * right.item()
        arrays[f"dual_{width}"] = rows.astype(np.float32)
    return metrics, arrays if seed == 0 else {}


def _pieces(network: nn.Module, reach: float = 1.0) -> list:
    return planar_partition(Cells(network, (2,)), square(reach))


def _row(cell: Any) -> tuple[float, ...]:
    return (*cell.weight[0].tolist(), cell.bias[0].item())


def _rows(network: nn.Module, pieces: list) -> np.ndarray:
    """The dual point of the one output on every piece, (pieces, 3), by autograd at the middles."""
    middles = torch.from_numpy(np.stack([piece.vertices.mean(0) for piece in pieces]))
    return dual_points(*local_affine_maps(network, middles))[:, 0].numpy()


def _empty(cell: Polyhedron) -> bool:
    try:
        cell.within(Polyhedron.box(-9, 9, 2)).chebyshev()
    except ValueError:
        return True
    return False


def _trained_xor(width: int, seed: int, steps: int) -> nn.Sequential:
    network = mlp((2, width, 1), seed)
    adam, wanted = torch.optim.Adam(network.parameters(), lr=1e-2), torch.tensor([[-1.0], [1], [1], [-1]])
    for _ in range(steps):
        adam.zero_grad()
        F.mse_loss(network(CORNERS), wanted).backward()
        adam.step()
    return network.requires_grad_(False)


def circles(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Restarts of one shape: how many fail, how soon the others arrive, and how many enclose a part."""
    inputs, labels = disc_and_ring(settings.samples, seed, settings.four)
    ticks = torch.linspace(-1, 1, 101) * (2 if settings.four else 1)
    test, truth = _labelled(torch.cartesian_prod(ticks, ticks), settings.four)
    networks = restarts(settings.shape, seed, settings.restarts)
    best, first = torch.full((len(networks),), -1.0), torch.full((len(networks),), torch.inf)
    best_weights: list[Tensor] = []
    sgd = (settings.rate, settings.momentum, settings.decay)
    training = fit_together(networks, inputs, labels, sgd, settings.epochs, settings.batch, seed)
    frames = []
    for step, stacked in enumerate(training, 1):
        if step % settings.every and step != 1:
            continue
        right = _right(stacked, test, truth)
        first = torch.where((right >= settings.enough) & first.isinf(), float(step), first)
        best_weights = _better(best_weights, stacked, right > best)
        best = best.maximum(right)
        if step in settings.frames:
            frames.append([part.detach().clone() for part in stacked])
    return _told(settings, seed, best, first.clamp(max=step), best_weights, frames)


def _told(settings: Any, seed: int, best: Tensor, first: Tensor, best_weights: list[Tensor], frames: list):
    closed = [_encloses(unstacked(best_weights, i), settings.four) for i in range(len(best))]
    rate = 100 * torch.tensor(closed).double().mean().item()
    metrics = {
        "failed": 100 * (best < settings.enough).double().mean().item(),
        "steps": first.double().mean().item(),
        "best": best.max().item(),
        "stuck": 100 * (best < 75).double().mean().item(),
        "enclosing": rate,
    }
    place, reach = int(first.argmin()), 2.0 if settings.four else 1.0
    metrics["pieces"] = len(_pieces(unstacked(best_weights, place), reach))
    arrays = {"best": best.numpy(), "first": first.numpy()}
    if seed == 0:
        every = [unstacked(one, place) for one in frames] + [unstacked(best_weights, place)]
        for number, network in enumerate(every):
            arrays |= drawn(network, reach, f"_{number}")
    return metrics, arrays


def disc_and_ring(count: int, seed: int, four: bool) -> tuple[Tensor, Tensor]:
    """Points uniform in the disc r² < 0.25 (1) and the ring 0.5 < r² < 0.75 (0), about 0 or (±1, ±1)."""
    source, batches = torch.Generator().manual_seed(seed), []
    while sum(len(part) for part, _ in batches) < count:
        x = (2 * torch.rand(2 * count, 2, generator=source) - 1) * (2 if four else 1)
        batches.append(_labelled(x, four))
    x, labels = (torch.cat(parts)[:count] for parts in zip(*batches, strict=True))
    return x, labels


def _labelled(x: Tensor, four: bool) -> tuple[Tensor, Tensor]:
    """Those of the points that lie in a class, with the class; two opposite quadrants have them exchanged."""
    square = (x - x.sign() if four else x).square().sum(1)
    inside, ring = square < 0.25, (square > 0.5) & (square < 0.75)
    in_class = inside | ring
    flipped = (x[:, 0] * x[:, 1] < 0) & four
    return x[in_class], (inside ^ flipped)[in_class].long()


@torch.no_grad()
def _right(stacked: list[Tensor], x: Tensor, labels: Tensor) -> Tensor:
    return 100 * (outputs(stacked, x).argmax(2) == labels).float().mean(1)


def _better(best_weights: list[Tensor], stacked: list[Tensor], better: Tensor) -> list[Tensor]:
    if not best_weights:
        return [part.detach().clone() for part in stacked]
    for old, new in zip(best_weights, stacked, strict=True):
        old[better] = new.detach()[better]
    return best_weights


def _encloses(network: nn.Sequential, four: bool) -> bool:
    corners = square(REACH * (2 if four else 1))
    pieces = planar_partition(Cells(deciding(network), (2,)), corners)
    return enclosed_parts(pieces, np.array([piece.pattern[-1] for piece in pieces]), corners) > 0


def drawn(network: nn.Sequential, reach: float, mark: str) -> dict[str, Any]:
    """Pieces of a square as arrays: corners, how many each has, decision, map of output 1 less output 0."""
    pieces = planar_partition(Cells(deciding(network), (2,)), square(reach))
    rows = _rows(nn.Sequential(*deciding(network)[:-1]), pieces)
    return {
        f"corners{mark}": np.concatenate([piece.vertices for piece in pieces]).astype(np.float32),
        f"counts{mark}": np.array([len(piece.vertices) for piece in pieces]),
        f"decisions{mark}": np.array([piece.pattern[-1] for piece in pieces]),
        f"maps{mark}": rows.astype(np.float32),
    }


def narrow(settings: Any, seed: int, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random networks of at most two units a layer: how many enclose a part of a wide square."""
    closed = 0
    for place in range(settings.restarts):
        depth = 1 + place % 5
        network = mlp((2, *[2] * depth, 2), seed * settings.restarts + place).requires_grad_(False)
        closed += _encloses(network, False)
    return {"enclosing_narrow": float(closed)}, {}
