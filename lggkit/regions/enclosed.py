"""Which parts of the plane a network closes in: connected pieces of one kind that do not reach the rim."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lggkit.regions.plane import Piece

NEAR = 1e-7
"""Corners closer than this share of the polygon's size are one."""


def enclosed_parts(pieces: Sequence[Piece], marks: np.ndarray, corners: np.ndarray) -> int:
    """The number of connected parts of equal mark that do not touch the rim of the polygon.

    Two pieces are neighbours where they share an edge. With the decision as the last unit of a network, its
    bit is the mark, and the parts are those that the network's decision encloses within the polygon.

    Args:
        pieces: of a convex polygon, from `planar_partition`.
        marks: (n,), what must be equal within a part.
        corners: of the polygon, (k, 2) in order.

    Raises:
        ValueError: there are no pieces, or not as many marks.
    """
    if not len(pieces):
        raise ValueError("there are no pieces; give those of a polygon, from planar_partition")
    marks = np.asarray(marks)
    if marks.shape != (len(pieces),):
        raise ValueError(f"marks have shape {marks.shape} for {len(pieces)} pieces; give one a piece")
    size = float(np.ptp(corners, axis=0).max())
    parts = _parts(pieces, marks, NEAR * size)
    reaches = [_gap(piece.vertices, corners) < NEAR * size for piece in pieces]
    return len(set(parts) - {part for part, out in zip(parts, reaches, strict=True) if out})


def _parts(pieces: Sequence[Piece], marks: np.ndarray, near: float) -> np.ndarray:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    owners: dict[tuple[int, int], int] = {}
    joined = []
    for place, names in enumerate(_names(pieces, near)):
        for a, b in zip(names, np.roll(names, -1), strict=True):
            edge = (min(a, b), max(a, b))
            other = owners.setdefault(edge, place)
            if a != b and marks[other] == marks[place]:
                joined.append((other, place))
    pairs = np.array(joined, dtype=int).reshape(-1, 2).T
    links = coo_matrix((np.ones(pairs.shape[1]), pairs), shape=(len(pieces),) * 2)
    return connected_components(links, directed=False)[1]


def _names(pieces: Sequence[Piece], near: float) -> list[np.ndarray]:
    """One number for every corner of every piece; corners that are near have the same."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    points = np.concatenate([piece.vertices for piece in pieces])
    pairs = cKDTree(points).query_pairs(near, output_type="ndarray").T
    links = coo_matrix((np.ones(pairs.shape[1]), pairs), shape=(len(points),) * 2)
    names = connected_components(links, directed=False)[1]
    return np.split(names, np.cumsum([len(piece.vertices) for piece in pieces])[:-1])


def _gap(vertices: np.ndarray, corners: np.ndarray) -> float:
    """The least distance of vertices to the lines of the polygon's sides."""
    along = np.roll(corners, -1, axis=0) - corners
    apart = vertices[:, None] - corners
    crossed = apart[..., 0] * along[:, 1] - apart[..., 1] * along[:, 0]
    return float((np.abs(crossed) / np.linalg.norm(along, axis=1)).min())
