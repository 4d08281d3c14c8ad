"""The pieces of a ReLU network: patterns, polyhedra, partitions, crossings, affine maps (ebook, article 3).

Plain functions on networks of torch and on tensors. `Cells` holds a copy of a network in float64 in which
ReLUs can be replaced by masks; with them the network is affine, whatever its architecture, and that is all
that cells, partitions and crossings rest on. Linear programs are SciPy's HiGHS, on the processor; patterns
and affine maps of a batch are on any device, and nothing waits for it.
"""

from lggkit.regions.cells import Cell, Cells
from lggkit.regions.maps import local_affine_maps
from lggkit.regions.patterns import activation_patterns, hamming
from lggkit.regions.plane import Piece, Plane, planar_partition, square
from lggkit.regions.polyhedra import Ball, Polyhedron
from lggkit.regions.segments import Crossings, bisection_crossings, segment_crossings
from lggkit.regions.traversal import Enumeration, enumerate_cells

__all__ = [
    "Ball",
    "Cell",
    "Cells",
    "Crossings",
    "Enumeration",
    "Piece",
    "Plane",
    "Polyhedron",
    "activation_patterns",
    "bisection_crossings",
    "enumerate_cells",
    "hamming",
    "local_affine_maps",
    "planar_partition",
    "segment_crossings",
    "square",
]
