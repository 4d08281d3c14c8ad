"""The pieces of a ReLU network: patterns, polyhedra, partitions, crossings, affine maps (articles 3 and 4).

Plain functions on networks of torch and on tensors. `Cells` holds a copy of a network in float64 in which
ReLUs can be replaced by masks; with them the network is affine, whatever its architecture, and that is all
that cells, partitions and crossings rest on. Linear programs are SciPy's HiGHS, on the processor; patterns
and affine maps of a batch are on any device, and nothing waits for it.
"""

from lggkit.regions.cells import Cell, Cells
from lggkit.regions.enclosed import enclosed_parts
from lggkit.regions.map_alignment import MapAlignment, align_maps, map_fits
from lggkit.regions.map_clusters import MapClusters, cluster_maps
from lggkit.regions.maps import dual_outputs, dual_points, local_affine_maps
from lggkit.regions.patterns import activation_patterns, hamming
from lggkit.regions.plane import Piece, Plane, planar_partition, square
from lggkit.regions.plane_maps import piece_maps
from lggkit.regions.polyhedra import Ball, Polyhedron
from lggkit.regions.segments import Crossings, bisection_crossings, segment_crossings
from lggkit.regions.traversal import Enumeration, enumerate_cells

__all__ = [
    "Ball",
    "Cell",
    "Cells",
    "Crossings",
    "Enumeration",
    "MapAlignment",
    "MapClusters",
    "Piece",
    "Plane",
    "Polyhedron",
    "activation_patterns",
    "align_maps",
    "bisection_crossings",
    "cluster_maps",
    "dual_outputs",
    "dual_points",
    "enclosed_parts",
    "enumerate_cells",
    "hamming",
    "local_affine_maps",
    "map_fits",
    "piece_maps",
    "planar_partition",
    "segment_crossings",
    "square",
]
