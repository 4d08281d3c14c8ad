import pytest
import torch

from lggkit.latents import latents
from lggkit.networks import InputNormalization, build, with_normalization

MEAN, STD = (0.4, 0.5, 0.6), (0.1, 0.2, 0.25)


def test_normalizes_each_channel():
    x = torch.rand(2, 3, 4, 4, dtype=torch.float32)
    out = InputNormalization(MEAN, STD)(x)
    for channel in range(3):
        torch.testing.assert_close(out[:, channel], (x[:, channel] - MEAN[channel]) / STD[channel])


def test_bytes_are_scaled_to_the_unit_interval():
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    layer = InputNormalization(MEAN, STD)
    torch.testing.assert_close(layer(images), layer(images.float() / 255), rtol=0, atol=0)


def test_depths_keep_working_inside():
    bare = build("preact_resnet18", seed=0, width=4).eval()
    wrapped = with_normalization(bare, MEAN, STD).eval()
    assert list(wrapped.depths) == list(bare.depths)
    assert list(wrapped.relu_depths) == list(bare.relu_depths)
    images = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8)
    names = ["block4", "relu17", "penultimate", "output"]
    inside = latents(wrapped, images, ["input", "normalization", *names])
    assert torch.equal(inside["input"], images)
    outside = latents(bare, inside["normalization"], names)
    assert all(torch.equal(inside[name], outside[name]) for name in names)


def test_statistics_follow_the_network_and_its_weights():
    wrapped = with_normalization(build("small_net", seed=0, width=4).double(), [0.3], [0.2]).double()
    assert wrapped(torch.rand(2, 1, 8, 8)).dtype == torch.float64
    assert {"normalization.mean", "normalization.std"} <= set(wrapped.state_dict())
    with torch.device("meta"):
        shell = with_normalization(build("small_net"), [0.3], [0.2])
    assert shell.normalization.mean.is_meta


def test_gradients_reach_the_image():
    x = torch.rand(1, 3, 2, 2, requires_grad=True)
    InputNormalization(MEAN, STD)(x).sum().backward()
    torch.testing.assert_close(x.grad[0, :, 0, 0], 1 / torch.tensor(STD))


@pytest.mark.parametrize(
    ("mean", "std", "message"),
    [
        ([0.5], [0.5, 0.5], "mean has 1 channels and std 2"),
        ([0.5], [0.0], "positive finite"),
        ([float("nan")], [1.0], "finite means"),
    ],
)
def test_bad_statistics_are_refused(mean, std, message):
    with pytest.raises(ValueError, match=message):
        InputNormalization(mean, std)


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="1 channels, but mean and std have 3"):
        InputNormalization(MEAN, STD)(torch.rand(2, 1, 4, 4))
    with pytest.raises(TypeError, match=r"torch\.int64"):
        InputNormalization(MEAN, STD)(torch.ones(2, 3, 4, 4, dtype=torch.int64))
