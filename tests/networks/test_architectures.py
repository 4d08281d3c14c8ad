import pytest
import torch

from lggkit.latents import latents
from lggkit.networks import NETWORKS, build, mac_count, parameter_count

CIFAR = (3, 32, 32)


@pytest.mark.parametrize(
    ("name", "settings", "parameters"),
    [
        ("preact_resnet18", {}, 11_171_146),
        ("resnet18", {}, 11_173_962),
        ("resnet18", {"width": 16}, 701_466),
        ("resnet18", {"classes": 100}, 11_173_962 + 90 * 513),
        ("resnet18", {"channels": 1}, 11_173_962 - 2 * 9 * 64),
        ("preact_resnet18", {"classes": 100}, 11_171_146 + 90 * 513),
        ("wide_resnet28", {"widen": 1}, 369_690),
        ("wide_resnet28", {"widen": 0.5}, 94_154),
        ("simple_cnn", {}, 96_290),
        ("small_net", {}, 77_754),
        ("digit_cnn", {}, 206_874),
        ("digit_mlp", {}, 118_282),
        ("vgg", {}, 292_954),
        ("googlenet", {}, 237_706),
        ("mobilenet_v2", {}, 62_826),
        ("efficientnet", {}, 94_590),
        ("bottleneck_resnet", {"depth": 1001}, 10_327_706),
        ("bottleneck_resnet", {"depth": 164}, 1_703_258),
        ("bottleneck_resnet", {}, 590_426),
        ("bottleneck_resnet", {"width": 8}, 150_386),
        ("wide_preact_resnet", {}, 36_479_194),
        ("wide_preact_resnet", {"classes": 100}, 36_536_884),
    ],
)
def test_parameter_counts(name, settings, parameters):
    with torch.device("meta"):
        assert parameter_count(build(name, **settings)) == parameters


@pytest.mark.parametrize(("widen", "millions"), [(1, 55.0), (0.5, 14.8)])
def test_wide_resnet_costs_what_the_paper_says(widen, millions):
    with torch.device("meta"):
        macs = mac_count(build("wide_resnet28", widen=widen), CIFAR)
    assert round(macs / 1e6, 1) == millions


def shapes(name, size, **settings):
    with torch.device("meta"):
        network = build(name, **settings)
        taps = latents(network, torch.empty(2, *size), [*network.depths, "output"])
    return {depth: tuple(value.shape[1:]) for depth, value in taps.items()}


@pytest.mark.parametrize("name", ["resnet18", "preact_resnet18"])
def test_depths_of_the_18_layer_networks(name):
    by_depth = shapes(name, CIFAR)
    sides = [(64, 32), (64, 32), (128, 16), (128, 16), (256, 8), (256, 8), (512, 4), (512, 4)]
    expected = {f"block{i + 1}": (d, side, side) for i, (d, side) in enumerate(sides)}
    assert list(by_depth.items()) == [*expected.items(), ("penultimate", (512,)), ("output", (10,))]
    assert torch.Size(by_depth["block4"]).numel() == 32_768


def test_depths_of_the_wide_resnet():
    expected = {"stage1": (8, 32, 32), "stage2": (16, 16, 16), "stage3": (32, 8, 8), "penultimate": (32,)}
    by_depth = shapes("wide_resnet28", CIFAR, widen=0.5, classes=7)
    assert list(by_depth.items()) == [*expected.items(), ("output", (7,))]


@pytest.mark.parametrize(
    ("name", "settings", "widths"),
    [
        ("bottleneck_resnet", {"depth": 20, "width": 4}, (16, 32, 64)),
        ("wide_preact_resnet", {"depth": 10, "widen": 2}, (32, 64, 128)),
    ],
)
def test_depths_of_the_deep_networks(name, settings, widths):
    stages = zip(("stage1", "stage2", "stage3"), widths, (32, 16, 8), strict=True)
    expected = {stage: (d, side, side) for stage, d, side in stages}
    found = shapes(name, CIFAR, classes=7, **settings)
    assert list(found.items()) == [*expected.items(), ("penultimate", widths[-1:]), ("output", (7,))]


@pytest.mark.parametrize(
    ("name", "depth", "remedy"), [("bottleneck_resnet", 57, "9 n"), ("wide_preact_resnet", 4, "6 n")]
)
def test_depths_that_no_number_of_blocks_has_are_refused(name, depth, remedy):
    with pytest.raises(ValueError, match=rf"depth is {depth}; give {remedy} \+ "):
        build(name, depth=depth)


