"""Similarities of networks against the usual ways: CKA of all depths, and a matrix of dissimilarities.

The usual CKA forms, for every batch and pair of depths, the second Gram matrix and two estimates of HSIC
anew, as the tools do that hook two networks. Ours forms and centres one Gram matrix a depth. The
dissimilarities are those of NumPy's `corrcoef`, which copies the features in float64; ours takes a block of
features at a time. Networks run before the clock starts, so that what is timed is the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from usual import alternate, row, timed

from lggkit.similarity import BatchedCKA, compute_rdm

DEPTHS, BATCH, BATCHES, WIDTH = 17, 256, 4, 512
STIMULI, FEATURES = 1916, 20_000
SMALLEST = {"cka": 10.0, "rdm": 1.2}
ROUNDS = 3
TOLERANCE = 1e-4
Batch = tuple[list[Tensor], list[Tensor]]


def run() -> list[dict]:
    """A row for CKA of all pairs of depths, one for the matrix of dissimilarities."""
    return [all_depths(), dissimilarities()]


def latents() -> list[Batch]:
    """Batches of the depths of two networks, as ``[(first, second), ...]``."""
    source = torch.Generator().manual_seed(0)
    drawn = torch.randn(BATCHES, 2, DEPTHS, BATCH, WIDTH, generator=source)
    mixed = drawn + drawn[:, :1, :1]
    return [(list(first), list(second)) for first, second in mixed]


def all_depths() -> dict:
    batches = latents()
    sides = [lambda: in_one_pass(batches), lambda: pair_by_pair(batches)]
    equal = torch.allclose(*(side().double() for side in sides), atol=TOLERANCE)
    ours, reference = alternate([lambda side=side: timed(side) for side in sides], ROUNDS)
    name = f"CKA of {DEPTHS} x {DEPTHS} depths, {BATCHES * BATCH} images"
    return row(name, ours, reference, equal, "cpu", smallest_ratio=SMALLEST["cka"])


def in_one_pass(batches: Sequence[Batch]) -> Tensor:
    kept = BatchedCKA()
    for first, second in batches:
        kept.update(first, second)
    return kept.value()


def pair_by_pair(batches: Sequence[Batch]) -> Tensor:
    """CKA of all pairs, from two estimates of HSIC a pair and batch."""
    sums = torch.zeros(3, DEPTHS, DEPTHS)
    for first, second in batches:
        for i, x in enumerate(first):
            k = x @ x.T
            sums[1, i] += hsic(k, k)
            for j, y in enumerate(second):
                l = y @ y.T
                sums[0, i, j] += hsic(k, l)
                sums[2, i, j] += hsic(l, l)
    return sums[0] / (sums[1] * sums[2]).sqrt()


def hsic(k: Tensor, l: Tensor) -> Tensor:
    """Song's unbiased estimate (2012)."""
    n = len(k)
    k, l = (gram.clone().fill_diagonal_(0) for gram in (k, l))
    ones = torch.ones(n, 1)
    outer = (ones.T @ k @ ones) * (ones.T @ l @ ones) / ((n - 1) * (n - 2))
    inner = 2 / (n - 2) * (ones.T @ k @ l @ ones)
    return ((k @ l).trace() + (outer - inner).squeeze()) / (n * (n - 3))


def dissimilarities() -> dict:
    source = torch.Generator().manual_seed(1)
    features = torch.randn(STIMULI, FEATURES, generator=source) + 1
    sides = [
        lambda: compute_rdm(features),
        lambda: torch.from_numpy(1 - np.corrcoef(features.numpy())).float(),
    ]
    equal = torch.allclose(*(side() for side in sides), atol=TOLERANCE)
    ours, reference = alternate([lambda side=side: timed(side) for side in sides], ROUNDS)
    name = f"dissimilarities of {STIMULI:,} stimuli, {FEATURES:,} features"
    return row(name, ours, reference, equal, "cpu", smallest_ratio=SMALLEST["rdm"])


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
