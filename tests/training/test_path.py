"""The path of a training as plain data and as the line that records keep."""

import dataclasses

import pytest
import torch

from lggkit.training import (
    CodePath,
    PathTaken,
    TrainConfig,
    TrainResult,
    read_checkpoint,
    train,
    train_many,
    write_checkpoint,
)

LINES = {
    "cpu, float32, channels_last, eager": PathTaken("cpu"),
    "NVIDIA H100 80GB HBM3, float32 (TF32 convolutions), channels_last, compiled and captured": PathTaken(
        "NVIDIA H100 80GB HBM3", compiled=True, captured=True, tf32=True
    ),
    "cpu, bfloat16, contiguous, compiled: losses differ by 1.0e-03; begun as [cpu, float32, a, b]": PathTaken(
        "cpu",
        "bfloat16",
        "contiguous",
        compiled=True,
        reasons=("losses differ by 1.0e-03", "begun as [cpu, float32, a, b]"),
    ),
}


@pytest.mark.parametrize(("line", "path"), LINES.items())
def test_a_line_and_plain_data_are_read_as_the_path_they_tell(line, path):
    assert str(path) == line and PathTaken.read(line) == path
    assert PathTaken.read(path.plain()) == path and PathTaken.read(path) is path
    assert {type(value) for value in path.plain().values()} <= {str, bool, tuple}


@pytest.mark.parametrize("line", ["cpu", "cpu, float64", ""])
def test_lines_that_say_less_are_read_as_far_as_they_go(line):
    path = PathTaken.read(line)
    assert path.device == line.partition(",")[0] and not path.compiled and path.reasons == ()


@pytest.mark.parametrize("fields", [{}, {"device": "cpu", "speed": 3}])
def test_fields_that_are_no_paths_are_refused(fields):
    with pytest.raises(TypeError):
        PathTaken.read(fields)


def test_a_result_keeps_the_fields_of_its_path(data, make_net):
    settings = TrainConfig(epochs=1, batch_size=8, pad=1, precision="bfloat16", channels_last=False)
    result = train(make_net(), data, settings)
    assert result.path == dataclasses.replace(result.path, device="cpu", layout="contiguous")
    assert result.precision == result.path.precision == "bfloat16"
    assert "bfloat16 was asked for" in result.path.reasons[0]
    for path in (str(result.path), result.path.plain()):
        assert dataclasses.replace(result, path=path) == result


def test_a_path_that_is_taken_does_not_ask_for_its_device_again(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Some GPU")
    monkeypatch.setattr("lggkit.training.processor.has_bfloat16_units", lambda device: True)
    taken = CodePath(torch.device("cuda"), torch.bfloat16, channels_last=True, compile=False).taken
    monkeypatch.undo()
    assert str(taken) == "Some GPU, bfloat16, channels_last, eager"


def test_a_checkpoint_of_an_earlier_version_names_its_path_by_a_line(data, make_net, equal, tmp_path):
    def dies(model):
        dies.steps += 1
        if dies.steps == 5:
            raise KeyboardInterrupt

    dies.steps, file = 0, tmp_path / "run.pt"
    settings = TrainConfig(epochs=2, batch_size=8, pad=1, precision="auto")
    arguments = {"seeds": [0], "checkpoints": [file], "checkpoint_every": 1}
    with pytest.raises(KeyboardInterrupt):
        train_many([make_net()], data, settings, precision="bfloat16", after_step=dies, **arguments)
    state = read_checkpoint(file)
    write_checkpoint(file, {**state, "path": "cpu, bfloat16, channels_last, eager"})
    (resumed,) = train_many([make_net(1)], data, settings, **arguments)
    whole = train(make_net(), data, dataclasses.replace(settings, precision="bfloat16"))
    assert resumed.precision == "bfloat16" and equal(resumed.model, whole.model)


def test_a_result_of_an_unknown_device_has_a_path(make_net):
    assert TrainResult(make_net(), {}, None, 1.0, "cpu", 3).precision == "float32"
