import contextlib
import errno
import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import lggkit
from lggkit.training import OutOfMemory, TrainConfig, train, train_many
from lggkit.training.memory import is_out_of_memory, out_of_memory

STARVED = Path(__file__).with_name("starved.py")
CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
    "allocate 2040109465 bytes. Error code 12 (Cannot allocate memory)"
)
GPU = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total of 80 GiB")
LACKS = [
    (CPU, "out of memory (1.9 GiB more were asked for)"),
    (GPU, "out of memory (20.00 MiB more were asked for)"),
    (MemoryError(), "out of memory"),
    (
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        "out of memory",
    ),
    (RuntimeError("std::bad_alloc"), "out of memory"),
    (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "out of memory"),
    (OutOfMemory("out of memory on a toaster"), "out of memory on a toaster"),
]


def config(**settings):
    return TrainConfig(**{"epochs": 3, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


def failing(error, step):
    def objective(latents, logits, labels, batch):
        if batch.step == step:
            raise error
        return F.cross_entropy(logits, labels)

    return objective


@pytest.mark.parametrize(("error", "told"), LACKS)
def test_every_lack_of_memory_is_recognised_and_told(error, told):
    assert is_out_of_memory(error) and out_of_memory(error) == told


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shape mismatch"),
        OSError(errno.ENOSPC, "full"),
        ValueError("out of memory"),
        KeyError("x"),
    ],
)
def test_other_errors_are_not_and_pass_unchanged(data, make_net, error):
    assert not is_out_of_memory(error)
    with pytest.raises(type(error)) as caught:
        train(make_net(), data, config(), objective=failing(error, 1))
    assert caught.value is error


@pytest.mark.parametrize("error", [CPU, GPU, MemoryError()])
def test_a_training_tells_what_was_seen_and_what_to_change(data, make_net, error):
    with pytest.raises(OutOfMemory) as alone:
        train(make_net(), data, config(), objective=failing(error, 1))
    with pytest.raises(OutOfMemory) as together:
        train_many([make_net(), make_net(1)], data, config(), seeds=[0, 1], objectives=failing(error, 1))
    what = out_of_memory(error)
    assert str(alone.value) == f"{what} on cpu, training one model with batches of 8: use a smaller batch"
    assert str(together.value) == (
        f"{what} on cpu, training 2 models together with batches of 8: "
        "train fewer together or use a smaller batch"
    )


def test_checkpoints_are_kept_and_fewer_go_on_from_them(data, make_net, equal, tmp_path):
    files, models = [tmp_path / "a.pt", tmp_path / "b.pt"], [make_net(), make_net(1)]
    arguments = {"seeds": [0, 1], "checkpoints": files, "checkpoint_every": 2}
    with pytest.raises(OutOfMemory):
        train_many(models, data, config(), objectives=[None, failing(CPU, 7)], **arguments)
    made = []
    for seed, file in enumerate(files):
        again = train(make_net(seed), data, config(), seed=seed, checkpoint=file, after_step=made.append)
        assert equal(again.model, train(make_net(seed), data, config(), seed=seed).model)
    assert len(made) == (12 - 8) + (12 - 6)


def test_nothing_of_the_failed_training_stays_alive(data, make_net):
    model = make_net()
    reference = weakref.ref(model)
    with contextlib.suppress(OutOfMemory):
        train(model, data, config(), objective=failing(MemoryError(), 1))
    del model
    gc.collect()
    assert reference() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux to limit memory")
def test_with_too_little_memory_a_process_says_so_and_goes_on():
    environment = {**os.environ, "PYTHONPATH": str(Path(lggkit.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(STARVED), "60"]
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=120, text=True)
    assert ended.returncode == 0, ended.stderr
    said, went_on = ended.stdout.splitlines()
    assert said.startswith("out of memory") and "training 2 models together with batches of 2048" in said
    assert went_on == "1 step"
