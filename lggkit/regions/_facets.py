"""Which rows of ``A x ≤ c`` are facets; rows are of length 1, slacks those of a point in the interior."""

from __future__ import annotations

import numpy as np

from lggkit.regions._programs import TOLERANCE, solve

RAYS_PER_ROW = 4
SAME = 1e-12


def by_programs(rows: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """One linear program for each row that no ray from the point meets first, and that is no duplicate."""
    needed = ~_repeated(rows, slack)
    certain = _met_first(rows, slack, needed)
    ranges = [(None, None)] * rows.shape[1]
    for i in np.flatnonzero(needed & ~certain):
        others = needed.copy()
        others[i] = False
        # The row itself, moved out by one, keeps the program bounded.
        fence = np.vstack([rows[others], rows[i : i + 1]])
        optimum = solve(-rows[i], fence, np.append(slack[others], slack[i] + 1), ranges)
        needed[i] = optimum is None or rows[i] @ optimum > slack[i] + TOLERANCE
    return needed


def by_hull(rows: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Corners of the hull of the dual points ``a_i / slack_i`` and 0, by qhull; programs where it is flat."""
    from scipy.spatial import ConvexHull, QhullError

    distinct, dual = ~_repeated(rows, slack), rows / slack[:, None]
    if rows.shape[1] == 1 or distinct.sum() <= rows.shape[1]:
        return by_programs(rows, slack)
    places = np.flatnonzero(distinct)
    points = np.vstack([dual[distinct], np.zeros(rows.shape[1])])
    try:
        corners = ConvexHull(points).vertices
    except QhullError:
        return by_programs(rows, slack)
    needed = np.zeros(len(rows), dtype=bool)
    needed[places[corners[corners < len(places)]]] = True
    return needed


def _repeated(rows: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Rows that an earlier or a tighter one of the same direction makes superfluous."""
    order = np.lexsort((np.arange(len(rows)), slack))
    repeated, seen = np.zeros(len(rows), dtype=bool), set()
    for i in order:
        direction = tuple(np.round(rows[i] / SAME**0.5).astype(np.int64))
        repeated[i] = direction in seen
        seen.add(direction)
    return repeated


def _met_first(rows: np.ndarray, slack: np.ndarray, distinct: np.ndarray) -> np.ndarray:
    """Rows that a ray from the point meets before any other: along every normal, and along random ones."""
    source = np.random.default_rng(0)
    count = min(RAYS_PER_ROW * len(rows), 4000)
    rays = np.vstack([rows, source.standard_normal((count, rows.shape[1]))])
    met = np.zeros(len(rows), dtype=bool)
    for part in np.array_split(rays, max(1, len(rays) // 512)):
        speed = part @ rows[distinct].T
        with np.errstate(divide="ignore"):
            times = np.where(speed > 0, slack[distinct] / speed, np.inf)
        ordered = np.sort(times, axis=1)[:, :2] if times.shape[1] > 1 else None
        first, nearest = times.argmin(1), times.min(1)
        clear = np.isfinite(nearest)
        if ordered is not None:
            clear &= ~np.isclose(ordered[:, 0], ordered[:, 1], rtol=1e-9)
        met[np.flatnonzero(distinct)[first[clear]]] = True
    return met
