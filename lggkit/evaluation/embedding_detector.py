"""Detectors of attacks on embeddings: a linear SVM, its AUROC, and Fourier spectra (article 1)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lggkit.evaluation import _given
from lggkit.evaluation._arrays import rows
from lggkit.graph._precision import accumulating, one_of

SPECTRA = ("magnitude", "phase")


class EmbeddingDetector:
    """A linear support vector machine that tells embeddings of attacked images from those of clean ones.

    Scores are signed distances to its plane, up to a scale: higher is more like the attacked ones. The loss
    is the squared hinge of `sklearn.svm.LinearSVC`, solved in the primal.

    Args:
        c: the weight C > 0 of the errors beside the margin.
        standardise: whether features have mean 0 and variance 1 over what is fitted; constant ones stay.

    Raises:
        TypeError, ValueError: ``c`` is no positive number.
    """

    def __init__(self, c: float = 1.0, standardise: bool = True) -> None:
        self.c, self.standardise = _given.number("c", c), standardise
        self._fitted: Any = None

    def fit(self, clean: Tensor, attacked: Tensor) -> EmbeddingDetector:
        """The detector of these embeddings (n, d) and (n', d).

        Raises:
            ValueError: widths differ, one of them has no entry, or an entry is not finite.
            TypeError: one of them is no tensor or not floating point.
        """
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import LinearSVC

        x, y = _two_classes(clean, attacked)
        svm = LinearSVC(C=self.c, dual=False)
        scaled = [StandardScaler(with_mean=True, with_std=True)] if self.standardise else []
        self._fitted = make_pipeline(*scaled, svm).fit(x, y)
        return self

    def decision_function(self, x: Tensor) -> Tensor:
        """Scores (n,) of embeddings (n, d), in float64 on the CPU.

        Raises:
            ValueError: the width is another, or nothing was fitted.
            TypeError: ``x`` is no tensor or not floating point.
        """
        if self._fitted is None:
            raise ValueError("the detector was fitted to nothing; call fit first")
        points = rows(x).astype(np.float64)
        if points.shape[1] != (d := self._fitted.n_features_in_):
            raise ValueError(f"x has {points.shape[1]} features; the detector was fitted to {d}")
        return torch.from_numpy(self._fitted.decision_function(points))

    def auroc(self, clean: Tensor, attacked: Tensor) -> float:
        """The area under the ROC curve of the scores: how often an attacked image scores above a clean one.

        In [0, 1]; 0.5 for chance. Errors are those of `decision_function`.
        """
        from scipy.stats import rankdata

        low, high = (scores.numpy() for scores in self._scored(clean, attacked))
        ranks = rankdata(np.concatenate([low, high]))[len(low) :]
        return float((ranks.mean() - (len(high) + 1) / 2) / len(low))

    def accuracy(self, clean: Tensor, attacked: Tensor) -> float:
        """The share of embeddings on their side of the plane, the mean over both classes, in [0, 1]."""
        low, high = self._scored(clean, attacked)
        return ((low <= 0).double().mean() + (high > 0).double().mean()).item() / 2

    def _scored(self, clean: Tensor, attacked: Tensor) -> list[Tensor]:
        _some_of_each(len(clean), len(attacked))
        return [self.decision_function(x) for x in (clean, attacked)]


def fourier_spectrum(x: Tensor, kind: str = "magnitude") -> Tensor:
    """Magnitudes or phases of the Fourier transform over the features (n, d) -> (n, d // 2 + 1).

    The other frequencies of a real signal repeat these. MFS and PFS of article 1, section 2.6, which takes
    the spectrum of a vector where Harder et al. (2021) take that of an image. Phases are in (-π, π].

    Raises:
        ValueError: ``kind`` is neither, or there is no (n, d).
        TypeError: ``x`` is no tensor or not floating point.
    """
    one_of(kind, SPECTRA, "The spectrum")
    x = _given.floats(accumulating(x, "x"), "embeddings")
    if x.ndim != 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; give embeddings (n, d)")
    spectrum = torch.fft.rfft(x)
    if kind == "magnitude":
        return spectrum.abs()
    phases = spectrum.angle()
    return torch.where(phases <= -math.pi, phases + 2 * math.pi, phases)


def _two_classes(clean: Tensor, attacked: Tensor) -> tuple[np.ndarray, np.ndarray]:
    low, high = rows(clean), rows(attacked)
    _some_of_each(len(low), len(high))
    if low.shape[1] != high.shape[1]:
        raise ValueError(
            f"clean embeddings have {low.shape[1]} features and attacked ones {high.shape[1]}; give the same"
        )
    return np.concatenate([low, high]).astype(np.float64), np.repeat((0, 1), [len(low), len(high)])


def _some_of_each(clean: int, attacked: int) -> None:
    if not clean or not attacked:
        raise ValueError(f"there are {clean} clean and {attacked} attacked embeddings; give some of each")
