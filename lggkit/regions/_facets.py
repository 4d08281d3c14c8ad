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
    for i in np.flatnonzero(needed & ~certain):
        needed[i] = _sticks_out(rows, slack, needed, i)
    return needed


def by_cones(rows: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Known facets grow from those that rays meet; every other row is asked whether they imply it.

    They do where ``(a_i, slack_i)`` lies in the cone of theirs and ``(0, 1)``, which is the dual of the
    program. Where it does not, the residual is a direction in which a ray meets a new facet first.
    """
    distinct = ~_repeated(rows, slack)
    needed = _met_first(rows, slack, distinct)
    spokes = np.hstack([rows, slack[:, None] / np.median(slack[distinct])])
    spokes /= np.linalg.norm(spokes, axis=1, keepdims=True)
    for i in np.flatnonzero(distinct & ~needed):
        while not needed[i] and (direction := _outside(spokes, needed, i)) is not None:
            first = _first_met(rows, slack, distinct, direction)
            if needed[first]:  # rounding: the direction shows nothing new
                needed[i] = _sticks_out(rows, slack, distinct, i)
                break
            needed[first] = True
    return needed


def _outside(spokes: np.ndarray, needed: np.ndarray, i: int) -> np.ndarray | None:
    """The direction that parts spoke ``i`` from the cone of those needed; None where it lies inside."""
    from scipy.optimize import nnls

    upwards = np.eye(spokes.shape[1])[-1:]
    cone = np.vstack([spokes[needed], upwards]).T
    weights, distance = nnls(cone, spokes[i], maxiter=100 * cone.shape[1])
    return None if distance < TOLERANCE else (spokes[i] - cone @ weights)[:-1]


def _first_met(rows: np.ndarray, slack: np.ndarray, distinct: np.ndarray, direction: np.ndarray) -> int:
    speed = rows @ direction
    with np.errstate(divide="ignore"):
        return int(np.where((speed > 0) & distinct, slack / speed, np.inf).argmin())


def _sticks_out(rows: np.ndarray, slack: np.ndarray, among: np.ndarray, i: int) -> bool:
    """Whether row ``i`` cuts something off what the others among them leave, by a linear program."""
    others = among.copy()
    others[i] = False
    # The row itself, moved out by one, keeps the program bounded.
    fence = np.vstack([rows[others], rows[i : i + 1]])
    optimum = solve(-rows[i], fence, np.append(slack[others], slack[i] + 1), [(None, None)] * rows.shape[1])
    return optimum is None or bool(rows[i] @ optimum > slack[i] + TOLERANCE)


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
