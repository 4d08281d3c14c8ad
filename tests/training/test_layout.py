"""The layout of a training on processors whose library has a fault, and that such trainings go through."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import lggkit
from lggkit.networks import build, convolution
from lggkit.training import TrainConfig, processor, train, train_many

ROOT = Path(lggkit.__file__).parents[1]
CONFIG = TrainConfig(epochs=1, batch_size=8, pad=1)
# Threads that wait actively take the time of those that work where processors are shared.
WAITING = {"OMP_WAIT_POLICY": "passive"}


class Foreign(nn.Module):
    """Somebody else's network with a layer that no one guards."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(2, 6, 1, stride=2)
        self.head = nn.Linear(54, 3)
        self.seen = set()

    def forward(self, x):
        self.seen.add(x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous())
        return self.head(self.narrow(x).flatten(1))


def ours(width=4):
    return build("small_net", seed=0, classes=3, width=width, channels=2)


@pytest.fixture
def spared():
    """A processor that really is unaffected: on another the plain way would corrupt this very process."""
    if convolution.oneDNN_overruns():
        pytest.skip("this processor is affected")


@pytest.fixture(params=[False, True], ids=["unaffected", "affected"])
def affected(monkeypatch, request):
    if not request.param:
        request.getfixturevalue("spared")
    for module in (convolution, processor):
        monkeypatch.setattr(module, "oneDNN_overruns", lambda: request.param)
    return request.param


def test_our_narrow_networks_stay_in_channels_last_and_say_what_they_do(data, affected):
    path = train(ours(), data, CONFIG).path
    assert path.mode == "cpu, float32, channels_last, eager"
    assert ("pixels taken first" in str(path)) == affected
    assert "fault" not in str(train(ours(width=8), data, CONFIG).path)


def test_a_foreign_network_is_trained_in_contiguous_memory(data, affected):
    model = Foreign().to(memory_format=torch.channels_last)
    path = train(model, data, CONFIG).path
    assert (path.layout == "contiguous") == ("contiguous against a fault" in str(path)) == affected
    assert model.seen == {not affected}


def test_a_foreign_network_changes_nothing_for_those_beside_it(data, affected, equal):
    alone = train(ours(), data, CONFIG, seed=1)
    beside = train_many([Foreign(), ours()], data, CONFIG, seeds=[1, 1])[1]
    assert equal(alone.model, beside.model) and alone.path == beside.path


def test_contiguous_was_asked_for(data, affected):
    settings = TrainConfig(epochs=1, batch_size=8, pad=1, channels_last=False)
    assert "contiguous against" not in str(train(Foreign(), data, settings).path)


def test_a_checkpoint_goes_on_where_the_fault_is_another(data, monkeypatch, tmp_path, spared):
    for overruns in (False, True):
        for module in (convolution, processor):
            monkeypatch.setattr(module, "oneDNN_overruns", lambda overruns=overruns: overruns)
        assert train(Foreign(), data, CONFIG, checkpoint=tmp_path / "run.pt").steps == 4


def test_a_network_elsewhere_is_left_alone(monkeypatch):
    monkeypatch.setattr(processor, "oneDNN_overruns", lambda: True)
    path = processor.CodePath(torch.device("cuda"), torch.float32, channels_last=True, compile=False)
    assert processor.guarded(path, Foreign()) == path


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "threads"), [("SSE41", "1"), ("AVX2", "1"), ("AVX2", "2")])
def test_a_study_goes_through_on_smaller_processors(tmp_path, limit, threads):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "paper").symlink_to(ROOT / "data" / "paper", target_is_directory=True)
    smaller = {
        "ONEDNN_MAX_CPU_ISA": limit,
        "OMP_NUM_THREADS": threads,
        "LGGKIT_ROOT": str(tmp_path),
    } | WAITING
    one = ["--experiment", "lgg/s41_distillation", "--arm", "gkd", "--scale", "smoke"]
    command = [sys.executable, "-m", "lggkit", "study", "run", *one, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, env=os.environ | smaller, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "0 runs left" in done.stdout + done.stderr
    assert ("pixels taken first" in done.stdout + done.stderr) == (limit == "AVX2")


@pytest.mark.parametrize("name", ["Foreign()", "ours()"])
def test_a_user_who_trains_by_himself_or_here_is_safe(name):
    code = f"""
import torch, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_layout import Foreign, ours, CONFIG
from conftest import images_of
from lggkit.training import train
for _ in range(5):
    train({name}, images_of(), CONFIG)
    model = ours().to(memory_format=torch.channels_last)
    model(torch.rand(8, 2, 16, 16).to(memory_format=torch.channels_last)).sum().backward()
    kept = [torch.empty(n) for n in range(1, 300, 7)]
"""
    smaller = {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)} | WAITING
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | smaller, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
