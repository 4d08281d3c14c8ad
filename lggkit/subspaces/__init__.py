"""Sets of vectors as the subspaces they span: angles, Schubert varieties of best fit, means, neighbours.

A subspace is an orthonormal basis (n, l), r of them of one dimension a tensor (r, n, l); what is said of one
is the same for every basis of it. Article 5 of "Geometries of learning" asks for a subspace that meets each
of them in a few dimensions, where a mean has to be near the whole of each. Gradients go through angles and
fits; float16 and bfloat16 are accumulated in float32. Everything waits for the device, for decompositions do.
"""

from lggkit.subspaces.angles import principal_angles, schubert_distance, schubert_fit
from lggkit.subspaces.bases import haar_subspaces, orthonormal_basis
from lggkit.subspaces.best_fit import SchubertBestFit
from lggkit.subspaces.means import flag_mean, flag_median
from lggkit.subspaces.neighbors import SubspaceNeighbors, SubspacePrototypes, set_distances
from lggkit.subspaces.nodes import SchubertNode, SquaredCosineHead

__all__ = [
    "SchubertBestFit",
    "SchubertNode",
    "SquaredCosineHead",
    "SubspaceNeighbors",
    "SubspacePrototypes",
    "flag_mean",
    "flag_median",
    "haar_subspaces",
    "orthonormal_basis",
    "principal_angles",
    "schubert_distance",
    "schubert_fit",
    "set_distances",
]
