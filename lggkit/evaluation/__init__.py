"""What a trained network does on a data set: its answers, its errors, its agreement with another network."""

from lggkit.evaluation.accuracy import error_rate, model_error, predict
from lggkit.evaluation.consistency import Consistency, agreement, consistency
from lggkit.evaluation.corruption import (
    corruption_error,
    corruption_errors,
    mean_corrupted_error,
    mean_corruption_error,
    relative_corruption_error,
    relative_mean_corruption_error,
)

__all__ = [
    "Consistency",
    "agreement",
    "consistency",
    "corruption_error",
    "corruption_errors",
    "error_rate",
    "mean_corrupted_error",
    "mean_corruption_error",
    "model_error",
    "predict",
    "relative_corruption_error",
    "relative_mean_corruption_error",
]
