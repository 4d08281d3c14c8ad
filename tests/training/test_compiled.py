import pytest
import torch

from lggkit.training import TrainConfig, processor, train


def config(**settings):
    return TrainConfig(
        **{"epochs": 2, "batch_size": 8, "pad": 1, "learning_rate": 0.05, "compile": True, **settings}
    )


@pytest.fixture(autouse=True)
def compiler(monkeypatch):
    monkeypatch.setattr(processor, "has_compiler", lambda: True)


def pretend(monkeypatch, wrap):
    monkeypatch.setattr(torch, "compile", lambda forward, dynamic: wrap(forward))


def test_what_compiles_and_agrees_is_used(data, make_net, equal, monkeypatch):
    calls = []

    def wrap(forward):
        def compiled(images):
            calls.append(len(images))
            return forward(images)

        return compiled

    pretend(monkeypatch, wrap)
    result = train(make_net(), data, config(), taps=["maps"])
    assert calls == [8] + [8, 8, 8, 4] * 2
    assert ", compiled" in result.path
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


def test_a_failing_compilation_falls_back_and_says_so(data, make_net, equal, monkeypatch):
    def wrap(forward):
        def compiled(images):
            forward(images)
            raise RuntimeError("CppCompileError: no header\nand a long story")

        return compiled

    pretend(monkeypatch, wrap)
    result = train(make_net(), data, config())
    assert result.path.endswith(
        "eager: float32 was asked for; compilation failed (CppCompileError: no header)"
    )
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_a_compiled_pass_with_other_numbers_is_not_trusted(data, make_net, equal, monkeypatch, factor):
    def wrap(forward):
        def compiled(images):
            latents, output = forward(images)
            return latents, output * factor

        return compiled

    pretend(monkeypatch, wrap)
    result = train(make_net(), data, config())
    assert "eager" in result.path and "differ" in result.path
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_real_compiler_gives_the_same_training(data, make_net):
    compiled = train(make_net(), data, config(batch_size=14), taps=["maps"])
    plain = train(make_net(), data, config(batch_size=14, compile=False))
    assert ", compiled" in compiled.path
    assert compiled.curves["train_loss"] == pytest.approx(plain.curves["train_loss"], rel=1e-4)
