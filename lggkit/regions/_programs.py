"""Linear programs by HiGHS, and how near is near enough."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-9
"""How far above its bound, in the unit of x, a row has to reach to be a facet."""


def solve(goal: np.ndarray, rows: np.ndarray, bounds: np.ndarray, ranges: list) -> np.ndarray | None:
    """``argmin goal · x`` with ``rows x ≤ bounds`` by HiGHS; None where it is unbounded.

    Raises:
        ValueError: nothing satisfies the rows.
        RuntimeError: the solver gives up.
    """
    from scipy.optimize import linprog

    solution = linprog(
        goal, A_ub=rows if len(rows) else None, b_ub=bounds if len(rows) else None, bounds=ranges
    )
    if solution.status == 2:
        raise ValueError("the polyhedron is empty; look at its pattern, which no input may have")
    if solution.status == 3:
        return None
    if solution.status != 0:
        raise RuntimeError(f"HiGHS gave up: {solution.message}")
    return solution.x
