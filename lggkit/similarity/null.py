"""What a similarity is worth beside that of permuted samples."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import integer

ROUNDING = 1e-6
"""By how much equal similarities may differ."""


@dataclass(frozen=True)
class Null:
    """A similarity, and its values (p,) with the samples of one side permuted."""

    value: float
    permuted: Tensor

    @property
    def mean(self) -> float:
        """What chance alone gives."""
        return float(self.permuted.mean())

    @property
    def p_value(self) -> float:
        """The share of permutations that reach the value, itself counted: in (0, 1]; NaN of no value.

        One that differs from the value by rounding alone reaches it: swapped equal samples change nothing.
        """
        reached = self.permuted >= self.value - ROUNDING * max(1.0, abs(self.value))
        known = not (math.isnan(self.value) or bool(self.permuted.isnan().any()))
        return float(1 + reached.sum()) / (1 + len(self.permuted)) if known else math.nan

    @property
    def calibrated(self) -> float:
        """``(value - mean) / (1 - mean)``: 0 at chance and 1 for equal representations."""
        return (self.value - self.mean) / (1 - self.mean) if self.mean < 1 else 0.0


def permutations(n: int, draws: int, generator: torch.Generator | None = None) -> Iterator[Tensor]:
    """So many random orders of n samples, drawn on the CPU."""
    for _ in range(integer(draws, "draws")):
        yield torch.randperm(n, generator=generator)
