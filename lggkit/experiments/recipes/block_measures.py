"""What is measured of a trained autoencoder of blocks: images, blocks, scores, paths, samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lggkit import generative
from lggkit.experiments.recipes.block_grids import Grid, partners
from lggkit.generative import BlockAutoencoder
from lggkit.graph import two_sample_statistic
from lggkit.objectives import block_cosines

SCORES = {
    "mig": generative.mig,
    "dcimig": generative.dcimig,
    "mig_sup": generative.mig_sup,
    "jemmig": generative.jemmig,
}
PAIRS, SAMPLES, MOMENTS = 200, 200, 9
"""Pairs of images for paths and swaps, images of noise, images of a path."""
SHOWN, STEPS, MAPPED = 8, 7, 1000
"""Images shown, steps of a traversal, held-out images whose codes are kept for maps, at most."""


@torch.no_grad()
def measured(model: BlockAutoencoder, fresh: BlockAutoencoder, grid: Grid, seed: int) -> dict[str, Any]:
    """All metrics of a network, beside scores of that with its first weights, ``fresh``."""
    source = torch.Generator().manual_seed(1000 + seed)
    z = model.encode(grid.images)
    one, two = partners(grid, PAIRS, source)
    metrics = _images(model, fresh, grid) | _blocks(model, z, grid)
    metrics |= _swaps(model, z, grid, one, two)
    metrics |= {f"{name}_untrained": value for name, value in _scores(fresh, grid).items()}
    path = _path(z[one], z[two], MOMENTS)
    decoded = model.generate(path.flatten(0, 1)).unflatten(0, path.shape[:2])
    metrics["roughness"] = generative.path_roughness(decoded).mean().item()
    return metrics | _samples(model, grid, source) | {"half": 0.5, "tenth": 0.1}


def _images(model: BlockAutoencoder, fresh: BlockAutoencoder, grid: Grid) -> dict[str, float]:
    x = grid.images
    each = (model(x) - x).square().flatten(1).mean(1)
    plain = (x[grid.test] - x[grid.train].mean(0)).square().mean()
    errors, first = each[grid.test], (fresh(x[grid.test]) - x[grid.test]).square().mean()
    return {
        "mse": errors.mean().item(),
        "psnr": (-10 * errors.log10()).mean().item(),
        "mse_train": each[grid.train].mean().item(),
        "explained": 100 * (1 - errors.mean() / plain).item(),
        "gone": (1 - errors.mean() / first).item(),
    }


def _blocks(model: BlockAutoencoder, z: Tensor, grid: Grid) -> dict[str, Any]:
    pairs = model.blocks * (model.blocks - 1)
    response = generative.factor_response_matrix(model.split(z), grid.factors)
    of_codes = {f"{name}_codes": score(z, grid.factors) for name, score in SCORES.items()}
    return {
        "cosine": block_cosines(z, model.blocks).abs().sum((1, 2)).mean().item() / pairs,
        "response": response.flatten().tolist(),
        **of_codes,
        **_scores(model, grid),
    }


def _scores(model: BlockAutoencoder, grid: Grid) -> dict[str, float]:
    codes = torch.cat(model.bottleneck(model.encode(grid.images)), 1)
    return {name: score(codes, grid.factors) for name, score in SCORES.items()}


def _swaps(model: BlockAutoencoder, z: Tensor, grid: Grid, one: Tensor, two: Tensor) -> dict[str, Any]:
    """Which factors change in the image, in shares of pairs, where one block is taken from another code.

    The factors of an image that is made are those of the nearest image of the grid.
    """
    before = _nearest(model.generate(z[one]), grid)[1]
    changed = []
    for block in range(model.blocks):
        parts = [list(model.split(z[places])) for places in (one, two)]
        parts[0][block] = parts[1][block]
        after = _nearest(model.generate(torch.cat(parts[0], 1)), grid)[1]
        changed.append((after != before).double().mean(0))
    swaps = torch.stack(changed)
    return {
        "swaps": swaps.flatten().tolist(),
        "matched_share": generative.matched_share(swaps),
        "moved": swaps.sum(1).mean().item(),
    }


def _nearest(images: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """The mean square to the nearest image of the grid, and its factors."""
    nearest = torch.cdist(images.flatten(1), grid.images.flatten(1)).min(1)
    return nearest.values.square() / images[0].numel(), grid.factors[nearest.indices]


def _samples(model: BlockAutoencoder, grid: Grid, source: torch.Generator) -> dict[str, float]:
    made = model.sample(SAMPLES, source)
    real = grid.images[torch.randperm(len(grid.images), generator=source)[:SAMPLES]]
    hard = two_sample_statistic(real.flatten(1), made.flatten(1), temperature=None)
    return {"sample_t": hard.item(), "sample_gap": _nearest(made, grid)[0].mean().item()}


def _path(start: Tensor, end: Tensor, moments: int) -> Tensor:
    """Codes on the straight lines between two, (n, moments, d)."""
    share = torch.linspace(0, 1, moments)[None, :, None]
    return start[:, None] + share * (end - start)[:, None]


@torch.no_grad()
def pictures(model: BlockAutoencoder, grid: Grid, seed: int) -> dict[str, np.ndarray]:
    """Images for figures, uint8, and codes of the bottlenecks for maps of them."""
    source = torch.Generator().manual_seed(2000 + seed)
    one, two = partners(grid, SHOWN, source)
    z = model.encode(grid.images[torch.stack((one[0], two[0]))])
    blocks = [model.split(z[:1]), model.split(z[1:])]
    rows = []
    for block in range(model.blocks):
        path = _path(blocks[0][block], blocks[1][block], STEPS)[0]
        parts = [path if i == block else own.expand(STEPS, -1) for i, own in enumerate(blocks[0])]
        rows.append(model.generate(torch.cat(parts, 1)))
    mapped = grid.test[:MAPPED]
    inner = model.bottleneck(model.encode(grid.images[mapped]))
    return {
        "traversals": _bytes(torch.stack(rows)),
        "ends": _bytes(grid.images[torch.stack((one[0], two[0]))]),
        "inputs": _bytes(grid.images[grid.test[:SHOWN]]),
        "outputs": _bytes(model(grid.images[grid.test[:SHOWN]])),
        "samples": _bytes(model.sample(SHOWN, source)),
        "factors": grid.factors[mapped].numpy().astype(np.uint8),
        **{f"block{i}": codes.numpy().astype(np.float16) for i, codes in enumerate(inner)},
    }


def _bytes(images: Tensor) -> np.ndarray:
    return (images * 255).round().to(torch.uint8).numpy()
