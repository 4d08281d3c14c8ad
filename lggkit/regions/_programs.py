"""Linear programs by HiGHS, and how near is near enough."""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-9
"""How far above its bound, in the unit of x, a row has to reach to be a facet."""


ACCURATE, SMALL, FURTHEST = 1e-7, 1e-4, 1e7
"""What a program is exact to, what it is solved again for, and what bounds count as then, in its unit."""
ORDINARY = (1e-2, 1e7)
"""Largest bounds between which a program is solved as it is."""
EMPTY = "the polyhedron is empty; look at its pattern, which no input may have"


def largest_ball(rows: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Centre and radius of the largest ball with ``rows x ≤ bounds``, rows of length 1; None if unbounded.

    A ball that is small in the unit of its program is looked for again, about its centre, in a smaller one.

    Raises:
        ValueError: nothing satisfies the rows.
        RuntimeError: the solver gives up.
    """
    slopes = np.hstack([rows, np.ones((len(rows), 1))])
    goal = np.append(np.zeros(rows.shape[1]), -1.0)
    ranges = [(None, None)] * rows.shape[1] + [(0, None)]
    largest = np.abs(bounds).max(initial=0)
    unit = 1.0 if not largest or ORDINARY[0] <= largest <= ORDINARY[1] else power_below(largest)
    solution = solve(goal, slopes, bounds / unit, ranges)
    if solution is None:
        return None
    center, radius = unit * solution[:-1], unit * solution[-1]
    while radius < SMALL * unit:
        slack, unit = bounds - rows @ center, power_below(max(radius, ACCURATE * unit))
        close = slack < FURTHEST * unit
        if unit * ACCURATE < np.finfo(float).eps * np.abs(np.append(center, bounds[close])).max():
            break
        solution = solve(goal, slopes, np.minimum(slack / unit, FURTHEST), ranges)
        if solution is None:
            break
        center, radius = center + unit * solution[:-1], unit * solution[-1]
    if radius < 0:
        raise ValueError(EMPTY)
    return center, float(radius)


def power_below(value: float) -> float:
    """The power of two next below a positive number: to divide by it changes no digit."""
    return float(2.0 ** np.clip(np.floor(np.log2(value)), -1000, 1000))


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
        raise ValueError(EMPTY)
    if solution.status == 3:
        return None
    if solution.status != 0:
        raise RuntimeError(f"HiGHS gave up: {solution.message}")
    return solution.x
