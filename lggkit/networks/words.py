"""A small network on words: an embedding, a mean over the text, a hidden layer and a linear one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PADDING, HEADS = 0, 4
MIXINGS = ("mean", "attention")


class MaskedMean(nn.Module):
    """Mean over the places (n, t, d) of a text that are ``known`` (n, t): (n, d); 0 where none is."""

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        weights = known.unsqueeze(-1).to(x.dtype)
        return (weights * x).sum(1) / weights.sum(1).clamp(min=1)


class SelfAttention(nn.Module):
    """One layer of self-attention with learned positions: ``x + out(softmax(QKᵀ/√h) V)`` of LN(x + p).

    Places that are not known are attended by none. Shapes (n, t, d), t at most ``length``.
    """

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(0.1 * torch.randn(length, width))
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, known: Tensor) -> Tensor:
        x = x + self.positions[: x.shape[1]]
        parts = self.ask(self.norm(x)).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        # A text without any word attends to its padding: a softmax over nothing is no number.
        seen = known | ~known.any(1, keepdim=True)
        mixed = F.scaled_dot_product_attention(*parts, attn_mask=seen[:, None, None])
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class WordNetwork(nn.Module):
    """Ids (n, t), 0 being padding wherever it stands, -> logits (n, classes).

    Words are embedded, with ``mixing="attention"`` they attend to each other, their mean goes through a
    hidden layer with GELU, and a linear layer gives logits. ``depths`` are ``words`` (n, t, width), ``text``,
    the mean, and ``penultimate``, the hidden layer, both (n, width). Padding has no influence; the order of
    words has none with the mean alone.

    Args:
        vocabulary: ids there are, padding included.
        classes: how many.
        width: of the embedding and of the hidden layer; for attention a multiple of 4, its heads.
        mixing: ``"mean"`` or ``"attention"``.
        length: places that attention has positions for.
        seed: of the weights, whatever was drawn before; None draws them from the global state.

    Raises:
        ValueError: there is no such mixing, heads do not divide the width, or (in a pass) ids are not
            (n, t), or longer than ``length``.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        width: int = 256,
        mixing: str = "mean",
        length: int = 48,
        seed: int | None = None,
    ) -> None:
        if mixing not in MIXINGS:
            raise ValueError(f"mixing is {mixing!r}; choose one of {', '.join(MIXINGS)}")
        if mixing == "attention" and width % HEADS:
            raise ValueError(f"width is {width}; give a multiple of the {HEADS} heads")
        super().__init__()
        self.length = length if mixing == "attention" else None
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.default_generator.manual_seed(seed)
            self.embedding = nn.Embedding(vocabulary, width, padding_idx=PADDING)
            self.attention = SelfAttention(width, length) if mixing == "attention" else None
            self.hidden = nn.Sequential(nn.Linear(width, width), nn.GELU())
            self.classifier = nn.Linear(width, classes)
        self.mean = MaskedMean()
        self.depths = {"words": "attention" if self.attention else "embedding"}
        self.depths |= {"text": "mean", "penultimate": "hidden"}

    def forward(self, ids: Tensor) -> Tensor:
        if ids.dim() != 2 or (self.length is not None and ids.shape[1] > self.length):
            room = "" if self.length is None else f", t at most {self.length}"
            raise ValueError(f"ids have shape {tuple(ids.shape)}; give (n, t){room}")
        known = ids != PADDING
        x = self.embedding(ids)
        if self.attention is not None:
            x = self.attention(x, known)
        return self.classifier(self.hidden(self.mean(x, known)))
