"""A training holds its data: the folder they came from may go while it runs."""

import hashlib
import shutil

import numpy as np
import pytest
import torch.nn.functional as F

from lggkit.data import DATASETS, DataUnavailable, load
from lggkit.data.catalog import Entry
from lggkit.data.download import OnDisk
from lggkit.data.files import File
from lggkit.training import TrainConfig, train


def parsed(contents):
    content = np.frombuffer(next(iter(contents)), dtype=np.uint8)
    return content.reshape(-1, 2, 6, 6), np.arange(len(content) // 72) % 3


@pytest.fixture
def drive(tmp_path, monkeypatch):
    folder = tmp_path / "drive"
    folder.mkdir()
    files = []
    for name, count in (("train", 28), ("test", 12)):
        content = np.random.default_rng(count).integers(0, 256, (count, 2, 6, 6), dtype=np.uint8).tobytes()
        (folder / name).write_bytes(content)
        files.append((File(name, hashlib.md5(content).hexdigest()),))
    monkeypatch.setitem(DATASETS, "tiny", Entry(tuple("abc"), OnDisk("tiny", *files, (), parsed)))
    monkeypatch.setenv("LGGKIT_DATA", str(folder))
    return folder


def test_it_ends_with_the_same_bits_when_the_folder_goes_while_it_runs(drive, make_net, equal, tmp_path):
    config = TrainConfig(epochs=3, batch_size=8, pad=1, learning_rate=0.05)
    data, test = load("tiny"), load("tiny", train=False)
    straight = train(make_net(), data, config, evaluate=test, evaluate_every=1)

    def unplugging(latents, logits, labels, batch):
        if batch.step == 5:
            shutil.rmtree(drive)
        return F.cross_entropy(logits, labels)

    arguments = {"evaluate": test, "evaluate_every": 1, "checkpoint": tmp_path / "run.pt"}
    result = train(make_net(), data, config, objective=unplugging, **arguments)
    assert not drive.exists() and result.curves == straight.curves and result.steps == 12
    assert equal(result.model, straight.model)
    with pytest.raises(DataUnavailable, match="is missing"):
        load("tiny")
