"""Correlation of orders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's rank correlation of two sequences, -1 to 1; None where one is constant and has no order.

    Raises:
        ValueError: they differ in length, are shorter than two, or hold what is not finite.
    """
    from scipy.stats import spearmanr

    values = np.array([list(map(float, side)) for side in (x, y)]) if len(x) == len(y) else np.empty((2, 0))
    if values.shape[1] < 2 or not np.isfinite(values).all():
        raise ValueError(f"there are {len(x)} and {len(y)} values; give as many, 2 up, all finite")
    return float(spearmanr(*values).statistic) if np.ptp(values, axis=1).all() else None
