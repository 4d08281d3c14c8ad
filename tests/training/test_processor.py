import shutil
from types import SimpleNamespace

import pytest
import torch

from lggkit.training import TrainConfig, choose_path, processor

CPU = torch.device("cpu")


def path_of(images=1000, **settings):
    return choose_path(TrainConfig(epochs=2, **settings), "cpu", images)


def test_auto_precision_is_left_open_on_a_cpu_and_follows_the_matrix_units_of_a_gpu(monkeypatch):
    path = path_of(precision="auto")
    assert path.undecided and path.dtype is torch.float32 and "bfloat16" not in str(path)
    for units, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(processor, "has_bfloat16_units", lambda device, units=units: units)
        settings = TrainConfig(epochs=2, precision="auto", compile=False)
        path = choose_path(settings, "cuda", 1000)
        assert path.dtype is dtype and not path.undecided
        assert ("no bfloat16" in path.reasons[0]) == (not units)


@pytest.mark.parametrize("given", ["float32", "bfloat16"])
def test_a_precision_that_is_known_is_taken_for_auto(given):
    path = choose_path(TrainConfig(epochs=2, precision="auto"), "cpu", 1000, given)
    assert path.precision == given and not path.undecided
    assert path.reasons[0] == f"{given} as another training of the seed"
    same = choose_path(TrainConfig(epochs=2, precision=given), "cpu", 1000, given)
    assert same == choose_path(TrainConfig(epochs=2, precision=given), "cpu", 1000)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("float32", "bfloat16"), ("bfloat16", "float32"), ("auto", "float16"), ("float32", "auto")],
)
def test_another_precision_than_the_settings_is_refused(wanted, given):
    with pytest.raises(ValueError, match=f"precision is given as '{given}', .* ask for '{wanted}'"):
        choose_path(TrainConfig(epochs=2, precision=wanted), "cpu", 1000, given)


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
