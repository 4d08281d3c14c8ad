"""Depths of networks that something else holds: compiled, parallel, averaged, checkpointed."""

import pytest
import torch
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.optim.swa_utils import AveragedModel

from lggkit.latents import Taps, latents, resolve_depths, unwrapped
from lggkit.networks import build, with_normalization


@pytest.fixture
def network():
    return build("small_net", seed=0, width=4).eval()


@pytest.fixture
def x():
    return torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def compiled(model):
    torch._dynamo.reset()
    return torch.compile(model, backend="eager")


class Doubling(nn.Module):
    """A wrapper that nobody knows, and that changes what comes out."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return 2 * self.module(x)


WRAPPERS = {
    "compiled": compiled,
    "parallel": nn.DataParallel,
    "averaged": AveragedModel,
    "checkpointed": checkpoint_wrapper,
    "parallel of compiled": lambda m: nn.DataParallel(compiled(m)),
    "averaged of parallel": lambda m: AveragedModel(nn.DataParallel(m)),
    "parallel twice": lambda m: nn.DataParallel(nn.DataParallel(m)),
}


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # PyTorch's own
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapped_network_has_the_depths_of_the_network(network, x, wrap):
    names = ["input", "middle", "stage1.relu1", "output"]
    expected, wrapped = latents(network, x, names), wrap(network)
    assert resolve_depths(wrapped, names) == resolve_depths(network, names)
    with Taps(wrapped, names) as taps:
        output = wrapped(x)
    for name in names:
        torch.testing.assert_close(taps.latents[name], expected[name])
    assert taps.latents["output"] is output
    tapped = latents(wrapped, x, names)
    assert all(torch.equal(tapped[name], taps.latents[name]) for name in names)


def test_paths_of_the_wrapper_itself_still_do(network):
    wrapped = nn.DataParallel(network)
    for name, path in {"module.stage1": "stage1", "module.middle": "stage2", "module": "output"}.items():
        assert resolve_depths(wrapped, [name]) == {name: path}
    with pytest.raises(ValueError, match=r"no depth 'module\.stage9'; did you mean one of stage"):
        resolve_depths(wrapped, ["module.stage9"])


def test_distributed_networks(network, x):
    import torch.distributed as dist

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(network)
        with Taps(wrapped, ["middle", "output"]) as taps:
            (wrapped(x).sum() + taps.latents["middle"].sum()).backward()
        assert taps.latents["middle"].shape == (3, 8, 4, 4)
        assert resolve_depths(wrapped, ["middle"]) == {"middle": "stage2"}
    finally:
        dist.destroy_process_group()


def test_fully_sharded_modules_are_known_by_the_name_of_what_they_hold():
    class Sharded(nn.Module):
        def __init__(self, module):
            super().__init__()
            self._fsdp_wrapped_module = module

        def forward(self, x):
            return self._fsdp_wrapped_module(x)

    inner = Sharded(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    model = Sharded(nn.Sequential(nn.Linear(2, 2), inner))
    assert unwrapped(model) is model._fsdp_wrapped_module
    assert resolve_depths(model, ["1", "1.1"]) == {"1": "1", "1.1": "1._fsdp_wrapped_module.1"}
    tapped = latents(model, torch.rand(3, 2), ["1", "1.1"])
    assert tapped["1"] is tapped["1.1"]


def test_an_unknown_wrapper_lends_names_and_keeps_its_output(network, x):
    wrapped = Doubling(network)
    assert unwrapped(wrapped) is wrapped
    names = ["middle", "stage1", "module.middle", "module.stage1"]
    paths = dict(zip(names, ["module.stage2", "module.stage1"] * 2, strict=True))
    assert resolve_depths(wrapped, names) == paths
    torch.testing.assert_close(latents(wrapped, x, ["output"])["output"], 2 * network(x))


def test_a_network_inside_another_lends_its_labels_behind_its_path(network, x):
    model = nn.Sequential(nn.Identity(), network)
    assert resolve_depths(model, ["1.middle"]) == {"1.middle": "1.stage2"}
    assert torch.equal(latents(model, x, ["1.middle"])["1.middle"], latents(network, x, ["middle"])["middle"])


def test_labels_pass_a_normalisation_around_a_wrapped_network(network, x):
    model = with_normalization(nn.DataParallel(network), [0.5], [0.5])
    assert resolve_depths(model, ["middle"]) == {"middle": "model.module.stage2"}
    assert latents(model, x, ["middle"])["middle"].shape == (3, 8, 4, 4)


def test_a_compiled_part_is_tapped_by_its_name_and_inside(x):
    torch._dynamo.reset()
    part = torch.compile(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), backend="eager")
    model, x = nn.Sequential(part, nn.Linear(4, 2)), torch.rand(5, 3)
    assert resolve_depths(model, ["0", "0.1"]) == {"0": "0", "0.1": "0._orig_mod.1"}
    tapped = latents(model, x, ["0", "0.1"])
    assert torch.equal(tapped["0"], tapped["0.1"])


def test_an_attribute_that_is_called_depths_by_chance_is_no_label():
    model = nn.Sequential(nn.Linear(2, 2))
    model.depths, model[0].depths = [2, 2, 6, 2], {"stage": 3}
    assert resolve_depths(model, ["0"]) == {"0": "0"}
    with pytest.raises(ValueError, match="no depth 'stage'"):
        resolve_depths(model, ["stage"])


def test_replicas_on_several_devices_are_refused(network, x):
    with Taps(nn.DataParallel(network), ["middle"]) as taps:
        with pytest.raises(
            RuntimeError, match=r"replicas of nn\.DataParallel; call the network itself on one"
        ):
            network._replicate_for_data_parallel()(x)
        with pytest.raises(RuntimeError, match="hold no latents"):
            _ = taps.latents


@pytest.mark.parametrize("names", [None, 3, [0], ["middle", None]])
def test_names_that_are_no_strings_are_refused(network, names):
    with pytest.raises(TypeError, match=r"depths (is|holds) .*; give"):
        resolve_depths(network, names)
