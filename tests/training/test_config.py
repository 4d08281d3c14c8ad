import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from lggkit.training import MultiStep, TrainConfig


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2.0}, "epochs is 2.0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"pad": -1}, "pad is -1"),
        ({"optimizer": "lion"}, "optimizer is 'lion'"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"momentum": 1.0}, "momentum is 1.0"),
        ({"weight_decay": -1e-4}, "weight_decay is -0.0001"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0"),
        ({"precision": "float16"}, "precision is 'float16'"),
        ({"compile": "yes"}, "compile is 'yes'"),
        ({"epochs": True}, "epochs is True"),
        ({"epochs": float("nan")}, "epochs is nan"),
        ({"epochs": "3"}, "epochs is '3'"),
        ({"batch_size": float("inf")}, "batch_size is inf"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"learning_rate": "0.1"}, "learning_rate is '0.1'"),
        ({"learning_rate": None}, "learning_rate is None"),
        ({"learning_rate": True}, "learning_rate is True"),
        ({"momentum": float("nan")}, "momentum is nan"),
        ({"momentum": -0.1}, "momentum is -0.1"),
        ({"weight_decay": float("inf")}, "weight_decay is inf"),
        ({"weight_decay": float("nan")}, "weight_decay is nan"),
        ({"label_smoothing": float("nan")}, "label_smoothing is nan"),
        ({"augment": "False"}, "augment is 'False'"),
        ({"flip": None}, "flip is None"),
        ({"channels_last": 1}, "channels_last is 1"),
        ({"drop_last": "yes"}, "drop_last is 'yes'"),
        ({"compile": 0}, "compile is 0"),
        ({"schedule": None}, "schedule is None; give a Schedule"),
        ({"schedule": "cosine"}, "schedule is 'cosine'; give a Schedule"),
        ({"schedule": MultiStep((float("inf"),))}, "milestone inf lies outside"),
        ({"optimizer": "adam", "nesterov": True}, "nesterov needs sgd"),
        ({"momentum": 0.0, "nesterov": True}, "nesterov needs sgd"),
        ({"epochs": 60, "schedule": MultiStep((60,))}, "milestone 60 lies outside 60 epochs"),
    ],
)
def test_a_setting_out_of_range_is_named(settings, named):
    with pytest.raises(ValueError, match=named):
        TrainConfig(**{"epochs": 5, **settings})


def test_numpys_numbers_become_pythons():
    config = TrainConfig(epochs=np.int64(3), batch_size=np.uint16(8), learning_rate=np.float32(0.5))
    plain = TrainConfig(epochs=3, batch_size=8, learning_rate=0.5)
    assert config == plain and json.dumps(asdict(config)) == json.dumps(asdict(plain))


def test_a_config_is_frozen_and_hashable():
    assert hash(TrainConfig(epochs=3)) == hash(TrainConfig(epochs=3)) != hash(TrainConfig(epochs=4))
    with pytest.raises(AttributeError):
        TrainConfig(epochs=3).epochs = 4


def test_the_optimizers_take_their_settings():
    weight = [torch.nn.Parameter(torch.zeros(2))]
    sgd = TrainConfig(epochs=1, momentum=0.5, nesterov=True, weight_decay=0.1).optimizer_for(weight, 0.3)
    assert isinstance(sgd, torch.optim.SGD)
    group = sgd.param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"], group["weight_decay"]) == (0.3, 0.5, True, 0.1)
    assert torch.equal(sgd.state[weight[0]]["momentum_buffer"], torch.zeros(2))
    adam = TrainConfig(epochs=1, optimizer="adam", weight_decay=0.2).optimizer_for(weight, 0.3)
    assert isinstance(adam, torch.optim.Adam)
    assert adam.param_groups[0]["weight_decay"] == 0.2


@pytest.mark.parametrize("nesterov", [False, True])
def test_a_weight_whose_gradient_comes_late_is_trained_like_any_other(nesterov):
    """Momentum that begins at 0 equals torch's plain optimizer, which begins at the first gradient."""
    config = TrainConfig(epochs=1, momentum=0.9, nesterov=nesterov, weight_decay=0.0)
    weights, plain = ([torch.nn.Parameter(torch.ones(2)) for _ in range(2)] for _ in range(2))
    ours = config.optimizer_for(weights, 0.1)
    theirs = torch.optim.SGD(plain, lr=0.1, momentum=0.9, nesterov=nesterov, fused=False)
    for step in range(4):
        for parameters, optimizer in ((weights, ours), (plain, theirs)):
            parameters[0].grad = torch.full((2,), 1.0 + step)
            parameters[1].grad = torch.full((2,), 2.0) if step >= 2 else None
            optimizer.step()
    torch.testing.assert_close(weights, plain)
