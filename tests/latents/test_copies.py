"""A network that is copied or stored while it is tapped: the copy is free of hooks and of latents."""

import copy
import gc
import io
import pickle
import weakref

import pytest
import torch
from torch import fx, nn
from torch.optim.swa_utils import AveragedModel

from lggkit.latents import Taps, latents
from lggkit.networks import build, with_normalization

NAMES = ["input", "middle", "stage1.relu1", "output"]


@pytest.fixture
def network():
    return build("small_net", seed=0, width=4).eval()


@pytest.fixture
def x():
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def stored(model):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda m: pickle.loads(pickle.dumps(m)),
    "torch.save": stored,
    "averaged": lambda m: AveragedModel(m).module,
    "averaged by a formula": lambda m: AveragedModel(m, avg_fn=lambda a, b, n: 0.9 * a + 0.1 * b).module,
    "copied twice": lambda m: copy.deepcopy(copy.deepcopy(m)),
    "in a wrapper": lambda m: copy.deepcopy(with_normalization(m, [0.0], [1.0])).model,
    "in a list": lambda m: copy.deepcopy([m, {"best": m}])[1]["best"],
}
TABLES = ("hooks", "pre_hooks", "hooks_with_kwargs", "hooks_always_called", "pre_hooks_with_kwargs")


def hooks(model):
    return sum(len(getattr(part, f"_forward_{table}")) for part in model.modules() for table in TABLES)


def left_behind(model):
    return [
        name for part in model.modules() for name in ("__getstate__", "__deepcopy__") if name in vars(part)
    ]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("passes", [0, 1])
def test_a_copy_has_neither_hooks_nor_latents(network, x, way, passes):
    with Taps(network, NAMES) as taps:
        for _ in range(passes):
            network(x)
        latent = taps.latents["middle"] if passes else None
        twin = way(network)
        assert hooks(twin) == 0 and left_behind(twin) == []
        assert torch.equal(twin(x), network.eval()(x))
        before = taps.latents["middle"]
        twin(2 * x)
        assert taps.latents["middle"] is before and (latent is None or torch.equal(latent, before))
    assert hooks(network) == 0 and left_behind(network) == []
    assert torch.equal(latents(twin, x, ["middle"])["middle"], before)


def test_a_copy_is_free_in_the_middle_of_a_pass(x):
    class Copying(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            x = self.first(x)
            twins.append(copy.deepcopy(self))
            return self.second(x)

    twins, model = [], Copying()
    latents(model, torch.rand(2, 4), ["first", "second"])
    assert hooks(twins[0]) == 0 and left_behind(twins[0]) == []


def test_the_hooks_of_others_are_copied(network, x):
    network.stage1.register_forward_hook(double)
    with Taps(network, ["stage1"]):
        network.register_forward_hook(double)
        twin = copy.deepcopy(network)
    assert hooks(twin) == hooks(network) == 2 and torch.equal(twin(x), network(x))


def double(module, args, output):
    return 2 * output


def test_nested_taps_leave_copies_free_until_the_last_is_off(network, x):
    with Taps(network, ["middle"]):
        with Taps(network, ["middle", "stage1"]):
            assert hooks(copy.deepcopy(network)) == 0
        network(x)
        assert hooks(copy.deepcopy(network)) == 0 and hooks(network) > 0
    assert left_behind(network) == []


def test_a_copy_does_not_keep_the_latents_alive(network, x):
    with Taps(network, ["middle"]) as taps:
        network(x)
        reference, twin = weakref.ref(taps.latents["middle"]), copy.deepcopy(network)
    taps.clear()
    gc.collect()
    assert reference() is None and isinstance(twin, nn.Module)


def test_copied_taps_are_off_and_tap_the_copied_network(network, x):
    with Taps(network, ["middle"], detach=True) as taps:
        network(x)
        for twin, model in (copy.deepcopy((taps, network)), pickle.loads(pickle.dumps((taps, network)))):
            assert twin.model is model is not network
            with pytest.raises(RuntimeError, match="hold no latents"):
                _ = twin.latents
            with twin:
                model(x)
            assert torch.equal(twin.latents["middle"], taps.latents["middle"]) and twin.detach


class OwnCopy(nn.Linear):
    def __deepcopy__(self, memo):
        twin = type(self)(self.in_features, self.out_features)
        twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return twin


class OwnState(nn.Linear):
    def __getstate__(self):
        return super().__getstate__() | {"mark": 1}


@pytest.mark.parametrize("kind", [OwnCopy, OwnState])
def test_classes_with_a_way_of_their_own(kind):
    model = nn.Sequential(kind(3, 3), nn.ReLU())
    with Taps(model, ["0"]) as taps:
        model(torch.rand(2, 3))
        twin = copy.deepcopy(model)
        assert hooks(twin) == 0 and left_behind(twin) == []
        again = copy.deepcopy(twin)
        assert torch.equal(again[0].weight, model[0].weight) and again[0] is not twin[0]
        assert isinstance(taps.latents["0"], torch.Tensor)
    assert getattr(twin[0], "mark", 1) == 1


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_traced_graphs(way):
    model, x = fx.symbolic_trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU())), torch.rand(2, 3)
    with Taps(model, ["0", "output"]) as taps:
        model(x)
        latent = taps.latents["0"]
        twin = WAYS[way](model)
        assert torch.equal(twin(x), model(x)) and torch.equal(copy.deepcopy(twin)(x), model(x))
        latent = taps.latents["0"]
        twin(2 * x)
        assert taps.latents["0"] is latent


def test_a_shallow_copy_is_free_itself(network):
    with Taps(network, ["output"]):
        assert hooks(copy.copy(network)) == 0
