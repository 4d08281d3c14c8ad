import shutil
from types import SimpleNamespace

import pytest
import torch

from lggkit.training import TrainConfig, choose_path, processor

CPU = torch.device("cpu")


def path_of(images=1000, **settings):
    return choose_path(TrainConfig(epochs=2, **settings), "cpu", images)


@pytest.mark.parametrize(("units", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_precision_follows_the_matrix_units(monkeypatch, units, dtype):
    monkeypatch.setattr(processor, "_amx", lambda: units)
    path = path_of(precision="auto")
    assert path.dtype is dtype
    assert "bfloat16 matrix units" in str(path)
    assert ("no bfloat16" in str(path)) == (not units)


def test_what_was_asked_for_is_used_and_said(monkeypatch):
    monkeypatch.setattr(processor, "_amx", lambda: False)
    assert path_of(precision="bfloat16").dtype is torch.bfloat16
    assert "without matrix units" in str(path_of(precision="bfloat16"))
    assert path_of().dtype is torch.float32


def test_the_line_names_device_type_layout_and_mode():
    assert str(path_of()).startswith("cpu, float32, channels_last, eager: ")
    assert ", contiguous, " in str(path_of(channels_last=False))


def test_compile_needs_a_compiler_and_for_auto_a_long_training(monkeypatch):
    monkeypatch.setattr(processor, "has_compiler", lambda: True)
    assert path_of(compile=True).compile
    assert path_of(compile="auto", images=10**6).compile
    assert not path_of(compile="auto").compile and "too short" in str(path_of(compile="auto"))
    monkeypatch.setattr(processor, "has_compiler", lambda: False)
    assert not path_of(compile=True).compile and "no C++ compiler" in str(path_of(compile=True))
    assert not path_of().compile


def test_what_is_captured_on_a_gpu_is_compiled_on_demand_only(monkeypatch):
    monkeypatch.setattr(processor, "has_compiler", lambda: True)
    assert not processor.choose_path(TrainConfig(epochs=1), "cuda", 10**7).compile
    assert processor.choose_path(TrainConfig(epochs=1, compile=True), "cuda", 10**7).compile


def test_a_compiler_is_looked_for_on_the_path(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/g++" if name == "g++" else None)
    assert processor.has_compiler()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not processor.has_compiler()


def test_autocast_is_on_for_bfloat16_only(monkeypatch):
    a, b = torch.ones(2, 2), torch.ones(2, 2)
    with path_of().autocast():
        assert (a @ b).dtype is torch.float32
    with path_of(precision="bfloat16").autocast():
        assert (a @ b).dtype is torch.bfloat16


def test_falling_back_says_why():
    path = processor.CodePath(CPU, torch.float32, True, compile=True)
    assert str(path) == "cpu, float32, channels_last, compiled"
    assert str(path.eager("it broke")) == "cpu, float32, channels_last, eager: it broke"


@pytest.mark.parametrize(
    ("capability", "allowed", "dtype", "told"),
    [
        ((9, 0), "tf32", torch.float32, "float32 (TF32 convolutions)"),
        ((9, 0), "ieee", torch.float32, "float32"),
        ((7, 5), "tf32", torch.float32, "float32"),
        ((9, 0), "tf32", torch.bfloat16, "bfloat16"),
    ],
)
def test_float32_on_a_gpu_says_how_it_convolves(monkeypatch, capability, allowed, dtype, told):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.backends.cudnn, "conv", SimpleNamespace(fp32_precision=allowed))
    path = processor.CodePath(torch.device("cuda"), dtype, channels_last=True, compile=False)
    assert path.mode == f"GPU, {told}, channels_last, eager"
