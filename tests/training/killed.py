"""A training that kills its own process without warning: ``python killed.py CHECKPOINT STEP``."""

from __future__ import annotations

import os
import signal
import sys

import torch
import torch.nn.functional as F

from lggkit.data import DataSet
from lggkit.networks import build
from lggkit.training import OneCycle, TrainConfig, train


def training(checkpoint, kill_at=None):
    source = torch.Generator().manual_seed(0)
    images = torch.randint(256, (20, 1, 8, 8), generator=source, dtype=torch.uint8)
    data = DataSet(
        images, torch.arange(20) % 4, tuple("abcd"), torch.zeros(1), torch.ones(1), "noise", "train"
    )

    def objective(latents, logits, labels, batch):
        if batch.step == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return F.cross_entropy(logits, labels)

    config = TrainConfig(epochs=3, batch_size=8, pad=1, learning_rate=0.02, schedule=OneCycle())
    model = build("small_net", seed=0, classes=4, width=4)
    return train(model, data, config, objective=objective, checkpoint=checkpoint, checkpoint_every=2)


if __name__ == "__main__":
    training(sys.argv[1], int(sys.argv[2]))
