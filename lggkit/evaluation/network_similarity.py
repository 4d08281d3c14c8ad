"""How alike two networks are: every depth of one with every depth of the other, each beside chance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lggkit.evaluation._given import floats
from lggkit.latents import default_depths, latents
from lggkit.similarity import BatchedCKA, LinearFit, overlap_of_depths, r2_score
from lggkit.similarity._scale import spread

MEASURES = ("cka", "overlap", "r2")
RIDGE = 1e-2
"""Of the linear maps, in mean squares of a feature."""


@dataclass(frozen=True)
class NetworkSimilarity:
    """Three measures of depths of one network (rows) with depths of another (columns), float64 on the CPU.

    ``cka`` is unbiased CKA of whole latents, ``overlap`` the share of mutual nearest neighbours and ``r2``
    the part of the second network's variance that a linear map of the first's latents explains on samples
    that it was not fitted on (below 0: worse than the mean). Channels are averaged over places for both,
    which are 0 where all latents of a depth coincide.
    ``…_chance`` is the mean of the same with one network's samples permuted.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    samples: int
    cka: Tensor
    overlap: Tensor
    r2: Tensor
    cka_chance: Tensor
    overlap_chance: Tensor
    r2_chance: Tensor


@torch.no_grad()
def compare_networks(
    first: nn.Module,
    second: nn.Module,
    batches: Iterable[Tensor],
    first_depths: Sequence[str] | None = None,
    second_depths: Sequence[str] | None = None,
    *,
    k: int = 10,
    ranked: int = 1000,
    draws: int = 20,
    seed: int = 0,
) -> NetworkSimilarity:
    """Compares two networks on the same inputs, in one pass over them.

    Args:
        first, second: networks in the mode that they are to be compared in, on the inputs' device.
        batches: inputs (n, ...), n >= 4 each, as either network takes them.
        first_depths, second_depths: names of depths, `lggkit.latents.default_depths` where left out.
        k: neighbours of the overlap.
        ranked: the most samples that neighbours are ranked among and that linear maps are fitted and tested
            on, half each: the first ones.
        draws: permutations that chance is the mean of, from ``seed``.

    Raises:
        ValueError: there are fewer than 2k + 4 samples, or what the parts refuse.
        TypeError: a batch is no floating-point tensor.
    """
    names = tuple(first_depths or default_depths(first)), tuple(second_depths or default_depths(second))
    generator = torch.Generator().manual_seed(seed)
    aligned, features, count = BatchedCKA(draws, generator), ([], []), 0
    for sides in _passes((first, second), names, batches):
        aligned.update(*sides)
        if count < ranked:
            for rows, side in zip(features, sides, strict=True):
                rows.append([pooled(z).cpu() for z in side])
        count += len(sides[0][0])
    if count < 2 * k + 4:
        raise ValueError(f"there are {count} samples for {k} neighbours; give at least {2 * k + 4}")
    mine, theirs = ([torch.cat(depth)[:ranked] for depth in zip(*rows, strict=True)] for rows in features)
    overlap, by_chance = overlap_of_depths(mine, theirs, k, draws=draws, generator=generator)
    varied = torch.stack([_varies(x) for x in mine])[:, None] & torch.stack([_varies(y) for y in theirs])
    order = torch.randperm(len(mine[0]), generator=generator)
    explained = _explained(mine, [*theirs, *(z[order] for z in theirs)])
    return NetworkSimilarity(
        *names,
        count,
        cka=aligned.value().cpu(),
        overlap=overlap.where(varied, 0.0),
        r2=explained[:, : len(theirs)],
        cka_chance=aligned.null().mean(0).cpu(),
        overlap_chance=by_chance.mean(0).where(varied, 0.0),
        r2_chance=explained[:, len(theirs) :],
    )


def _passes(
    networks: Sequence[nn.Module], depths: Sequence[Sequence[str]], batches: Iterable[Tensor]
) -> Iterator[list[list[Tensor]]]:
    """The latents of either network's depths, a batch at a time."""
    for batch in batches:
        inputs = floats(batch, "batch")
        yield [
            list(latents(network, inputs, names).values())
            for network, names in zip(networks, depths, strict=True)
        ]


def pooled(latents: Tensor) -> Tensor:
    """Latents (n, d): maps (n, d, h, w) and tokens (n, t, d) averaged over places."""
    if latents.ndim == 3:
        return latents.mean(1)
    return latents.flatten(2).mean(2) if latents.ndim > 3 else latents


def _varies(x: Tensor) -> Tensor:
    """Whether latents (n, d) differ by more than rounding."""
    return spread(x - x.mean(0), x, 0).any()


def _explained(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """R² (depths, depths') of ridge maps, fitted on every other sample and tested on the rest."""
    wanted = torch.cat(list(second), 1).double()
    widths = [z.shape[1] for z in second]
    return torch.stack([_row(x.double(), wanted, widths) for x in first])


def _row(x: Tensor, wanted: Tensor, widths: Sequence[int]) -> Tensor:
    ridge = RIDGE * float((x[::2] - x[::2].mean(0)).square().sum()) / x.shape[1]
    linear = LinearFit(ridge or 1.0, intercept=True).update(x[::2], wanted[::2]).solve()
    predicted, tested = linear(x[1::2]).split(widths, 1), wanted[1::2].split(widths, 1)
    return torch.stack([_score(p, y) for p, y in zip(predicted, tested, strict=True)])


def _score(predicted: Tensor, y: Tensor) -> Tensor:
    """R²; 0 where there is nothing to explain."""
    return r2_score(predicted, y) if bool(_varies(y)) else y.new_zeros(())


def batched(samples: Tensor, size: int) -> Iterator[Tensor]:
    """Batches of a tensor of samples; a last one that is too small for CKA joins the one before."""
    ends = [*range(size, len(samples) - 3, size), len(samples)]
    return (samples[a:b] for a, b in itertools.pairwise([0, *ends]))
