import numpy as np
import pytest
import torch

from lggkit.networks import NETWORKS, build, mac_count, parameter_count


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_seed_decides_the_weights(name):
    one = build(name, seed=7, width=4)
    torch.manual_seed(99)
    assert same(one, build(name, seed=7, width=4))
    assert not same(one, build(name, seed=8, width=4))


def test_a_seed_leaves_the_global_state_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    build("small_net", seed=5)
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_without_a_seed_the_global_state_decides():
    torch.manual_seed(1)
    one = build("small_net")
    other = build("small_net")
    torch.manual_seed(1)
    assert same(one, build("small_net"))
    assert not same(one, other)


def test_the_default_device_receives_the_network():
    with torch.device("meta"):
        network = build("small_net", seed=0)
    assert {value.device.type for value in network.state_dict().values()} == {"meta"}


def test_unknown_names_and_settings_are_refused():
    with pytest.raises(ValueError, match="no network is named 'resnet81'; choose resnet18"):
        build("resnet81")
    with pytest.raises(TypeError, match="depth"):
        build("small_net", depth=3)


@pytest.mark.parametrize("name", ["resnet18", "wide_preact_resnet"])
@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"width": 0}, ValueError, "width is 0: give an integer from 1 on"),
        ({"classes": 0}, ValueError, "classes is 0: give"),
        ({"channels": -3}, ValueError, "channels is -3: give"),
        ({"width": 2.5}, TypeError, r"width is 2\.5: give an integer"),
        ({"classes": True}, TypeError, "classes is True: give an integer"),
        ({"depth": "28"}, TypeError, "depth is '28': give an integer"),
        ({"widen": 0}, ValueError, "widen is 0: give a positive number"),
        ({"widen": float("nan")}, ValueError, "widen is nan: give"),
    ],
)
def test_sizes_that_no_network_has_are_one_sentence(name, settings, error, said):
    with pytest.raises(error, match=said):
        build(name, seed=0, **settings)


def test_a_network_may_be_widened_by_a_fraction():
    assert build("wide_resnet28", seed=0, widen=0.5, width=4).stage1[0].conv1.out_channels == 2
    assert build("small_net", seed=0, width=torch.tensor(4)).classifier.in_features > 0


def test_counts_leave_the_network_as_it_was():
    network = build("small_net", seed=0)
    network.stage2.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert mac_count(network, (1, 8, 8)) == 763_520
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.training and network.stage1.training and not network.stage2.bn1.training
    assert not any(module._forward_hooks for module in network.modules())


def test_macs_of_layers_counted_by_hand():
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(4, 6, 3, groups=2, stride=2, padding=1), torch.nn.Flatten(), torch.nn.Linear(54, 5)
    )
    assert mac_count(layers, (4, 6, 6)) == 6 * 3 * 3 * (2 * 3 * 3) + 54 * 5
    assert parameter_count(layers) == 6 * 2 * 9 + 6 + 54 * 5 + 5


def test_a_network_without_weights_costs_nothing():
    assert mac_count(torch.nn.Flatten(), (3, 4, 4)) == 0


def test_a_seed_is_an_integer():
    assert same(build("small_net", seed=np.int64(3)), build("small_net", seed=3))
    for seed in (1.5, True, "3"):
        with pytest.raises(TypeError, match=f"seed is {seed!r}: give an integer"):
            build("small_net", seed=seed)
    with pytest.raises(ValueError, match=f"seed is {2**70}: give an integer from .* to {2**63 - 1}"):
        build("small_net", seed=2**70)
