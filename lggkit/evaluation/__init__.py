"""What a trained network does on a data set: its answers, its errors, its agreement with another network."""

from lggkit.evaluation.accuracy import error_rate, model_error, predict
from lggkit.evaluation.clusters import (
    class_elongation,
    clusters_per_class,
    initial_distance_correlation,
    scatter_ratio,
    silhouette,
)
from lggkit.evaluation.consistency import Consistency, agreement, consistency
from lggkit.evaluation.corruption import (
    corruption_error,
    corruption_errors,
    mean_corrupted_error,
    mean_corruption_error,
    relative_corruption_error,
    relative_mean_corruption_error,
)
from lggkit.evaluation.embeddings import SvcResult, knn_error, linear_probe_error, svc_error

__all__ = [
    "Consistency",
    "SvcResult",
    "agreement",
    "class_elongation",
    "clusters_per_class",
    "consistency",
    "corruption_error",
    "corruption_errors",
    "error_rate",
    "initial_distance_correlation",
    "knn_error",
    "linear_probe_error",
    "mean_corrupted_error",
    "mean_corruption_error",
    "model_error",
    "predict",
    "relative_corruption_error",
    "relative_mean_corruption_error",
    "scatter_ratio",
    "silhouette",
    "svc_error",
]
