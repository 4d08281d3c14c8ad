"""Text encoders that fit in seconds: latent semantic analysis of words or characters, and a network on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

VIEWS = {
    "words": {"analyzer": "word", "ngram_range": (1, 1)},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 4)},
}
"""What is counted: whole words, or sequences of three and four characters within words."""


@dataclass(frozen=True, eq=False)
class LatentSemantic:
    """TF-IDF of words or characters, and its leading right singular vectors; fitted by `latent_semantic`."""

    counts: Any
    directions: Any
    scale: float = 1.0

    def __call__(self, texts: Sequence[str], width: int | None = None) -> Tensor:
        """float32 latents (n, d), of the first ``width`` singular vectors."""
        latents = torch.from_numpy(self.directions.transform(self.counts.transform(texts))).float()
        return self.scale * (latents if width is None else latents[:, :width])


def latent_semantic(
    texts: Sequence[str], view: str = "words", width: int = 256, features: int = 20_000, seed: int = 0
) -> LatentSemantic:
    """Fits an encoder to texts, by scikit-learn.

    Latents are scaled by one number, so that their entries have mean square 1 over the texts.

    Args:
        texts: what it is fitted to.
        view: ``"words"`` or ``"characters"``.
        width: of the latents, fewer than features and texts.
        features: how many of the most frequent words or sequences count, at most.
        seed: of the randomised decomposition.

    Raises:
        ValueError: the view is neither, or there are fewer texts or features than ``width``.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    if view not in VIEWS:
        raise ValueError(f"view is {view!r}; choose one of {', '.join(VIEWS)}")
    counts = TfidfVectorizer(max_features=features, sublinear_tf=True, **VIEWS[view])
    weights = counts.fit_transform(texts)
    if min(weights.shape) <= width:
        raise ValueError(f"width is {width} of {weights.shape} texts and features; choose a smaller one")
    directions = TruncatedSVD(width, n_iter=2, random_state=seed).fit(weights)
    latents = directions.transform(weights)
    return LatentSemantic(counts, directions, float((latents**2).mean() ** -0.5))


class StackedLinear(nn.Module):
    """As many linear layers as there are encoders, each on its own inputs: (e, n, d) to (e, n, h).

    ``weight`` is (e, h, d), ``bias`` (e, h, 1).
    """

    def __init__(self, encoders: int, width: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = width**-0.5
        draws = torch.rand(encoders, outputs, width + 1, generator=generator)
        weight, bias = (bound * (2 * draws - 1)).split([width, 1], 2)
        self.weight, self.bias = nn.Parameter(weight.contiguous()), nn.Parameter(bias.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        # Few outputs: this order is three times as fast as x @ weight.
        return torch.baddbmm(self.bias, self.weight, x.mT).mT


class StackedNetworks(nn.Sequential):
    """A hidden layer with GELU and one of latents for each encoder: (e, n, d) to (e, n, h)."""

    def __init__(self, encoders: int, width: int, hidden: int, generator: torch.Generator) -> None:
        first = StackedLinear(encoders, width, hidden, generator)
        super().__init__(first, nn.GELU(), StackedLinear(encoders, hidden, hidden, generator))
