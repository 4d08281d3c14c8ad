"""Two representations of the same samples: how alike they are, and how one is carried to the other.

Plain functions on tensors, samples in rows. RDMs and their comparison (article 6), CKA without bias, shared
nearest neighbours, both beside permuted samples, linear maps (article 1), relative maps, anchors, stitching
and retrieval (paper 4). RDMs from features, CKA, linear maps and what draws at random wait for the device;
relative maps and retrieval do not. Gradients of relative maps are finite also at zero vectors. float16 and
bfloat16 are accumulated in float32.
"""

from lggkit.similarity.anchors import choose_anchors
from lggkit.similarity.cka import BatchedCKA, cka, cka_with_null
from lggkit.similarity.comparison import compare_rdms
from lggkit.similarity.inference import (
    Resampled,
    bootstrap_stimuli,
    compare_resampled,
    noise_ceiling,
    resampled_rdm,
    subsample_stimuli,
    without_copies,
)
from lggkit.similarity.intertwiners import intertwiner_residual, permutation_diagonal, random_rotation
from lggkit.similarity.linear import LinearFit, LinearMap, fit_linear_map, mapping_mse, r2_score
from lggkit.similarity.null import Null
from lggkit.similarity.overlap import neighbor_overlap, overlap_of_depths, overlap_with_null
from lggkit.similarity.rdm import category_rdms, compute_rdm, mean_rdm, rdm_matrix, rdm_vector
from lggkit.similarity.rdm_models import WeightedRDM, fit_weighted_rdm
from lggkit.similarity.relative import RelativeSpace, relative_map, robust_relative_map, stitch
from lggkit.similarity.retrieval import mean_reciprocal_rank, neighbour_jaccard, paired_cosine
from lggkit.similarity.statistics import Statistics
from lggkit.similarity.within import compare_within

__all__ = [
    "BatchedCKA",
    "LinearFit",
    "LinearMap",
    "Null",
    "RelativeSpace",
    "Resampled",
    "Statistics",
    "WeightedRDM",
    "bootstrap_stimuli",
    "category_rdms",
    "choose_anchors",
    "cka",
    "cka_with_null",
    "compare_rdms",
    "compare_resampled",
    "compare_within",
    "compute_rdm",
    "fit_linear_map",
    "fit_weighted_rdm",
    "intertwiner_residual",
    "mapping_mse",
    "mean_rdm",
    "mean_reciprocal_rank",
    "neighbor_overlap",
    "neighbour_jaccard",
    "noise_ceiling",
    "overlap_of_depths",
    "overlap_with_null",
    "paired_cosine",
    "permutation_diagonal",
    "r2_score",
    "random_rotation",
    "rdm_matrix",
    "rdm_vector",
    "relative_map",
    "resampled_rdm",
    "robust_relative_map",
    "stitch",
    "subsample_stimuli",
    "without_copies",
]
