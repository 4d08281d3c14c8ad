import dataclasses
import errno
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import lggkit
from lggkit.durable import draft
from lggkit.training import CheckpointError, OneCycle, Restart, TrainConfig, checkpoint, pace, train

KILLED = Path(__file__).with_name("killed.py")


def config(**settings):
    schedule = settings.pop("schedule", OneCycle())
    return TrainConfig(
        **{"epochs": 3, "batch_size": 8, "pad": 1, "learning_rate": 0.05, "schedule": schedule, **settings}
    )


def dying(step):
    def objective(latents, logits, labels, batch):
        if batch.step == step:
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels)

    return objective


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("step", [1, 3, 4, 6, 9, 11])
def test_killed_at_any_step_it_ends_with_the_same_bits(data, make_net, equal, tmp_path, optimizer, step):
    settings = config(schedule=Restart((1, 2), 0.5), optimizer=optimizer)
    arguments = {"evaluate": data, "evaluate_every": 1, "taps": ["maps"]}
    straight = train(make_net(dropout=0.3), data, settings, **arguments)
    saved = {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 2, **arguments}
    with pytest.raises(KeyboardInterrupt):
        train(make_net(dropout=0.3), data, settings, objective=dying(step), **saved)
    resumed = train(make_net(seed=8 if step > 1 else 0, dropout=0.3), data, settings, **saved)
    assert equal(resumed.model, straight.model)
    assert resumed.curves == straight.curves and resumed.steps == 12


class Remembering(nn.Module):
    """Cross-entropy times the number of the step, which is a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("made", torch.zeros(()))
        self.register_buffer("passing", torch.zeros(()), persistent=False)

    def forward(self, latents, logits, labels, batch):
        if batch.step == 6 and self.dies:
            raise KeyboardInterrupt
        self.made += 1
        return self.made * F.cross_entropy(logits, labels)

    dies = False


def test_buffers_of_an_objective_are_kept(data, make_net, equal, tmp_path):
    straight = train(make_net(), data, config(), objective=Remembering())
    dying_one = Remembering()
    dying_one.dies, saved = True, {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 2}
    with pytest.raises(KeyboardInterrupt):
        train(make_net(), data, config(), objective=dying_one, **saved)
    later = Remembering()
    resumed = train(make_net(), data, config(), objective=later, **saved)
    assert equal(resumed.model, straight.model) and float(later.made) == 12


def test_it_does_not_make_the_saved_steps_again(data, make_net, tmp_path, monkeypatch):
    monkeypatch.setattr(pace, "SECONDS_APART", 0)
    file, made = tmp_path / "run.pt", []

    def counting(latents, logits, labels, batch):
        made.append(batch.step)
        return F.cross_entropy(logits, labels)

    with pytest.raises(KeyboardInterrupt):
        train(make_net(), data, config(), objective=dying(6), checkpoint=file)
    train(make_net(), data, config(), objective=counting, checkpoint=file)
    assert made == list(range(4, 12))


def test_a_finished_training_is_only_read(data, make_net, equal, tmp_path):
    file = tmp_path / "run.pt"
    first = train(make_net(), data, config(), checkpoint=file)
    written = file.stat().st_mtime_ns
    again = train(make_net(seed=3), data, config(), checkpoint=file, objective=dying(0))
    assert equal(first.model, again.model) and again.seconds == first.seconds > 0
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("cut", [0, 100, -1])
def test_a_truncated_checkpoint_is_named_set_aside_and_training_begins_again(
    data, make_net, equal, tmp_path, cut
):
    file = tmp_path / "run.pt"
    first = train(make_net(), data, config(), checkpoint=file)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.warns(RuntimeWarning, match=r"run\.pt is .* kept as run\.pt\.damaged"):
        again = train(make_net(), data, config(), checkpoint=file)
    assert equal(first.model, again.model) and "the checkpoint was damaged" in str(again.path)
    assert file.with_name("run.pt.damaged").exists()


def test_a_folder_or_a_file_of_weights_is_left_where_it_is(data, make_net, tmp_path):
    model, weights = make_net(), tmp_path / "weights.pt"
    torch.save(model.state_dict(), weights)
    for path in (tmp_path, weights):
        with pytest.raises(CheckpointError, match=r"no checkpoint[,;].* give"):
            train(model, data, config(), checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["weights.pt"]


def test_the_checkpoint_of_other_sub_batches_is_refused(make_data, make_net, tmp_path):
    data = make_data(28)
    even = dataclasses.replace(data, labels=torch.arange(28) % 4, classes=tuple("abcd"))
    model = nn.Sequential(nn.Flatten(), nn.Linear(72, 4))
    settings, file = config(drop_last=True), tmp_path / "run.pt"
    train(model, dataclasses.replace(even, sub_batch=2), settings, checkpoint=file)
    for other in (None, 1):
        with pytest.raises(CheckpointError, match=f"sub_batch is 2 there and {other} here"):
            train(model, dataclasses.replace(even, sub_batch=other), settings, checkpoint=file)


class Counted(nn.Linear):
    """A layer that keeps how often it was called."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return super().forward(x.flatten(1))

    def get_extra_state(self):
        return self.calls

    def set_extra_state(self, state):
        self.calls = state


