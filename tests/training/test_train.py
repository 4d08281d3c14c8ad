import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from lggkit.evaluation import model_error
from lggkit.training import MultiStep, Restart, Stream, TrainConfig, train, train_many


def config(**settings):
    return TrainConfig(**{"epochs": 3, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


def plain_loop(model, data, config, seed):
    """The same training, written the usual way."""
    stream, step = Stream(data, config, seed), 0
    for epoch in range(config.epochs):
        if epoch == 0 or epoch in config.schedule.restarts:
            optimizer = torch.optim.SGD(
                model.parameters(),
                lr=0.1,
                momentum=config.momentum,
                weight_decay=config.weight_decay,
                foreach=False,
            )
        for _ in range(stream.steps_per_epoch):
            batch = stream.batch(step)
            gamma = getattr(config.schedule, "gamma", 1)
            milestones = getattr(config.schedule, "milestones", ())
            optimizer.param_groups[0]["lr"] = config.learning_rate * gamma ** sum(
                epoch >= m for m in milestones
            )
            optimizer.zero_grad()
            F.cross_entropy(model(batch.images), batch.labels).backward()
            optimizer.step()
            step += 1
    return model


@pytest.mark.parametrize("schedule", [MultiStep((1, 2), 0.3), Restart((1,), 0.1)])
def test_it_equals_the_usual_loop(data, make_net, schedule):
    settings = config(schedule=schedule, channels_last=False)
    ours = train(make_net(), data, settings, seed=5).model
    theirs = plain_loop(make_net(), data, settings, seed=5)
    for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_a_restart_forgets_the_momentum(data, make_net, equal):
    ours = train(make_net(), data, config(schedule=Restart((1,), 0.1))).model
    unbroken = train(make_net(), data, config(schedule=MultiStep((1,), 0.1))).model
    assert not equal(ours, unbroken)


def downhill(data, **settings):
    """Small steps on the gradient of all images: each lowers the loss, whatever computes it."""
    alone = {"batch_size": len(data), "augment": False, "momentum": 0.0, "weight_decay": 0.0}
    return config(**{"epochs": 6, "learning_rate": 0.01, **alone, **settings})


def test_it_descends(data, make_net):
    losses = train(make_net(), data, downhill(data)).curves["train_loss"]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))


def test_the_accuracy_is_of_the_answers_given(data, make_net):
    settings, given = config(epochs=1), []

    def objective(latents, logits, labels):
        given.append(logits.detach().argmax(1) == labels)
        return F.cross_entropy(logits, labels)

    curves = train(make_net(), data, settings, objective=objective).curves
    assert curves["train_accuracy"] == [pytest.approx(float(torch.cat(given).double().mean()))]


def test_the_test_set_is_evaluated_as_asked(data, make_data, make_net):
    result = train(
        make_net(), data, config(epochs=6, augment=False), evaluate=make_data(seed=1), evaluate_every=2
    )
    assert result.curves["test_error"][-1] == model_error(result.model, make_data(seed=1))
    assert result.curves["test_epoch"] == [2, 4, 6]
    assert result.steps == 24 and result.seconds > 0 and result.diverged is None
    assert not result.model.training


def test_curves_are_plain_numbers_one_an_epoch(data, make_net):
    curves = train(make_net(), data, config(schedule=MultiStep((2,), 0.1))).curves
    assert {name: len(values) for name, values in curves.items()} == {
        "train_loss": 3,
        "train_accuracy": 3,
        "learning_rate": 3,
    }
    assert all(type(value) is float for values in curves.values() for value in values)
    assert curves["learning_rate"] == pytest.approx([0.05, 0.05, 0.005])


def test_evaluation_happens_at_the_end_and_may_name_its_numbers(data, make_net):
    result = train(make_net(), data, config(), evaluate=lambda model: {"norm": 2.0})
    assert result.curves["norm"] == [2.0] and result.curves["test_epoch"] == [3]


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        (
            {"train_loss": 1.0},
            ValueError,
            "evaluate gave 'train_loss', a curve of the training itself; name it",
        ),
        ({"test_epoch": 1.0}, ValueError, "evaluate gave 'test_epoch', a curve"),
        (None, TypeError, "evaluate gave None as test_error; return a number"),
        ({"norms": [1.0, 2.0]}, TypeError, r"evaluate gave \[1.0, 2.0\] as norms; return a number"),
    ],
)
def test_what_cannot_be_a_curve_is_told(data, make_net, outcome, error, said):
    with pytest.raises(error, match=said):
        train(make_net(), data, config(), evaluate=lambda model: outcome)


@pytest.mark.parametrize("bad", [0, 1, 3, 5])
def test_the_first_loss_is_kept_of_a_training_that_diverges(data, make_net, bad):
    losses = []

    def objective(latents, logits, labels, batch):
        loss = F.cross_entropy(logits, labels)
        losses.append(loss.item())
        return loss if batch.step < bad else loss * float("nan")

    result = train(make_net(), data, config(), objective=objective)
    assert result.diverged and result.first_loss == (losses[0] if bad else None)


def test_evaluating_changes_nothing(data, make_net, equal):
    settings, calls = config(), []

    def evaluate(model):
        calls.append(torch.rand(3))
        model.eval()
        return 1.0

    often = train(make_net(dropout=0.5), data, settings, taps=["maps"], evaluate=evaluate, evaluate_every=1)
    never = train(make_net(dropout=0.5), data, settings)
    assert len(calls) == 3 and equal(often.model, never.model)


