from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from lggkit.training import TrainConfig, processor, train, train_many


def config(**settings):
    return TrainConfig(
        **{"epochs": 2, "batch_size": 8, "pad": 1, "learning_rate": 0.05, "compile": True, **settings}
    )


@pytest.fixture(autouse=True)
def compiler(monkeypatch):
    monkeypatch.setattr(processor, "has_compiler", lambda: True)


def pretend(monkeypatch, wrap):
    monkeypatch.setattr(torch, "compile", lambda forward, dynamic: wrap(forward))


@pytest.fixture
def calls(monkeypatch):
    """A compiler whose passes note the sizes of their batches."""
    sizes = []

    def wrap(forward):
        def compiled(images):
            sizes.append(len(images))
            return forward(images)

        return compiled

    pretend(monkeypatch, wrap)
    return sizes


def test_what_compiles_and_agrees_is_used(data, make_net, equal, calls):
    result = train(make_net(), data, config(), taps=["maps"])
    assert calls == [8] + [8, 8, 8] * 2, "once to try it, then every batch but the short ones"
    assert result.path.compiled
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


def test_one_that_is_resumed_before_a_short_batch_is_compiled_for_full_ones(
    data, make_net, equal, calls, tmp_path
):
    def dying(latents, logits, labels, batch):
        if batch.step == 3:
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels)

    saved = {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        train(make_net(), data, config(), objective=dying, **saved)
    calls.clear()
    resumed = train(make_net(), data, config(), **saved)
    assert calls == [8, 8, 8, 8]
    assert equal(resumed.model, train(make_net(), data, config(compile=False)).model)


def test_a_failing_compilation_falls_back_and_says_so(data, make_net, equal, monkeypatch):
    def wrap(forward):
        def compiled(images):
            forward(images)
            raise RuntimeError("CppCompileError: no header\nand a long story")

        return compiled

    pretend(monkeypatch, wrap)
    result = train(make_net(), data, config())
    assert str(result.path).endswith(
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
    assert "eager" in str(result.path) and "differ" in str(result.path)
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


@pytest.fixture
def clock(monkeypatch):
    """A clock that ``clocked`` networks move by a second a pass; what is compiled takes ``extra`` more."""
    now, extra, compiled = [0.0], [0.0], []

    def wrap(forward):
        compiled.append(forward)

        def timed(images):
            now[0] += extra[0]
            return forward(images)

        return timed

    def clocked(model):
        model.register_forward_hook(lambda *_: now.__setitem__(0, now[0] + 1.0))
        return model

    pretend(monkeypatch, wrap)
    monkeypatch.setattr(processor, "IMAGES_WORTH_COMPILING", 1)
    monkeypatch.setattr("lggkit.training.compiled.perf_counter", lambda: now[0])
    return SimpleNamespace(extra=extra, clocked=clocked, compiled=compiled)


@pytest.mark.parametrize(
    ("extra", "how", "why"),
    [
        (-0.2, ", compiled: ", "compiled is 1.25x eager over 5 steps"),
        (0.0, ", eager: ", "compiled is no faster (1.00x eager over 5 steps)"),
        (0.25, ", eager: ", "compiled is no faster (0.80x eager over 5 steps)"),
    ],
)
def test_auto_keeps_what_is_faster_on_a_cpu(data, make_net, equal, clock, extra, how, why):
    clock.extra[0] = extra
    result = train(clock.clocked(make_net()), data, config(compile="auto"), taps=["maps"])
    assert how in str(result.path) and str(result.path).endswith(why)
    assert equal(result.model, train(make_net(), data, config(compile=False)).model)


def test_what_was_asked_for_is_not_timed(data, make_net, clock):
    clock.extra[0] = 5.0
    path = train(clock.clocked(make_net()), data, config(compile=True)).path
    assert path.compiled and "x eager" not in str(path)


@pytest.mark.parametrize(("extra", "how"), [(-0.2, ", compiled"), (0.25, ", eager")])
def test_the_first_of_several_decides_for_all(data, make_net, clock, extra, how):
    clock.extra[0] = extra
    models = [clock.clocked(make_net(seed)) for seed in range(3)]
    first, *others = train_many(models, data, config(compile="auto"), seeds=[0, 1, 2])
    assert how in str(first.path) and "x eager over 5 steps" in str(first.path)
    for other in others:
        assert how in str(other.path)
    assert len(clock.compiled) == (3 if extra < 0 else 1)


@pytest.mark.parametrize(("extra", "how"), [(-0.2, ", compiled"), (0.25, ", eager")])
def test_a_training_goes_on_as_it_was_begun_whatever_is_faster_now(
    data, make_net, clock, tmp_path, extra, how
):
    def dies(model):
        dies.steps += 1
        if dies.steps == 6:
            raise KeyboardInterrupt

    dies.steps, files = 0, [tmp_path / "a.pt", tmp_path / "b.pt"]
    arguments = {"seeds": [0, 1], "checkpoints": files, "checkpoint_every": 1}
    clock.extra[0] = extra
    models = [clock.clocked(make_net(seed)) for seed in (0, 1)]
    with pytest.raises(KeyboardInterrupt):
        train_many(models, data, config(compile="auto"), after_step=dies, **arguments)
    files[0].unlink()
    clock.extra[0] = -extra
    models = [clock.clocked(make_net(seed)) for seed in (0, 1)]
    for result in train_many(models, data, config(compile="auto"), **arguments):
        assert (
            how in str(result.path)
            and "x eager" not in str(result.path)
            and "begun as" not in str(result.path)
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_real_compiler_gives_the_same_training(data, make_net):
    compiled = train(make_net(), data, config(batch_size=14), taps=["maps"])
    plain = train(make_net(), data, config(batch_size=14, compile=False))
    assert compiled.path.compiled
    assert compiled.curves["train_loss"] == pytest.approx(plain.curves["train_loss"], rel=1e-4)
