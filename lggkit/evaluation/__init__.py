"""What a trained network does on a data set: its answers, its errors, its agreement with another network.

Everything waits for the device, since what is given is looked at and what comes out are numbers, but for
``predict`` and ``with_dropout``: none of it belongs into a training step. Classifiers on embeddings, clusters
and correlations of distances are computed on the CPU, by scikit-learn and scipy.
"""

from lggkit.evaluation.accuracy import error_rate, model_error, predict
from lggkit.evaluation.attacks import (
    VanishedGradients,
    deepfool,
    fgsm,
    fgsm_direction,
    misled,
    moved_along,
    pgd,
    snr_epsilon,
    strong,
    vanished_gradients,
)
from lggkit.evaluation.clusters import (
    class_elongation,
    clusters_per_class,
    initial_distance_correlation,
    scatter_ratio,
    silhouette,
)
from lggkit.evaluation.consistency import Consistency, agreement, consistency
from lggkit.evaluation.corruption import corruption_errors
from lggkit.evaluation.corruption_means import (
    LEAST_HARM,
    corruption_error,
    harmful_corruptions,
    mean_corrupted_error,
    mean_corruption_error,
    pooled_relative_corruption_error,
    relative_corruption_error,
    relative_mean_corruption_error,
)
from lggkit.evaluation.deformation import (
    distance_expansion,
    input_margins,
    largest_variation_step,
    margins,
)
from lggkit.evaluation.embeddings import SvcResult, knn_error, linear_probe_error, svc_error
from lggkit.evaluation.perturbations import gaussian_noise, noise_at, quantized, with_dropout

__all__ = [
    "LEAST_HARM",
    "Consistency",
    "SvcResult",
    "VanishedGradients",
    "agreement",
    "class_elongation",
    "clusters_per_class",
    "consistency",
    "corruption_error",
    "corruption_errors",
    "deepfool",
    "distance_expansion",
    "error_rate",
    "fgsm",
    "fgsm_direction",
    "gaussian_noise",
    "harmful_corruptions",
    "initial_distance_correlation",
    "input_margins",
    "knn_error",
    "largest_variation_step",
    "linear_probe_error",
    "margins",
    "mean_corrupted_error",
    "mean_corruption_error",
    "misled",
    "model_error",
    "moved_along",
    "noise_at",
    "pgd",
    "pooled_relative_corruption_error",
    "predict",
    "quantized",
    "relative_corruption_error",
    "relative_mean_corruption_error",
    "scatter_ratio",
    "silhouette",
    "snr_epsilon",
    "strong",
    "svc_error",
    "vanished_gradients",
    "with_dropout",
]
