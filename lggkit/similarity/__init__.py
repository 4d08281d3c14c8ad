"""Two representations of the same samples: how alike they are, and how one is carried to the other.

Plain functions on tensors, samples in rows. RDMs and their comparison (article 6), CKA without bias, shared
nearest neighbours, both beside permuted samples, and linear maps (article 1). float16 and bfloat16 are
accumulated in float32.
"""

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
from lggkit.similarity.linear import LinearFit, LinearMap, fit_linear_map, mapping_mse, r2_score
from lggkit.similarity.null import Null
from lggkit.similarity.overlap import neighbor_overlap, overlap_with_null
from lggkit.similarity.rdm import category_rdms, compute_rdm, mean_rdm, rdm_matrix, rdm_vector
from lggkit.similarity.rdm_models import WeightedRDM, fit_weighted_rdm

__all__ = [
    "BatchedCKA",
    "LinearFit",
    "LinearMap",
    "Null",
    "Resampled",
    "WeightedRDM",
    "bootstrap_stimuli",
    "category_rdms",
    "cka",
    "cka_with_null",
    "compare_rdms",
    "compare_resampled",
    "compute_rdm",
    "fit_linear_map",
    "fit_weighted_rdm",
    "mapping_mse",
    "mean_rdm",
    "neighbor_overlap",
    "noise_ceiling",
    "overlap_with_null",
    "r2_score",
    "rdm_matrix",
    "rdm_vector",
    "resampled_rdm",
    "subsample_stimuli",
    "without_copies",
]
