"""Trainings that cannot be made are refused before their first step, in one sentence."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.training import Stream, TrainConfig, train, train_many

POOL = nn.AdaptiveAvgPool2d(1)
NORMS = {
    "BatchNorm1d": lambda: nn.Sequential(nn.Flatten(), nn.Linear(72, 6), nn.BatchNorm1d(6)),
    "BatchNorm1d without statistics": lambda: nn.Sequential(
        nn.Flatten(), nn.BatchNorm1d(72, track_running_stats=False), nn.Linear(72, 6)
    ),
    "BatchNorm2d at 1x1": lambda: nn.Sequential(nn.Conv2d(2, 6, 3), POOL, nn.BatchNorm2d(6), nn.Flatten()),
    "GroupNorm at 1x1": lambda: nn.Sequential(nn.Conv2d(2, 6, 3), POOL, nn.GroupNorm(6, 6), nn.Flatten()),
}


def config(**settings):
    return TrainConfig(**{"epochs": 2, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


class Wrapped(nn.Module):
    """A network that answers in another form."""

    def __init__(self, inner, form):
        super().__init__()
        self.inner, self.form = inner, form

    def forward(self, x):
        return self.form(self.inner(x))


@pytest.mark.parametrize("norm", NORMS)
def test_a_last_batch_of_one_is_refused_at_the_start(make_data, norm, tmp_path):
    model = NORMS[norm]()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    said = r"the last batch, of 1 \(17 images by 8\); set drop_last=True or another batch_size"
    with pytest.raises(ValueError, match=said):
        train(model, make_data(17), config(), checkpoint=tmp_path / "run.pt")
    assert not list(tmp_path.iterdir())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("norm", NORMS)
def test_it_is_trained_when_the_last_batch_is_left_out(make_data, norm):
    result = train(NORMS[norm](), make_data(17), config(drop_last=True))
    assert result.steps == 4 and result.diverged is None


def test_batches_of_one_are_refused_alike(make_data):
    with pytest.raises(ValueError, match="in batches of 1; raise batch_size"):
        train(NORMS["BatchNorm1d"](), make_data(4), config(batch_size=1))
    with pytest.raises(ValueError, match=r"of 1 \(1 images by 8\)"):
        train(NORMS["BatchNorm1d"](), make_data(1), config())


def test_one_of_several_is_enough(make_data, make_net):
    with pytest.raises(ValueError, match="drop_last=True"):
        train_many([make_net(), NORMS["BatchNorm1d"]()], make_data(17), config(), seeds=[0, 1])


def test_instance_norm_at_one_position_is_refused_whatever_the_batch(make_data):
    model = nn.Sequential(nn.Conv2d(2, 6, 3), POOL, nn.InstanceNorm2d(6), nn.Flatten())
    with pytest.raises(ValueError, match="batches of 8; give larger images or take another normalisation"):
        train(model, make_data(16), config())


def test_a_batch_of_one_is_trained_where_it_can_be(make_data, make_net, equal):
    """Maps of several positions give batch norm its values; and the trial draws and counts nothing."""
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, second = (train(make_net(dropout=0.5), make_data(17), config()) for _ in range(2))
    assert first.steps == 6 and equal(first.model, second.model)
    assert torch.equal(torch.get_rng_state(), before)
    assert int(first.model.norm.num_batches_tracked) == 6


def test_drop_last_leaves_other_images_out_every_epoch(make_data):
    stream = Stream(make_data(21), config(drop_last=True), seed=0)
    assert stream.steps_per_epoch == 2 and stream.sizes().tolist() == [8, 8]
    seen = [torch.cat([stream.batch(step).index for step in part]) for part in ((0, 1), (2, 3))]
    assert all(len(set(part.tolist())) == 16 for part in seen)
    assert set(seen[0].tolist()) != set(seen[1].tolist())


def test_drop_last_changes_nothing_where_sizes_divide(make_data, make_net, equal):
    plain, dropped = (train(make_net(), make_data(16), config(drop_last=last)) for last in (False, True))
    assert equal(plain.model, dropped.model) and plain.curves == dropped.curves


def test_drop_last_goes_on_from_its_checkpoint(make_data, make_net, equal, tmp_path):
    class Killed(Exception):
        pass

    def killing(latents, logits, labels, batch):
        if batch.step == 3:
            raise Killed
        return F.cross_entropy(logits, labels)

    def whole(latents, logits, labels, batch):
        return F.cross_entropy(logits, labels)

    settings, data = config(drop_last=True), make_data(17)
    place = {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 1}
    with pytest.raises(Killed):
        train(make_net(), data, settings, objective=killing, **place)
    resumed = train(make_net(), data, settings, objective=whole, **place)
    assert equal(resumed.model, train(make_net(), data, settings, objective=whole).model)
    with pytest.raises(RuntimeError, match="drop_last is True there and None here"):
        train(make_net(), data, replace(settings, drop_last=False), objective=whole, **place)


def test_drop_last_that_leaves_no_batch_is_refused(make_data, make_net):
    with pytest.raises(ValueError, match="no batch of 8 in 7 images; set batch_size to at most 7"):
        train(make_net(), make_data(7), config(drop_last=True))


@pytest.mark.parametrize(
    "form",
    [
        lambda logits: (logits, None),
        lambda logits: [logits, logits],
        lambda logits: {"logits": logits, "hidden": None},
        lambda logits: {"out": logits},
        lambda logits: SimpleNamespace(logits=logits),
    ],
)
def test_a_model_may_answer_in_other_forms(data, make_net, equal, form):
    plain = train(make_net(), data, config())
    wrapped = train(Wrapped(make_net(), form), data, config())
    assert equal(wrapped.model.inner, plain.model) and wrapped.curves == plain.curves


@pytest.mark.parametrize(
    ("form", "error", "said"),
    [
        (lambda logits: None, TypeError, "the model returned NoneType"),
        (lambda logits: {"hidden": logits}, TypeError, "a dict with the keys 'hidden'"),
        (lambda logits: logits.detach().numpy(), TypeError, "the model returned ndarray"),
        (lambda logits: logits[:, 0], ValueError, r"logits \(8,\) for 8 samples; return \(n, classes\)"),
        (lambda logits: logits[:1], ValueError, r"logits \(1, 3\) for 8 samples"),
        (lambda logits: logits[None], ValueError, r"logits \(1, 8, 3\) for 8 samples"),
    ],
)
def test_an_answer_without_logits_is_refused_at_the_first_step(data, make_net, tmp_path, form, error, said):
    with pytest.raises(error, match=said):
        train(Wrapped(make_net(), form), data, config(), checkpoint=tmp_path / "run.pt")
    assert not list(tmp_path.iterdir())


def test_labels_that_no_class_has_are_refused(data, make_net):
    beyond = replace(data, labels=data.labels + 1, classes=tuple("abcd"))
    with pytest.raises(ValueError, match=r"labels run to 3, but the model tells 3 .*classes=4"):
        train(make_net(), beyond, config())
    with pytest.raises(ValueError, match=r"labels run from -1 to 1, .* number them from 0"):
        train(make_net(), replace(data, labels=data.labels - 1), config())
    own = train(
        make_net(), beyond, config(), objective=lambda latents, logits, labels: logits.square().mean()
    )
    assert own.diverged is None


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint8, torch.int32, torch.float32])
def test_labels_of_other_types_are_refused_by_the_data(data, dtype):
    with pytest.raises(ValueError, match=f"labels must be int64.*not {str(dtype)[6:]} "):
        replace(data, labels=data.labels.to(dtype))


@pytest.mark.parametrize("seed", [1.0, float("nan"), "1", None, True])
def test_a_seed_is_an_integer(data, make_net, seed):
    with pytest.raises(ValueError, match=r"seed is .*; give an integer$"):
        train(make_net(), data, config(), seed=seed)


def test_numpys_seeds_are_pythons(data, make_net, equal, tmp_path):
    ours = train(make_net(), data, config(), seed=np.int64(3), checkpoint=tmp_path / "run.pt")
    assert equal(ours.model, train(make_net(), data, config(), seed=3, checkpoint=tmp_path / "run.pt").model)


def test_runs_do_not_share_a_model_or_a_checkpoint(data, make_net, tmp_path):
    nets, file = [make_net(), make_net(1)], tmp_path / "a.pt"
    files = [file, f"{tmp_path}/b/../a.pt"]
    with pytest.raises(ValueError, match="runs 0 and 1 have one and the same checkpoint; give another path"):
        train_many(nets, data, config(), seeds=[0, 1], checkpoints=files)
    with pytest.raises(ValueError, match="runs 0 and 2 have one and the same model; give a copy"):
        train_many([*nets, nets[0]], data, config(), seeds=[0, 1, 2])
    for one in (file, f"{file}"):
        with pytest.raises(ValueError, match=r"checkpoints is one \w+; give a list, one for each"):
            train_many(nets, data, config(), seeds=[0, 1], checkpoints=one)
    with pytest.raises(ValueError, match="models is one Sequential; give a list"):
        train_many(nn.Sequential(*nets), data, config(), seeds=[0, 1])
    with pytest.raises(ValueError, match="seeds is one int; give a list"):
        train_many(nets, data, config(), seeds=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("counts", "settings", "said"),
    [
        (
            (7, 7, 7),
            {"batch_size": 10},
            "10 for 3 classes by a sub_batch of 4; give a multiple of 12",
        ),
        ((7, 7, 7), {"batch_size": 12}, "class 0 has 7 of 21 images, .* no more than 12; set drop_last=True"),
        ((20, 5, 20), {"batch_size": 12, "drop_last": True}, "class 1 has 5 of 45 .*; give as many of each"),
        ((9, 3, 9), {"batch_size": 12, "drop_last": True}, "class 1 has 3 .* fill no more than 0"),
    ],
)
def test_batches_are_made_of_whole_sub_batches(make_data, make_net, counts, settings, said):
    labels = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    data = replace(make_data(sum(counts)), labels=labels, sub_batch=4)
    with pytest.raises(ValueError, match=said):
        train(make_net(), data, config(**settings))


@pytest.mark.parametrize(("each", "drop_last"), [(8, False), (8, True), (11, True)])
def test_sub_batches_that_fit_are_the_same_in_every_batch(make_data, make_net, each, drop_last):
    data = replace(make_data(3 * each), labels=torch.arange(3 * each) % 3, sub_batch=4)
    seen = []

    def objective(latents, logits, labels):
        seen.append(labels.tolist())
        return F.cross_entropy(logits, labels)

    train(make_net(), data, config(batch_size=12, drop_last=drop_last), objective=objective)
    assert seen == [[0] * 4 + [1] * 4 + [2] * 4] * 4


@pytest.mark.parametrize("name", ["evaluate_every", "checkpoint_every"])
@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan"), "2"])
def test_an_interval_is_a_positive_integer(data, make_net, name, value):
    with pytest.raises(ValueError, match=f"{name} is .*; give an integer of at least 1"):
        train(make_net(), data, config(), **{name: value})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"evaluate_at": 2}, "evaluate_at is 2; give a list of epochs"),
        ({"evaluate_at": [-1]}, "an epoch of evaluate_at is -1; give an integer of at least 0"),
        ({"evaluate_at": [0, 1.5]}, "an epoch of evaluate_at is 1.5; give an integer"),
        ({"evaluate_at": [0, 3]}, "evaluate_at has epoch 3 of 2; give 0 to 2"),
        ({"evaluate_at": [1], "evaluate_every": 1}, "evaluate_every and evaluate_at exclude each other"),
        ({"evaluate_at": [1], "evaluate": None}, "evaluate_at says when, but nothing is evaluated"),
        ({"evaluate_every": 1, "evaluate": None}, "evaluate_every says when, but nothing is evaluated"),
    ],
)
def test_when_to_evaluate_is_said_once_and_can_come(data, make_net, given, said):
    with pytest.raises(ValueError, match=said):
        train(make_net(), data, config(), **{"evaluate": data, **given})


def test_a_frozen_model_is_refused(data, make_net):
    with pytest.raises(ValueError, match="no parameter of the model requires a gradient; unfreeze one"):
        train(make_net().requires_grad_(False), data, config())
