"""Two representations of the same samples: relative maps, anchors, stitching, retrieval (paper 4).

Plain functions on tensors: samples are rows, (..., n, d), anchors (..., k, d). Gradients are finite also at
zero vectors; float16 and bfloat16 are accumulated in float32 and give float32, float64 stays.
"""

from lggkit.similarity.anchors import choose_anchors
from lggkit.similarity.intertwiners import intertwiner_residual, permutation_diagonal, random_rotation
from lggkit.similarity.relative import RelativeSpace, relative_map, robust_relative_map, stitch
from lggkit.similarity.retrieval import mean_reciprocal_rank, neighbour_jaccard, paired_cosine
from lggkit.similarity.statistics import Statistics

__all__ = [
    "RelativeSpace",
    "Statistics",
    "choose_anchors",
    "intertwiner_residual",
    "mean_reciprocal_rank",
    "neighbour_jaccard",
    "paired_cosine",
    "permutation_diagonal",
    "random_rotation",
    "relative_map",
    "robust_relative_map",
    "stitch",
]
