import errno
import os
import resource
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from lggkit.training import CheckpointDamaged, CheckpointError, read_checkpoint, write_checkpoint
from lggkit.training.checkpoint import _encode, check_identity

STATE = {"step": 3, "model": {"w": torch.arange(6.0)}, "curves": {"loss": [1.0, 0.5]}, "none": None}


def test_what_is_written_is_read(tmp_path):
    write_checkpoint(tmp_path / "new" / "run.pt", STATE)
    state = read_checkpoint(tmp_path / "new" / "run.pt")
    assert torch.equal(state["model"].pop("w"), STATE["model"]["w"])
    assert state == {**STATE, "model": {}}
    assert os.listdir(tmp_path / "new") == ["run.pt"]


def test_no_code_is_unpickled(tmp_path):
    class Code:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    (tmp_path / "run.pt").write_bytes(_encode({"evil": Code()}))
    with pytest.raises(Exception, match="Weights only"):
        read_checkpoint(tmp_path / "run.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [np.ones(2), np.float64(1), Path("a"), {1: [Counter()]}])
def test_what_could_not_be_read_is_not_written(tmp_path, value):
    said = r"the state\['model'\]\['w'\].* is a \w+, which no checkpoint can hold; give tensors"
    with pytest.raises(TypeError, match=said):
        write_checkpoint(tmp_path / "run.pt", {**STATE, "model": {"w": value}})
    assert not os.listdir(tmp_path)


def test_a_folder_or_a_foreign_file_is_no_damaged_checkpoint(tmp_path):
    torch.save({"w": torch.ones(2)}, tmp_path / "weights.pt")
    for path in (tmp_path, tmp_path / "weights.pt"):
        with pytest.raises(CheckpointError, match=r"no checkpoint[,;].* give") as caught:
            read_checkpoint(path)
        assert not isinstance(caught.value, CheckpointDamaged)


def test_every_truncation_is_named(tmp_path):
    path = tmp_path / "run.pt"
    write_checkpoint(path, STATE)
    whole = path.read_bytes()
    for length in (0, 5, 30, 60, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointDamaged, match=r"run\.pt is .*delete it"):
            read_checkpoint(path)


def test_a_single_altered_bit_is_named(tmp_path):
    path = tmp_path / "run.pt"
    write_checkpoint(path, STATE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointDamaged, match="truncated or altered"):
        read_checkpoint(path)


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, monkeypatch, place):
    path = tmp_path / "run.pt"
    write_checkpoint(path, STATE)

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, place, full)
    with pytest.raises(CheckpointError, match=r"run\.pt \(No space left on device\); the checkpoint before"):
        write_checkpoint(path, {**STATE, "step": 4})
    assert read_checkpoint(path)["step"] == 3
    assert os.listdir(tmp_path) == ["run.pt"]


def test_a_file_that_found_room_in_part_is_removed(tmp_path):
    path = tmp_path / "run.pt"
    write_checkpoint(path, STATE)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(
            CheckpointError, match=r"run\.pt \(File too large\); the checkpoint before it is kept"
        ):
            write_checkpoint(path, {**STATE, "step": 4})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_checkpoint(path)["step"] == 3
    assert os.listdir(tmp_path) == ["run.pt"]


def test_another_training_is_refused_with_both_values(tmp_path):
    check_identity("run.pt", {"seed": 1, "tag": ""}, {"tag": "", "seed": 1})
    with pytest.raises(CheckpointError, match=r"seed is 1 there and 2 here"):
        check_identity("run.pt", {"seed": 1}, {"seed": 2})
    with pytest.raises(CheckpointError, match="tag is None there and 'a' here"):
        check_identity("run.pt", {}, {"tag": "a"})


def test_other_sub_batches_are_another_training_but_older_files_name_none():
    check_identity("run.pt", {"seed": 1}, {"seed": 1, "sub_batch": 4})
    for found in (None, 2):
        with pytest.raises(CheckpointError, match=f"sub_batch is {found} there and 4 here"):
            check_identity("run.pt", {"sub_batch": found}, {"sub_batch": 4})
