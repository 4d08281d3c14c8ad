"""What a trained network does on a data set: its answers, its errors, its agreement with another network.

Everything waits for the device, since what is given is looked at and what comes out are numbers, but for
``predict`` and ``with_dropout``: none of it belongs into a training step. Classifiers on embeddings, clusters
and correlations of distances are computed on the CPU, by scikit-learn and scipy.

Attacks: FGSM at a signal-to-noise ratio is that of paper 1, section 4.3 (as its authors' code has it); PGD,
DeepFool and the minimum-norm attack are foolbox's. Networks are attacked in evaluation mode; their modes,
weights and gradients are as before afterwards. They return logits (n, c), or what
`lggkit.networks.outputs.logits_of` finds them in. Images are floats (n, c, h, w) on the network's device and,
unless said otherwise, in [0, 1], the input normalisation being part of the network; labels are integers (n,)
of any width. Gradients are those of losses that do not saturate, see `lggkit.evaluation.gradients`.
"""

from lggkit.evaluation._attackable import misled
from lggkit.evaluation.accuracy import error_rate, model_error, predict
from lggkit.evaluation.benchmark import corruption_errors
from lggkit.evaluation.clusters import (
    class_elongation,
    clusters_per_class,
    initial_distance_correlation,
    scatter_ratio,
    silhouette,
)
from lggkit.evaluation.consistency import Consistency, agreement, consistency
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
from lggkit.evaluation.descents import deepfool, pgd
from lggkit.evaluation.embedding_detector import EmbeddingDetector, fourier_spectrum
from lggkit.evaluation.embeddings import SvcResult, knn_error, linear_probe_error, svc_error
from lggkit.evaluation.ensemble import strong, strong_images
from lggkit.evaluation.fast_gradient import fgsm, fgsm_direction, moved_along, snr_epsilon
from lggkit.evaluation.gradients import VanishedGradients, vanished_gradients
from lggkit.evaluation.perturbations import gaussian_noise, noise_at, quantized, with_dropout

__all__ = [
    "LEAST_HARM",
    "Consistency",
    "EmbeddingDetector",
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
    "fourier_spectrum",
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
    "strong_images",
    "svc_error",
    "vanished_gradients",
    "with_dropout",
]