def test_a_callable_sees_the_network_in_evaluation_mode_with_gradients(data, make_net, equal):
    seen = []

    def evaluate(model):
        seen.extend(module.training for module in model.modules())
        inputs = torch.rand(4, 2, 6, 6, requires_grad=True)
        before = model.norm.running_mean.clone()
        model(inputs).sum().backward()
        assert inputs.grad.abs().sum() > 0 and torch.equal(model.norm.running_mean, before)
        return 1.0

    often = train(make_net(dropout=0.5), data, config(), evaluate=evaluate, evaluate_every=1)
    never = train(make_net(dropout=0.5), data, config())
    assert len(seen) > 3 and not any(seen) and equal(often.model, never.model)


def test_the_seed_decides_and_the_global_stream_is_left_alone(data, make_net, equal):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = train(make_net(dropout=0.5), data, config(), seed=1).model
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(7)
    assert equal(first, train(make_net(dropout=0.5), data, config(), seed=1).model)
    assert not equal(first, train(make_net(dropout=0.5), data, config(), seed=2).model)


def test_dropout_draws_anew_at_every_step(data, make_net):
    seen = []

    def objective(latents, logits, labels):
        seen.append((latents["vector"] == 0).sum().item())
        return F.cross_entropy(logits, labels)

    train(make_net(dropout=0.5), data, config(), objective=objective, taps=["vector"])
    assert len(set(seen)) > 3


def test_after_step_acts_on_the_weights(data, make_net):
    def shrink(model):
        model.head.weight.mul_(0)

    assert train(make_net(), data, config(), after_step=shrink).model.head.weight.abs().sum() == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training_and_is_told(data, make_net, tmp_path, bad):
    def objective(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) * (bad if batch.step == 6 else 1)

    file = tmp_path / "run.pt"
    result = train(make_net(), data, config(), objective=objective, checkpoint=file)
    assert result.diverged == f"the loss was {bad} at step 6 (epoch 1)"
    assert result.steps == 7 and len(result.curves["train_loss"]) == 1
    again = train(make_net(), data, config(), objective=objective, checkpoint=file)
    assert (again.diverged, again.steps) == (result.diverged, 7)


def test_a_late_look_still_names_the_step(data, make_net, monkeypatch):
    from lggkit.training import run

    def objective(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) * (math.nan if batch.step == 5 else 1)

    monkeypatch.setattr(run, "look_every", lambda device: 100)
    result = train(make_net(), data, config(), objective=objective)
    assert "step 5 (epoch 1)" in result.diverged and result.steps == 8


def test_frozen_parameters_stay(data, make_net):
    model = make_net()
    model.conv.weight.requires_grad_(False)
    before = model.conv.weight.clone()
    assert torch.equal(train(model, data, config()).model.conv.weight, before)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_optimizer_and_precision_trains(data, make_net, optimizer, precision):
    settings = downhill(data, optimizer=optimizer, precision=precision, epochs=5)
    result = train(make_net(), data, settings, taps=["maps"])
    assert result.curves["train_loss"][-1] < result.curves["train_loss"][0]
    assert precision in str(result.path)
    assert all(p.dtype is torch.float32 for p in result.model.parameters())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_forward_pass_is_in_the_precision_asked_for(data, make_net, precision):
    seen = []

    def objective(latents, logits, labels):
        seen.append((latents["logits"].dtype, logits.dtype))
        return F.cross_entropy(logits, labels)

    model = make_net()
    model.depths["logits"] = "head"
    train(model, data, config(epochs=1, precision=precision), objective=objective, taps=["logits"])
    assert set(seen) == {(getattr(torch, precision), torch.float32)}


def test_an_empty_set_and_contradicting_options_are_refused(data, make_net):
    with pytest.raises(ValueError, match="tiny is empty"):
        train(make_net(), data.subset([]), config())
    with pytest.raises(ValueError, match="label_smoothing belongs to the default objective"):
        train(
            make_net(),
            data,
            config(label_smoothing=0.1),
            objective=lambda latents, logits, labels: logits.sum(),
        )


def test_label_smoothing_reaches_the_default_objective(data, make_net, equal):
    assert not equal(
        train(make_net(), data, config(label_smoothing=0.2)).model, train(make_net(), data, config()).model
    )


def test_the_bar_writes_to_stderr_only_when_asked(data, make_net, capsys):
    train(make_net(), data, config())
    assert capsys.readouterr() == ("", "")
    train(make_net(), data, config(), progress=True)
    assert "12/12" in capsys.readouterr().err


def test_the_paths_are_told_once_a_training_begins(data, make_net, caplog, tmp_path):
    with caplog.at_level("INFO", "lggkit.training"):
        results = train_many([make_net(), make_net(1)], data, config(), seeds=[0, 1])
        alone = train(make_net(), data, config(), checkpoint=tmp_path / "run.pt")
        train(make_net(), data, config(), checkpoint=tmp_path / "run.pt")
    told = [f"  2 networks on {results[0].path}", f"  1 network on {alone.path}"]
    assert [record.getMessage() for record in caplog.records] == told
