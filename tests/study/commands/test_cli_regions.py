"""``python -m lggkit regions plane``: a picture of somebody's network, and what it refuses."""

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from lggkit.networks import save_weights
from lggkit.study.commands.cli import app

FILE = """
import torch
from torch import nn

def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))

def images():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))

def bent():
    return nn.Sequential(nn.Linear(2, 3), nn.GELU())

def pooled():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())

def number():
    return 3

def broken():
    raise RuntimeError("no weights")
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(FILE)

    def invoked(function, *arguments):
        return CliRunner().invoke(app, ["regions", "plane", f"net.py:{function}", *arguments])

    return invoked


def test_three_units_in_the_plane(run, tmp_path):
    ended = run("small", "--half-width", "100")
    assert ended.exit_code == 0, ended.output
    assert "7 pieces, drawn in plane.svg" in ended.stdout
    assert (tmp_path / "plane.svg").read_text().lstrip().startswith("<?xml")


def test_weights_are_read(run, tmp_path):
    network = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    nn.init.zeros_(network[0].weight)
    save_weights(network, tmp_path / "w.pt")
    ended = run("small", "--weights", "w.pt", "--out", "one.png")
    assert "1 pieces, drawn in one.png" in ended.stdout and (tmp_path / "one.png").stat().st_size > 1000


@pytest.mark.parametrize("name", ["three.npy", "three.pt"])
def test_the_plane_through_three_images(run, tmp_path, name):
    images = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    if name.endswith("npy"):
        np.save(tmp_path / name, images.numpy())
    else:
        torch.save(images, tmp_path / name)
    ended = run("images", "--inputs", name, "--out", "through.svg")
    assert ended.exit_code == 0, ended.output
    assert int(ended.stdout.split()[0]) > 1 and (tmp_path / "through.svg").is_file()


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        ("bent", (), "1 is GELU, which is not piecewise linear"),
        ("pooled", ("--inputs", "ok.npy"), "max-pooling"),
        ("number", (), "returns a int"),
        ("nobody", (), "gives no network: AttributeError"),
        ("broken", (), "gives no network: RuntimeError: no weights"),
        ("images", (), r"takes no input of shape (2,)"),
        ("small", ("--weights", "none.pt"), "no weights at none.pt"),
        ("images", ("--inputs", "none.npy"), "there is no file none.npy"),
        ("images", ("--inputs", "two.npy"), "holds (2, 1, 4, 4)"),
        ("images", ("--inputs", "same.npy"), "the three inputs are equal or lie on one line"),
        ("images", ("--inputs", "net.py"), "holds no array"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(run, tmp_path, function, options, said):
    np.save(tmp_path / "two.npy", np.zeros((2, 1, 4, 4)))
    np.save(tmp_path / "same.npy", np.ones((3, 1, 4, 4)))
    np.save(tmp_path / "ok.npy", np.random.default_rng(0).random((3, 1, 4, 4)))
    ended = run(function, *options)
    assert ended.exit_code == 1 and said in ended.stderr and "Traceback" not in ended.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--half-width", "0"), "half-width is 0.0"),
        (("--half-width", "nan"), "half-width is nan"),
        (("--out", "a.txt"), "ends in .svg or .png"),
        (("--out", "p.jpg"), "ends in .svg or .png"),
    ],
)
def test_an_option_that_cannot_be_is_one_sentence_and_status_2(run, options, said):
    ended = run("small", *options)
    assert ended.exit_code == 2 and said in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_a_file_that_holds_code_is_not_run(run, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    torch.save(Evil(), tmp_path / "evil.pt")
    for option in ("--weights", "--inputs"):
        assert run("small", option, "evil.pt").exit_code == 1
    assert not (tmp_path / "written").exists()


def test_a_file_that_is_not_there():
    ended = CliRunner().invoke(app, ["regions", "plane", "nothing.py:made"])
    assert ended.exit_code == 1 and "names no Python file" in ended.stderr
