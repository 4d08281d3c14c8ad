import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.training import CheckpointError, Teacher, TrainConfig, train, train_many


def config(**settings):
    return TrainConfig(**{"epochs": 5, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


def test_three_together_equal_three_alone_over_twenty_steps(data, make_net, equal):
    seeds = [0, 1, 2]
    together = train_many(
        [make_net(s, dropout=0.3) for s in seeds], data, config(), seeds=seeds, taps=["maps"]
    )
    for seed, result in zip(seeds, together, strict=True):
        alone = train(make_net(seed, dropout=0.3), data, config(), seed=seed)
        assert result.steps == 20 and equal(result.model, alone.model) and result.curves == alone.curves


def test_arms_have_their_own_objective_and_share_the_teachers_latents(data, make_net, equal):
    passes, network = [], make_net(7)
    network.register_forward_hook(lambda *_: passes.append(1))
    teacher = Teacher(network, ["output"])

    def distilled(weight):
        def objective(latents, logits, labels, batch):
            return (
                F.cross_entropy(logits, labels) + weight * (logits - teacher(batch)["output"]).square().mean()
            )

        return objective

    objectives = [None, distilled(0.1), distilled(1.0)]
    arms = train_many([make_net() for _ in range(3)], data, config(), seeds=[4] * 3, objectives=objectives)
    assert len(passes) == 20
    for result, objective in zip(arms, objectives, strict=True):
        assert equal(result.model, train(make_net(), data, config(), objective=objective, seed=4).model)
    assert not equal(arms[1].model, arms[2].model)


def test_in_whatever_order_arms_and_seeds_are_given_the_teacher_is_asked_once_a_batch(data, make_net):
    passes, network = [], make_net(7)
    network.register_forward_hook(lambda *_: passes.append(1))
    teacher = Teacher(network, ["output"])

    def distilled(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) + (logits - teacher(batch)["output"]).square().mean()

    train_many([make_net() for _ in range(4)], data, config(), seeds=[0, 1, 0, 1], objectives=[distilled] * 4)
    assert len(passes) == 2 * 20


def test_one_that_diverges_leaves_the_others_alone(data, make_net, equal):
    def broken(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels) * (float("nan") if batch.step == 3 else 1)

    bad, good = train_many([make_net(), make_net(1)], data, config(), seeds=[0, 1], objectives=[broken, None])
    assert "step 3" in bad.diverged and good.diverged is None
    assert equal(good.model, train(make_net(1), data, config(), seed=1).model)


def test_each_continues_from_its_own_checkpoint(data, make_net, equal, tmp_path):
    files = [tmp_path / "a.pt", tmp_path / "b.pt"]
    straight = train_many([make_net(0), make_net(1)], data, config(), seeds=[0, 1])

    def dies(latents, logits, labels, batch):
        if batch.step == 9:
            raise KeyboardInterrupt
        return F.cross_entropy(logits, labels)

    arguments = {"seeds": [0, 1], "checkpoints": files, "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        train_many([make_net(0), make_net(1)], data, config(), objectives=[None, dies], **arguments)
    resumed = train_many([make_net(0), make_net(1)], data, config(), **arguments)
    assert all(equal(a.model, b.model) for a, b in zip(straight, resumed, strict=True))
    with pytest.raises(CheckpointError, match="seed is 0 there and 1 here"):
        train_many([make_net(0), make_net(1)], data, config(), seeds=[1, 0], checkpoints=files)


@pytest.mark.parametrize("name", ["seeds", "objectives", "checkpoints", "tags"])
def test_lists_of_another_length_are_refused(data, make_net, name):
    arguments = {"seeds": [0, 1], name: [0]}
    with pytest.raises(ValueError, match=f"2 models are given 1 {name}"):
        train_many([make_net(), make_net()], data, config(), **arguments)


def test_an_objective_with_a_memory_is_each_models_own(data, make_net, equal):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("made", torch.zeros(()))

        def forward(self, latents, logits, labels):
            self.made += 1
            return self.made * F.cross_entropy(logits, labels)

    settings = TrainConfig(epochs=1, batch_size=8, pad=1, learning_rate=0.01)
    alone = train(make_net(), data, settings, objective=Counting()).model
    together = train_many([make_net(), make_net()], data, settings, seeds=[0, 0], objectives=Counting())
    assert all(equal(result.model, alone) for result in together)
