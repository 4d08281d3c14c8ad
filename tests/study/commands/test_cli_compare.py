import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from lggkit.data import DataUnavailable
from lggkit.networks import save_weights
from lggkit.study.commands.cli import app
from lggkit.study.commands.models_given import images_of, model_of

CODE = """
import torch
def net():
    torch.manual_seed(0)
    layers = torch.nn.Flatten(), torch.nn.Linear(16, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)
    return torch.nn.Sequential(*layers)
def number():
    return 3
class Picky(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = net()
    def forward(self, x):
        if len(x) > 1:
            raise self.kind("one input at a time\\nplease")
        return self.inner(x)
def picky():
    made = Picky()
    made.kind = RuntimeError
    return made
def mistyped():
    made = Picky()
    made.kind = TypeError
    return made
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(CODE)
    np.save("inputs.npy", np.random.default_rng(0).normal(size=(40, 4, 4)))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *arguments])


def test_two_networks_are_compared_and_drawn(folder):
    ended = run("nets.py:net", "nets.py:net", "--data", "inputs.npy", "--out", "alike.svg", "--batch", "20")
    assert ended.exit_code == 0, ended.output
    assert "40 samples" in ended.stdout and "CKA (by chance" in ended.stdout
    assert (folder / "alike.svg").read_text().startswith("<?xml")


def test_programs_read_numbers(folder):
    save_weights(model_of("nets.py:net"), "weights.pt")
    options = ("--first-weights", "weights.pt", "--first-depths", "3,input", "--json")
    ended = run("nets.py:net", "nets.py:net", "--data", "inputs.npy", *options)
    told = json.loads(ended.stdout)
    assert told["first"] == ["3", "input"] and told["second"] == ["1", "3"]
    assert told["cka"][0][1] == pytest.approx(1.0) and len(told["r2_chance"]) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nets.py", "the network is 'nets.py'; write FILE.py:FUNCTION"),
        ("nets.py:other", "nets.py:other gives no network: AttributeError"),
        ("nets.py:number", "returns a int; let it return a torch.nn.Module"),
        ("none.py:net", "'none.py' names no Python file"),
        ("inputs.npy:net", "'inputs.npy' names no Python file"),
        ("torchvision:resnet19", "torchvision has no network 'resnet19'"),
    ],
)
def test_a_network_that_is_not_there_is_one_sentence(folder, text, said):
    ended = run(text, "nets.py:net", "--data", "inputs.npy")
    assert ended.exit_code == 1 and said in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--samples", "-5"), 2, "greater than or equal to 1"),
        (("--out", "alike.xyz"), 2, "out is 'alike.xyz'; name a file that ends in .svg or .png or .pdf"),
        (("--out", "nowhere/alike.svg"), 2, "make the folder first"),
        (("--first-depths", "foo"), 2, "the network has no depth 'foo'"),
        (("--second-depths", "1,1"), 2, "names one twice"),
        (("--data", "turned.npy"), 1, "nets.py:net takes no input of shape (4, 5): "),
        (("--data", "complex.npy"), 1, "give finite real samples"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_compared(folder, monkeypatch, options, status, said):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(
        "lggkit.evaluation.network_similarity.compare_networks", lambda *_, **__: pytest.fail("compared")
    )
    np.save("turned.npy", np.zeros((40, 4, 5)))
    np.save("complex.npy", np.zeros((40, 4, 4), dtype=complex))
    ended = run("nets.py:net", "nets.py:net", "--data", "inputs.npy", *options)
    assert ended.exit_code == status and said in ended.stderr
    assert status == 2 or ended.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["picky", "mistyped"])
def test_a_network_that_fails_later_is_one_sentence(folder, name):
    ended = run(f"nets.py:{name}", "nets.py:net", "--data", "inputs.npy", "--first-depths", "inner.1")
    assert ended.exit_code == 1 and ended.stderr == "the comparison failed: one input at a time\n"


def test_constant_data_share_no_neighbours(folder):
    np.save("same.npy", np.ones((40, 4, 4)))
    told = json.loads(run("nets.py:net", "nets.py:net", "--data", "same.npy", "--json").stdout)
    for name in ("overlap", "overlap_chance", "r2", "r2_chance"):
        assert np.array_equal(told[name], np.zeros((2, 2))), name


def test_a_data_set_whose_files_are_missing_is_one_sentence(folder, monkeypatch):
    def missing(*_, **__):
        raise DataUnavailable("the files of cifar10 are not there; download them")

    monkeypatch.setattr("lggkit.study.commands.models_given.load", missing)
    ended = run("nets.py:net", "nets.py:net", "--data", "cifar10")
    assert ended.exit_code == 1 and ended.stderr == "the files of cifar10 are not there; download them\n"


def test_inputs_are_scaled_and_cut(folder):
    torch.save(torch.full((9, 1, 2, 2), 255, dtype=torch.uint8), "bytes.pt")
    assert torch.equal(images_of("bytes.pt", 5), torch.ones(5, 1, 2, 2))
    assert images_of("digits", 7).shape == (7, 1, 8, 8)
    torch.save({"a": torch.zeros(3)}, "named.pt")
    torch.save(torch.zeros(3), "flat.pt")
    faults = {
        "named.pt": "holds no array",
        "bytes.csv": "name a .npy or .pt file",
        "flat.pt": r"holds \(3,\)",
    }
    for text, said in faults.items():
        with pytest.raises(ValueError, match=said):
            images_of(text, 5)
