"""Gaussian normalisation without learned parameters: statistics of a batch, and running ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, number, tensor

EPSILON = 1e-5
"""What is added to a variance, as in torch's batch normalisation."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and variance (..., 1, d) of each feature, and the small constant of the normalisation."""

    mean: Tensor
    variance: Tensor
    epsilon: float = EPSILON

    @classmethod
    def of(cls, x: Tensor, epsilon: float = EPSILON) -> Statistics:
        """Those of samples (..., n, d), n >= 2, the variance with n in the denominator.

        A feature that is the same in every sample has exactly that mean and variance 0, however far it lies
        from zero. Variances beyond 3e38 overflow float32.

        Raises:
            ValueError: there are fewer than two samples, which have no variance, or epsilon is below 0.
            TypeError: ``x`` is no tensor or not floating point.
        """
        if tensor(x, "x").ndim < 2 or x.shape[-2] < 2:
            raise ValueError(f"x has shape {tuple(x.shape)}; statistics need (..., n, d) with n >= 2 samples")
        if not number(epsilon, "epsilon") >= 0:
            raise ValueError(f"epsilon is {epsilon!r}; give a number from 0 on, such as 1e-5")
        x = accumulating(x)
        first = x.mean(-2, keepdim=True)
        # The mean of what is left gives back what rounding took.
        left = x - first
        rest = left.mean(-2, keepdim=True)
        return cls(first + rest, (left - rest).square().mean(-2, keepdim=True), epsilon)

    def moved(self, other: Statistics, momentum: float) -> Statistics:
        """Running statistics: ``(1 - momentum)`` of these and ``momentum`` of a new batch's, detached.

        Raises:
            ValueError: the momentum is not between 0 and 1, or the other statistics have another width.
            TypeError: the momentum is no number.
        """
        if not 0 <= number(momentum, "momentum") <= 1:
            raise ValueError(f"momentum is {momentum}; choose a number from 0 to 1, as the authors' 0.3")
        if other.mean.shape[-1] != self.mean.shape[-1]:
            raise ValueError(
                f"the new statistics have width {other.mean.shape[-1]} and these {self.mean.shape[-1]}; give "
                "those of the same features"
            )
        mean, variance = (
            torch.lerp(old.detach(), new.detach(), momentum)
            for old, new in ((self.mean, other.mean), (self.variance, other.variance))
        )
        return Statistics(mean, variance, self.epsilon)

    def normalize(self, x: Tensor) -> Tensor:
        """``(x - μ) / √(σ² + ε)``, (..., n, d).

        Raises:
            ValueError: ``x`` has another width.
            TypeError: ``x`` is no tensor or not floating point.
        """
        width = self.mean.shape[-1]
        seen = x.shape[-1] if tensor(x, "x").ndim else 0
        if seen != width:
            raise ValueError(f"x has width {seen} and the statistics {width}; give its own")
        return (accumulating(x) - self.mean) * (self.variance + self.epsilon).rsqrt()
