"""The graph smoothness loss a pair, of a network apart from its training."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import torch
from torch import nn

from lggkit.experiments.base import Context
from lggkit.experiments.recipes.embedder import Embedder
from lggkit.training import Stream


@torch.no_grad()
def pair_loss(model: nn.Module, embedder: Embedder, seed: int, context: Context, batches: int) -> float:
    """The mean edge weight of the pairs of distinct classes in the first batches of a training.

    Pairs that are no neighbours have weight 0. The model answers in the mode it is in.
    """
    stream = Stream(embedder.images.training(context), embedder.own_training, seed)
    loss = replace(embedder.own_loss, reduction="mean", weight=1.0)
    first = [stream.make(step) for step in range(min(batches, stream.steps_per_epoch))]
    return mean(float(loss.of_batch(model(batch.images), batch.labels)) for batch in first)
