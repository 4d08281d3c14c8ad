"""A training that is given too little memory, and then a smaller batch: ``python starved.py MEBIBYTES``."""

from __future__ import annotations

import resource
import sys

import torch

from lggkit.data import DataSet
from lggkit.networks import build
from lggkit.training import OutOfMemory, TrainConfig, train_many


def training(batch_size):
    images = torch.zeros(2048, 1, 8, 8, dtype=torch.uint8)
    labels = torch.arange(2048) % 4
    data = DataSet(images, labels, tuple("abcd"), torch.zeros(1), torch.ones(1), "noise", "train")
    config = TrainConfig(epochs=1, batch_size=batch_size, augment=False)
    models = [build("small_net", seed=seed, classes=4, width=16) for seed in (0, 1)]
    return train_many(models, data.subset(range(batch_size)), config, seeds=[0, 1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    training(8)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20, resource.RLIM_INFINITY))
    try:
        training(2048)
    except OutOfMemory as error:
        print(error)
    print(training(16)[0].steps, "step")
