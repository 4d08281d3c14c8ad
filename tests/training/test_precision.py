"""Precision on a CPU is chosen by timing steps: by a clock that the networks move themselves."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.training import Stream, TrainConfig, choose_path, precision, processor, train, train_many, turns
from lggkit.training.run import Run
from lggkit.training.step_time import relative_step_time


def config(**settings):
    given = {"epochs": 2, "batch_size": 8, "pad": 1, "learning_rate": 0.05, "precision": "auto"}
    return TrainConfig(**{**given, **settings})


@pytest.fixture
def clock(monkeypatch):
    """A clock that ``clocked`` networks move by a second a pass, in bfloat16 by ``half`` seconds."""
    clock = SimpleNamespace(now=0.0, half=0.5, passes=0)

    def passed(*_):
        clock.now += clock.half if torch.is_autocast_enabled("cpu") else 1.0
        clock.passes += 1

    def clocked(model):
        model.register_forward_hook(passed)
        return model

    monkeypatch.setattr(turns, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(precision, "gain_in_products", lambda: 2.0)
    clock.clocked = clocked
    return clock


@pytest.mark.parametrize(
    ("half", "chosen", "why"),
    [
        (0.5, "bfloat16", "bfloat16 is 2.00x float32 over 10 steps"),
        (0.9, "bfloat16", "bfloat16 is 1.11x float32 over 10 steps"),
        (0.95, "float32", "bfloat16 gains too little (1.05x float32 over 10 steps)"),
        (4.0, "float32", "bfloat16 gains too little (0.25x float32 over 5 steps)"),
    ],
)
def test_bfloat16_is_taken_where_it_is_faster_by_a_margin(data, make_net, equal, clock, half, chosen, why):
    clock.half = half
    result = train(clock.clocked(make_net()), data, config())
    assert result.precision == chosen and f", {chosen}, " in str(result.path) and why in str(result.path)
    asked = train(make_net(), data, config(precision=chosen))
    assert equal(result.model, asked.model) and result.curves == asked.curves


def test_the_trial_leaves_no_trace_in_dropout_batch_norm_or_an_objective(data, make_net, equal, clock):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, latents, logits, labels):
            self.seen += 1
            return F.cross_entropy(logits, labels) * (1 + self.seen / 100)

    def draws(model):
        return torch.rand(()).item()

    given = {"taps": ["maps"], "evaluate": draws, "evaluate_at": (0, 2)}
    results = []
    for settings in (config(), config(precision="bfloat16")):
        torch.manual_seed(3)
        made = clock.clocked(make_net(dropout=0.3))
        results.append(train(made, data, settings, objective=Counting(), **given))
    assert equal(results[0].model, results[1].model) and results[0].curves == results[1].curves


def test_a_processor_that_gains_nothing_in_a_product_is_tried_no_further(data, make_net, clock, monkeypatch):
    monkeypatch.setattr(precision, "gain_in_products", lambda: 0.4)
    result = train(clock.clocked(make_net()), data, config(epochs=1))
    assert result.precision == "float32" and clock.passes == result.steps
    assert "products in bfloat16 are no faster (0.40x float32)" in str(result.path)


@pytest.mark.parametrize("value", [0.1, float("nan")])
def test_another_loss_is_not_trusted(data, make_net, equal, clock, value):
    class Rounding(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) + value * torch.eye(3)[0] * 20 * torch.is_autocast_enabled("cpu")

    result = train(clock.clocked(Rounding(make_net())), data, config(compile=False))
    assert result.precision == "float32" and "losses in bfloat16 and float32 differ by" in str(result.path)


def test_a_pass_that_fails_in_bfloat16_is_told(data, make_net, clock):
    def refuses(*_):
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("not implemented for 'BFloat16'\nand more")

    model = clock.clocked(make_net())
    model.register_forward_pre_hook(refuses)
    result = train(model, data, config())
    assert result.precision == "float32"
    assert "bfloat16 failed (not implemented for 'BFloat16')" in str(result.path)


def test_the_first_decides_for_those_of_its_seed_and_of_its_kind(data, make_net, clock):
    def wider():
        return nn.Sequential(nn.Flatten(), nn.Linear(72, 3))

    models = [clock.clocked(model) for model in (make_net(0), wider(), make_net(1), wider())]
    first, *others = train_many(models, data, config(), seeds=[0, 0, 1, 1])
    assert "over 10 steps" in str(first.path)
    for other in others:
        assert other.precision == "bfloat16"
        assert "in the precision of those trained with it" in str(other.path)


@pytest.mark.parametrize("given", ["float32", "bfloat16"])
def test_what_another_training_had_is_taken_untried(data, make_net, equal, clock, given):
    (told,) = train_many([clock.clocked(make_net())], data, config(), seeds=[0], precision=given)
    assert told.precision == given and clock.passes == told.steps
    assert equal(told.model, train(make_net(), data, config(precision=given)).model)


@pytest.mark.parametrize("begun", ["float32", "bfloat16"])
@pytest.mark.parametrize("given", [None, "float32", "bfloat16"])
def test_a_training_goes_on_in_what_it_was_begun(data, make_net, equal, clock, tmp_path, begun, given):
    def dies(model):
        dies.steps += 1
        if dies.steps == 6:
            raise KeyboardInterrupt

    dies.steps, files = 0, [tmp_path / "a.pt", tmp_path / "b.pt"]
    arguments = {"seeds": [0, 1], "checkpoints": files, "checkpoint_every": 1}
    clock.half = 0.5 if begun == "bfloat16" else 2.0
    models = [clock.clocked(make_net(seed)) for seed in (0, 1)]
    with pytest.raises(KeyboardInterrupt):
        train_many(models, data, config(), after_step=dies, **arguments)
    clock.half = 2.0 if begun == "bfloat16" else 0.5
    models = [clock.clocked(make_net(seed)) for seed in (0, 1)]
    for seed, result in enumerate(train_many(models, data, config(), precision=given, **arguments)):
        assert result.precision == begun and "over" not in str(result.path)
        assert equal(result.model, train(make_net(seed), data, config(precision=begun), seed=seed).model)
    ended = train_many([make_net(0)], data, config(), seeds=[0], checkpoints=files[:1])
    assert ended[0].precision == begun and ended[0].steps == 8


def test_a_compiled_pass_is_timed_as_it_is(data, make_net, clock, monkeypatch):
    sizes = []

    def compiler(forward, dynamic):
        def compiled(images):
            sizes.append(len(images))
            return forward(images)

        return compiled

    monkeypatch.setattr(processor, "has_compiler", lambda: True)
    monkeypatch.setattr(torch, "compile", compiler)
    result = train(clock.clocked(make_net()), data, config(epochs=1, compile=True))
    assert ", bfloat16, channels_last, compiled: " in str(result.path)
    assert sizes == [8] + [8] * 22 + [8] * 3, "agreement, both losses and ten turns, every full batch"


def test_trainings_that_are_timed_against_each_other_share_a_precision(data, make_net, clock):
    path = choose_path(config(), "cpu", len(data))
    own, other = (Run(clock.clocked(make_net()), Stream(data, config(), 0), config(), path) for _ in range(2))
    relative_step_time(own, other, 2)
    assert own.path.precision == other.path.precision == "bfloat16"
    assert "over 10 steps" in str(own.path) and "over" not in str(other.path)


def test_a_product_is_timed_once_for_all():
    assert precision.gain_in_products() == precision.gain_in_products() > 0
