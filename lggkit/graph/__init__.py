"""Graphs of latent representations and what is measured on them (paper 1, sections 3.2 and 3.3).

Plain functions on tensors: samples are rows, (..., n, d), leading dimensions are independent graphs.
Differentiable with finite gradients also at coinciding points, zero vectors and isolated vertices; float16
and bfloat16 are accumulated in float32 and give float32, also under autocast, float64 stays. Shapes are
static and nothing waits for the device (except ``check_nonnegative`` and ``laplacian_eigenmaps``), so that
they compile and can be captured. Whole sets, too large for (n, n), are measured by ``knn_graph`` and
``SparseGraph``, which wait.
"""

from lggkit.graph.blocks import knn_graph
from lggkit.graph.classes import class_indicators, class_mask, inter_class_edges
from lggkit.graph.construct import latent_geometry_graph
from lggkit.graph.depths import depth_variations
from lggkit.graph.distances import median_bandwidth, pairwise_distance
from lggkit.graph.eigenmaps import laplacian_eigenmaps
from lggkit.graph.fiedler import cut_accuracy, fiedler_cut, fiedler_vector
from lggkit.graph.laplacians import degree, laplacian, laplacian_power_product, normalize_adjacency
from lggkit.graph.marginals import knn_marginals
from lggkit.graph.neighbors import knn_mask, symmetrize
from lggkit.graph.similarities import (
    check_nonnegative,
    cosine_similarity,
    flatten,
    rbf_similarity,
    similarity,
)
from lggkit.graph.sparse import SparseGraph
from lggkit.graph.two_sample import (
    TwoSampleTest,
    crossing_weight,
    relabelling_moments,
    two_sample_statistic,
    two_sample_test,
)
from lggkit.graph.variation import label_variation, normalized_label_variation, signal_variation

__all__ = [
    "SparseGraph",
    "TwoSampleTest",
    "check_nonnegative",
    "class_indicators",
    "class_mask",
    "cosine_similarity",
    "crossing_weight",
    "cut_accuracy",
    "degree",
    "depth_variations",
    "fiedler_cut",
    "fiedler_vector",
    "flatten",
    "inter_class_edges",
    "knn_graph",
    "knn_marginals",
    "knn_mask",
    "label_variation",
    "laplacian",
    "laplacian_eigenmaps",
    "laplacian_power_product",
    "latent_geometry_graph",
    "median_bandwidth",
    "normalize_adjacency",
    "normalized_label_variation",
    "pairwise_distance",
    "rbf_similarity",
    "relabelling_moments",
    "signal_variation",
    "similarity",
    "symmetrize",
    "two_sample_statistic",
    "two_sample_test",
]
