"""Runs that see the same batches share a captured step; a GPU's path, pretended on the CPU."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from lggkit.training import (
    Restart,
    Stream,
    Teacher,
    TrainConfig,
    capture,
    choose_path,
    selfcheck,
    train,
    train_many,
)
from lggkit.training.begin import begin
from lggkit.training.run import Run
from lggkit.training.selfcheck import apart_from


def config(**settings):
    return TrainConfig(**{"epochs": 4, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


def distilled(teacher, weight=1.0, seen=None):
    def objective(latents, logits, labels, batch):
        theirs = teacher(batch)["output"]
        if seen is not None:
            seen.append(theirs)
        return F.cross_entropy(logits, labels) + weight * (logits - theirs).square().mean()

    return objective


def runs_of(data, models, seeds):
    settings, streams = config(), {}
    path = choose_path(settings, "cpu", len(data))
    made = [
        Run(model, streams.setdefault(seed, Stream(data, settings, seed)), settings, path)
        for model, seed in zip(models, seeds, strict=True)
    ]
    begin(made)
    return made


def test_arms_of_a_seed_share_a_graph_and_each_is_as_alone(data, make_net, pretend, eager, close):
    teacher = Teacher(make_net(7), ["output"])
    objectives = [None, distilled(teacher, 0.1), distilled(teacher)] * 2
    seeds, settings = [0] * 3 + [1] * 3, config(schedule=Restart((1, 3), 0.5))
    arms = train_many([make_net() for _ in seeds], data, settings, seeds=seeds, objectives=objectives)
    assert len(pretend) == 2 * (3 + 2 * 3 + 4 * 3)
    for seed, objective, arm in zip(seeds, objectives, arms, strict=True):
        assert str(arm.path).startswith("cpu, float32, channels_last, captured") and arm.steps == 16
        alone = eager(make_net(), data, settings, objective=objective, seed=seed)
        assert close(arm.model, alone.model)
        assert arm.curves["train_loss"] == pytest.approx(alone.curves["train_loss"], rel=1e-4)


def test_a_replay_asks_the_teacher_once_whoever_learns_from_it(data, make_net, pretend, monkeypatch):
    asked, bodies, network = [], [], make_net(7)
    network.register_forward_hook(lambda *_: asked.append(1))
    teacher, body = Teacher(network, ["output"]), capture.Captured.body

    def counting(self):
        before = len(asked)
        body(self)
        bodies.append(len(asked) - before)

    monkeypatch.setattr(capture.Captured, "body", counting)
    train_many([make_net(), make_net(1)], data, config(), seeds=[0, 0], objectives=[distilled(teacher)] * 2)
    assert set(bodies) == {1}


def test_no_graph_reads_what_a_teacher_kept_for_another(data, make_net, pretend):
    teacher, seen = Teacher(make_net(7), ["output"]), [[], []]
    objectives = [distilled(teacher, seen=latents_seen) for latents_seen in seen]
    train_many([make_net(), make_net(1)], data, config(), seeds=[0, 1], objectives=objectives)
    assert not {id(latents) for latents in seen[0]} & {id(latents) for latents in seen[1]}


def test_one_that_diverges_leaves_the_others_a_graph_of_their_own(data, make_net, pretend, eager, close):
    calls = []

    def broken(latents, logits, labels):
        calls.append(1)
        return F.cross_entropy(logits, labels) * (float("nan") if len(calls) > 11 + 6 else 1)

    models = [make_net(), make_net(1), make_net(2)]
    bad, *good = train_many(models, data, config(), seeds=[0] * 3, objectives=[broken, None, None])
    assert bad.diverged == "the loss was nan at step 6 (epoch 1)" and bad.steps == 7
    for network, result in zip((1, 2), good, strict=True):
        assert result.diverged is None and result.path.captured
        assert close(result.model, eager(make_net(network), data, config()).model)


def test_one_that_cannot_be_captured_does_not_keep_the_others_from_it(data, make_net, pretend, eager, close):
    def reading(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) / (1 + batch.step)

    odd, other = train_many(
        [make_net(), make_net(1)], data, config(), seeds=[0, 0], objectives=[reading, None]
    )
    assert ", eager" in str(odd.path) and "not captured together (capture failed" in str(odd.path)
    assert other.path.captured and "not captured together" in str(other.path)
    assert close(odd.model, eager(make_net(), data, config(), objective=reading).model)
    assert close(other.model, eager(make_net(1), data, config()).model)


def test_networks_that_draw_take_turns_on_one_lane(data, make_net, pretend, eager, close):
    models = [make_net(0, dropout=0.4), make_net(1, dropout=0.4)]
    for result, seed in zip(train_many(models, data, config(), seeds=[3, 3]), (0, 1), strict=True):
        assert "not captured together (capture failed (a network draws random numbers))" in str(result.path)
        assert close(result.model, eager(make_net(seed, dropout=0.4), data, config(), seed=3).model)
    drawing = runs_of(data, [make_net(0, dropout=0.4), make_net(1, dropout=0.4)], seeds=[0, 1])
    assert drawing[0].stepper.cuda_stream is drawing[1].stepper.cuda_stream
    plain = runs_of(data, [make_net(0), make_net(1), make_net(2)], seeds=[0, 1, 1])
    assert plain[0].stepper.cuda_stream is not plain[1].stepper.cuda_stream
    assert plain[1].stepper is plain[2].stepper


def test_several_that_disturb_one_another_are_not_trusted(data, make_net, pretend, eager, equal, monkeypatch):
    last, record = [None], capture.record

    def disturbed(body, lane):
        replay = record(body, lane)

        def only_when_alone():
            before, last[0] = last[0], lane
            return replay() if before in (None, lane) else None

        return only_when_alone

    replayed = capture.replayed_losses

    def afresh(captured):
        last[0] = None
        return replayed(captured)

    monkeypatch.setattr(capture, "record", disturbed)
    monkeypatch.setattr(capture, "replayed_losses", afresh)
    results = train_many([make_net(0), make_net(1)], data, config(), seeds=[0, 1])
    for seed, result in enumerate(results):
        assert not result.path.captured
        assert "losses of 2 together and alone differ by" in str(result.path)
        assert equal(result.model, eager(make_net(seed), data, config(), seed=seed).model)


def test_what_differs_no_more_than_the_same_steps_made_again_is_trusted(data, make_net, pretend, monkeypatch):
    shaky, plain = itertools.cycle([1.0, 1.0, 1.2, 1.2]), capture.replayed_losses

    def shaking(captured):
        by = next(shaky) if len(captured) == 1 else 1.25
        return [losses * by for losses in plain(captured)]

    monkeypatch.setattr(capture, "replayed_losses", shaking)
    monkeypatch.setattr(capture, "_checked", lambda runs: (capture._recorded(runs), ""))
    for result in train_many([make_net(0), make_net(1)], data, config(), seeds=[0, 1]):
        assert result.path.captured
    monkeypatch.setattr(capture, "AS_FAR", 1.0)
    for result in train_many([make_net(0), make_net(1)], data, config(), seeds=[0, 1]):
        assert "losses of 2 together and alone differ by" in str(result.path)


def test_runs_at_different_steps_do_not_share_a_graph(data, make_net, pretend, eager, close, tmp_path):
    files = [tmp_path / "a.pt", tmp_path / "b.pt"]

    def dies(model):
        dies.steps += 1
        if dies.steps == 50:
            raise KeyboardInterrupt

    dies.steps, arguments = 0, {"seeds": [0, 0], "checkpoints": files, "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        train_many([make_net(0), make_net(1)], data, config(), after_step=dies, **arguments)
    assert files[0].exists()
    files[1].unlink()
    for seed, result in enumerate(train_many([make_net(0), make_net(1)], data, config(), **arguments)):
        assert result.steps == 16 and result.path.captured
        assert "not captured together" not in str(result.path)
        assert close(result.model, eager(make_net(seed), data, config()).model)


def test_no_replay_begins_before_what_was_tried_is_put_back(data, make_net, pretend, lane, monkeypatch):
    lanes, plain = [], capture.record

    class Watched(lane):
        behind = True

        def wait_stream(self, other):
            self.behind = False

    def record(body, own):
        replay = plain(body, own)
        lanes.append(own)
        own.runs = body.__self__.runs

        def in_time():
            assert not own.behind
            replay()

        return in_time

    def watching(restore):
        def restored(runs, saved):
            restore(runs, saved)
            for one in lanes:
                one.behind |= any(run is other for run in runs for other in one.runs)

        return restored

    monkeypatch.setattr(capture, "record", record)
    monkeypatch.setattr(capture, "new_lane", Watched)
    for module in (capture, selfcheck):
        monkeypatch.setattr(module, "restore", watching(module.restore))
    calls = []

    def broken(latents, logits, labels):
        calls.append(1)
        return F.cross_entropy(logits, labels) * (float("nan") if len(calls) > 11 + 6 + 6 else 1)

    models, objectives = [make_net(seed) for seed in range(3)], [broken, None, None]
    for result in train_many(models, data, config(), seeds=[0, 0, 1], objectives=objectives):
        assert result.path.captured and "not captured together" not in str(result.path)
    assert len(lanes) == 3


@pytest.mark.parametrize(("losses", "off"), [([2.0, 4.4], 0.1), ([2.0, math.nan], math.inf)])
def test_what_is_apart_by_how_much(losses, off):
    expected = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])]
    ours = [torch.tensor([1.0, losses[0]]), torch.tensor([3.0, losses[1]])]
    assert apart_from(expected, ours) == pytest.approx(off)
    assert apart_from(expected[::-1], ours[::-1]) == pytest.approx(off)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_arms_and_seeds_together_equal_each_alone(data, make_net):
    teacher = Teacher(make_net(7).cuda(), ["output"])
    objectives, seeds = [None, distilled(teacher)] * 2, [0, 0, 1, 1]
    together = train_many(
        [make_net() for _ in seeds],
        data,
        config(capture=True),
        seeds=seeds,
        objectives=objectives,
        device="cuda",
    )
    for seed, objective, arm in zip(seeds, objectives, together, strict=True):
        settings = config(capture=False)
        alone = train(make_net(), data, settings, objective=objective, seed=seed, device="cuda")
        assert arm.path.captured
        assert arm.curves["train_loss"] == pytest.approx(alone.curves["train_loss"], rel=1e-3)