def test_bottleneck_by_hand():
    block = build("bottleneck_resnet", seed=0, depth=11, width=4).eval().stage2[0]
    x = torch.randn(2, 16, 6, 6)
    first = torch.relu(block.bn1(x))
    second = torch.relu(block.bn2(block.conv1(first)))
    third = torch.relu(block.bn3(block.conv2(second)))
    assert block.conv2.stride == (2, 2) and block.conv1.out_channels == 8
    torch.testing.assert_close(block(x), block.conv3(third) + block.shortcut(first))


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("vgg", (32, 64, 128, 128)),
        ("googlenet", (64, 128, 256, 256)),
        ("mobilenet_v2", (16, 32, 128, 128)),
        ("efficientnet", (16, 32, 128, 128)),
    ],
)
def test_depths_of_the_siblings(name, widths):
    sides = {f"stage{i + 1}": (d, 16 >> i, 16 >> i) for i, d in enumerate(widths[:3])}
    expected = sides | {"penultimate": widths[3:], "output": (10,)}
    assert shapes(name, CIFAR) == expected


@pytest.mark.parametrize(("name", "flat"), [("digit_cnn", 1568), ("digit_mlp", 128)])
def test_depths_of_the_networks_of_digits(name, flat):
    for side in (8, 28):
        found = shapes(name, (1, side, side))
        assert found == {"flat": (flat,), "penultimate": (128,), "output": (10,)}


@pytest.mark.parametrize(("channels", "side"), [(1, 8), (1, 28), (3, 32)])
def test_depths_of_the_small_net(channels, side):
    by_depth = shapes("small_net", (channels, side, side), channels=channels)
    half, quarter = side // 2, side // 4
    expected = {"stage1": (16, side, side), "middle": (32, half, half), "stage3": (64, quarter, quarter)}
    assert list(by_depth.items()) == [*expected.items(), ("penultimate", (64,)), ("output", (10,))]


@pytest.mark.parametrize("name", NETWORKS)
def test_relu_modules_run_once_and_nothing_is_in_place(name):
    network = build(name, seed=0, width=4, channels=1)
    paths = [path for path, module in network.named_modules() if isinstance(module, torch.nn.ReLU)]
    maps = latents(network, torch.rand(2, 1, 8, 8), [*paths, *network.depths])
    assert all((maps[path] >= 0).all() and (maps[path] == 0).any() for path in paths)


def test_17_relu_maps_in_the_order_of_the_data():
    network = build("preact_resnet18", seed=0, width=4).eval()
    maps = latents(network, torch.rand(2, 3, 32, 32), [*network.relu_depths, "penultimate"])
    assert [value.shape[1] for value in maps.values()] == [4] * 5 + [8] * 4 + [16] * 4 + [32] * 5
    assert [maps[f"relu{i}"].shape[-1] for i in range(1, 18)] == [32] * 5 + [16] * 4 + [8] * 4 + [4] * 4
    torch.testing.assert_close(maps["relu17"].mean((2, 3)), maps["penultimate"])


def test_preactivation_block_by_hand():
    network = build("preact_resnet18", seed=0, width=4).eval()
    block = network.blocks[2]
    x = torch.randn(2, 4, 6, 6)
    first = torch.relu(block.bn1(x))
    second = torch.relu(block.bn2(block.conv1(first)))
    torch.testing.assert_close(block(x), block.conv2(second) + block.shortcut(first))
    plain = network.blocks[0]
    second = torch.relu(plain.bn2(plain.conv1(torch.relu(plain.bn1(x)))))
    torch.testing.assert_close(plain(x), plain.conv2(second) + x)


def test_postactivation_block_by_hand():
    block = build("wide_resnet28", seed=0, width=4).eval().stage2[0]
    x = torch.randn(2, 4, 6, 6)
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
    torch.testing.assert_close(block(x), torch.relu(inner + block.shortcut[1](block.shortcut[0](x))))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_is_trained(name):
    network = build(name, seed=0, width=4, channels=1)
    network(torch.rand(4, 1, 16, 16)).square().sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not idle


def test_wide_resnet_without_channels_is_refused():
    with pytest.raises(ValueError, match=r"widen is 0\.01; the stages need at least 1/16"):
        build("wide_resnet28", widen=0.01)