def test_a_model_with_extra_state_is_trained_and_continued(data, tmp_path):
    file = tmp_path / "run.pt"
    with pytest.raises(KeyboardInterrupt):
        train(Counted(72, 3), data, config(), checkpoint=file, checkpoint_every=1, objective=dying(5))
    ended = train(Counted(72, 3), data, config(), checkpoint=file).model
    assert ended.calls == 12


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"config": config(learning_rate=0.1)}, "config.learning_rate is 0.05 there and 0.1 here"),
        ({"config": config(schedule=OneCycle(warmup=0.2))}, "config.schedule is "),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"tag": "other"}, "tag is '' there and 'other' here"),
        ({"taps": ["maps"]}, "taps is "),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(data, make_net, tmp_path, change, named):
    file = tmp_path / "run.pt"
    train(make_net(), data, config(), checkpoint=file)
    arguments = {"config": config(), **change}
    with pytest.raises(CheckpointError, match=named):
        train(make_net(), data, checkpoint=file, **arguments)


def test_other_data_or_another_network_are_refused(data, make_data, make_net, tmp_path):
    file = tmp_path / "run.pt"
    train(make_net(), data, config(), checkpoint=file)
    with pytest.raises(CheckpointError, match="data is 'tiny/train/28/"):
        train(make_net(), make_data(seed=4), config(), checkpoint=file)
    turned = {"images": data.images.flip(0)}, {"images": data.images.flip(3)}
    for changed in ({"labels": data.labels.flip(0)}, *turned):
        with pytest.raises(CheckpointError, match="data is 'tiny/train/28/"):
            train(make_net(), dataclasses.replace(data, **changed), config(), checkpoint=file)
    frozen = make_net()
    frozen.conv.requires_grad_(False)
    with pytest.raises(CheckpointError, match="network is "):
        train(frozen, data, config(), checkpoint=file)
    wider = make_net()
    wider.register_buffer("extra", data.mean)
    with pytest.raises(CheckpointError, match="network is "):
        train(wider, data, config(), checkpoint=file)


def test_a_disk_that_fills_up_keeps_the_checkpoint_before(data, make_net, equal, tmp_path, monkeypatch):
    file, straight = tmp_path / "run.pt", train(make_net(), data, config())
    write, calls = checkpoint.write_whole, []

    def full(path, content):
        calls.append(path)
        if len(calls) == 2:
            with draft(path) as beside:
                beside.write_bytes(content[:50])
                raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(pace, "SECONDS_APART", 0)
    monkeypatch.setattr(checkpoint, "write_whole", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        train(make_net(), data, config(), checkpoint=file)
    assert os.listdir(tmp_path) == ["run.pt"]
    assert equal(train(make_net(), data, config(), checkpoint=file).model, straight.model)


def test_killed_without_warning_it_ends_with_the_same_bits(equal, tmp_path):
    spec = importlib.util.spec_from_file_location("killed", KILLED)
    killed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(killed)
    file, root = tmp_path / "run.pt", Path(lggkit.__file__).parents[1]
    command = [sys.executable, str(KILLED), str(file), "5"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    ended = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert checkpoint.read_checkpoint(file)["step"] == 4
    resumed, straight = killed.training(file), killed.training(tmp_path / "straight.pt")
    assert equal(resumed.model, straight.model) and resumed.curves == straight.curves
