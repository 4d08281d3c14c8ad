"""Vectors and ids of words are trained on as images are: resumed, together, captured, class by class."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.data import TokenSet, VectorSet
from lggkit.latents import Taps
from lggkit.networks import WordNetwork
from lggkit.training import Stream, Teacher, TrainConfig, train, train_many


class Jittered(VectorSet):
    """A set with an augmentation of its own: each vector moves a little, as an epoch has drawn."""

    def draw(self, how, generator):
        return (torch.randn(self.vectors.shape, generator=generator),) if how.augment else ()

    def inputs(self, index, drawn, how):
        plain = super().inputs(index, drawn, how)
        return plain + 0.1 * drawn[0] if drawn else plain


def vectors(kind=VectorSet, count=28):
    source = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (count,), generator=source)
    return kind(3 * F.one_hot(labels, 5).float() + torch.randn(count, 5, generator=source), labels)


def tokens(count=28):
    source = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (count,), generator=source)
    ids = torch.randint(1, 5, (count, 6), generator=source) + 3 * labels[:, None]
    ids[:, 4:] = torch.randint(2, (count, 2), generator=source)
    return TokenSet(ids, labels, 12)


def network(data, seed=0):
    if isinstance(data, TokenSet):
        return WordNetwork(data.vocabulary, 3, 8, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(5, 8), nn.Dropout(0.3), nn.GELU(), nn.Linear(8, 3))


def config(**settings):
    plain = {"epochs": 3, "batch_size": 8, "optimizer": "adam", "learning_rate": 0.02, "weight_decay": 0.0}
    return TrainConfig(**plain | settings)


SETS = {"vectors": vectors(), "ids": tokens(), "augmented": vectors(Jittered)}
DEPTHS = {"vectors": "0", "ids": "text", "augmented": "2"}
each_set = pytest.mark.parametrize("name", SETS)


@each_set
def test_a_batch_is_what_the_set_makes(name):
    data, stream = SETS[name], Stream(SETS[name], config(augment=False), seed=0)
    batch = stream.batch(1)
    assert batch.images is batch.inputs and batch.inputs.dtype == data.samples.dtype
    assert torch.equal(batch.inputs, data.samples[batch.index])
    again = Stream(data, config(), seed=0).batch(1)
    assert torch.equal(again.index, batch.index), "augmentation leaves the order alone"
    assert torch.equal(again.inputs, batch.inputs) == (name != "augmented")
    assert torch.equal(Stream(data, config(), seed=0).batch(1).inputs, again.inputs)


@each_set
def test_resumed_it_ends_with_the_same_bits(name, equal, tmp_path):
    data, more = SETS[name], {"evaluate": SETS[name], "evaluate_every": 1, "taps": [DEPTHS[name]]}
    straight = train(network(data), data, config(), **more)

    def dying(latents, logits, labels, batch):
        if batch.step == 6:
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels)

    saved = {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 3, **more}
    with pytest.raises(KeyboardInterrupt):
        train(network(data), data, config(), objective=dying, **saved)
    resumed = train(network(data, seed=8), data, config(), **saved)
    assert equal(resumed.model, straight.model) and resumed.curves == straight.curves
    assert straight.path.layout == "contiguous" and len(straight.curves["test_error"]) == 3
    with pytest.raises(RuntimeError, match="belongs to another training: data is"):
        train(network(data), data.subset(range(27)), config(), **saved)


@each_set
def test_arms_together_are_what_they_are_alone(name, equal):
    data = SETS[name]
    teacher, depth = Teacher(network(data, 5), [DEPTHS[name]]), DEPTHS[name]

    def guided(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) + (latents[depth] - teacher(batch)[depth]).square().mean()

    objectives, more = [None, guided], {"taps": [depth]}
    models = [network(data), network(data)]
    arms = train_many(models, data, config(), seeds=[4, 4], objectives=objectives, **more)
    for result, objective in zip(arms, objectives, strict=True):
        alone = train(network(data), data, config(), objective=objective, seed=4, **more)
        assert equal(result.model, alone.model) and result.curves == alone.curves


@each_set
def test_what_is_observed_comes_in_order(name):
    data, places = SETS[name], torch.arange(4)

    def look(model):
        model.eval()
        with torch.no_grad(), Taps(model, [DEPTHS[name]]) as taps:
            model(data.samples[places])
        return {"latents": taps.latents[DEPTHS[name]], "size": len(data)}

    result = train(network(data), data, config(), evaluate=look, evaluate_at=(0, 2))
    assert [tuple(x.shape) for x in result.seen["latents"]] == [(4, 8)] * 2
    assert result.curves["test_epoch"] == [0, 2] and result.curves["size"] == [28, 28]


@each_set
def test_bfloat16_is_near_float32(name):
    data = SETS[name]
    half = train(network(data), data, config(precision="bfloat16", epochs=1))
    whole = train(network(data), data, config(epochs=1))
    assert half.precision == "bfloat16" and half.diverged is None
    assert half.curves["train_loss"][0] == pytest.approx(whole.curves["train_loss"][0], rel=0.05)


@each_set
def test_a_replayed_step_gives_the_same_numbers(name, pretend, eager, close):
    data = SETS[name]
    replayed = train(network(data), data, config(epochs=2))
    assert replayed.path.captured and pretend
    assert close(replayed.model, eager(network(data), data, config(epochs=2)).model)


@each_set
def test_a_compiled_pass_is_trusted_where_it_agrees(name, monkeypatch, equal):
    monkeypatch.setattr(torch, "compile", lambda forward, **settings: forward)
    monkeypatch.setattr("lggkit.training.processor.has_compiler", lambda: True)
    data = SETS[name]
    result = train(network(data), data, config(compile=True))
    assert result.path.compiled and equal(result.model, train(network(data), data, config()).model)


@each_set
def test_batches_are_class_pure_where_that_is_asked(name):
    data = replace(SETS[name], sub_batch=2)
    batch = Stream(data, config(batch_size=6), seed=0).batch(0)
    assert batch.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_refusals_name_the_samples():
    data, normed = vectors(), nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    with pytest.raises(ValueError, match=r"last batch, of 1 \(25 vectors by 8\); set drop_last=True"):
        train(normed, data.subset(range(25)), config())
    with pytest.raises(ValueError, match="the data set texts is empty; give at least one text"):
        train(network(tokens()), tokens().subset([]), config())
    with pytest.raises(ValueError, match="no batch of 30 in 28 texts"):
        train(network(tokens()), tokens(), config(batch_size=30, drop_last=True))
