"""What a trained network does on a data set: its answers, its errors, its agreement with another network."""

from lggkit.evaluation.accuracy import error_rate, model_error, predict
from lggkit.evaluation.consistency import Consistency, agreement, consistency

__all__ = ["Consistency", "agreement", "consistency", "error_rate", "model_error", "predict"]
