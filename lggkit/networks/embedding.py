"""Networks whose output is an embedding: the normalisation behind the last layer (paper 2, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lggkit.graph._precision import unit_rows
from lggkit.networks.normalization import prefixed
from lggkit.networks.seeds import derive

NORMALIZATIONS = ("l2", "batch_norm")


class EmbeddingNetwork(nn.Module):
    """A network whose output (n, d) is normalised; ``depths`` (and ``relu_depths``) are the network's own.

    ``l2`` gives vectors of unit length (of length 0 only where the output is 0), in float32 at least.
    ``batch_norm`` gives every dimension mean 0 and variance 1 over the batch and learns no scale, with which
    a loss of distances would be lowered for nothing; in evaluation mode it takes running statistics. None
    leaves the output alone.

    Raises:
        ValueError: there is no such normalisation, or ``batch_norm`` is not given the dimension d >= 1.
    """

    def __init__(self, inner: nn.Module, normalization: str | None = "l2", d: int | None = None) -> None:
        super().__init__()
        if normalization not in (None, *NORMALIZATIONS):
            raise ValueError(
                f"normalization is {normalization!r}; choose None or one of {', '.join(NORMALIZATIONS)}"
            )
        if normalization == "batch_norm" and (d is None or d < 1):
            raise ValueError(f"d is {d}, but batch_norm needs the embedding's dimension; give 1 or more")
        self.inner = inner
        self.normalization = normalization
        self.batch_norm = nn.BatchNorm1d(d, affine=False) if normalization == "batch_norm" else None
        self.depths = prefixed(inner, "depths", "inner")
        self.relu_depths = prefixed(inner, "relu_depths", "inner")

    def forward(self, x: Tensor) -> Tensor:
        output = self.inner(x)
        if self.batch_norm is not None:
            return self.batch_norm(output)
        return output if self.normalization is None else unit_rows(_at_least_float32(output))


def with_embedding(
    inner: nn.Module, normalization: str | None = "l2", d: int | None = None
) -> EmbeddingNetwork:
    """The same network (shared, not copied) with a normalised output; see `EmbeddingNetwork`.

    Args:
        inner: its output is (n, d), such as of ``build(name, classes=d)``.
        normalization: ``"l2"``, ``"batch_norm"`` or None.
        d: the embedding's dimension, for ``"batch_norm"``.
    """
    device = next((p.device for p in inner.parameters()), None)
    return EmbeddingNetwork(inner, normalization, d).to(device)


def _at_least_float32(x: Tensor) -> Tensor:
    return x if x.element_size() >= 4 else x.float()


class Bottleneck(nn.Module):
    """A network's embedding (n, d), the depth ``bottleneck``, and a linear layer from it to the classes.

    The layer's weights depend on ``seed`` alone.
    """

    def __init__(self, inner: nn.Module, d: int, classes: int, seed: int) -> None:
        super().__init__()
        self.inner = inner
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derive(seed, "bottleneck"))
            self.classifier = nn.Linear(d, classes)
        self.depths = prefixed(inner, "depths", "inner") | {"bottleneck": "inner"}
        self.relu_depths = prefixed(inner, "relu_depths", "inner")

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.inner(x))
