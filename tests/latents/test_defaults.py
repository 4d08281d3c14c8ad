import pytest
import torch
from torch import nn
from torchvision import models

from lggkit.latents import Taps, default_depths, latents, unwrapped
from lggkit.networks import resnet18


@pytest.mark.parametrize(
    ("make", "count", "some"),
    [
        (models.resnet18, 10, ["conv1", "layer1.0", "layer4.1", "fc"]),
        (models.vgg11, 11, ["features.1", "classifier.6"]),
        (models.vgg11_bn, 11, ["features.0", "classifier.1"]),
        (models.vit_b_16, 14, ["conv_proj", "encoder.layers.encoder_layer_11", "heads.head"]),
        (models.mobilenet_v3_small, 15, ["features.0.0", "features.1", "classifier.3"]),
    ],
)
def test_blocks_of_torchvision_are_found(make, count, some):
    with torch.device("meta"):
        names = default_depths(make())
    assert len(names) == count and set(some) <= set(names)


def test_what_a_network_declares_comes_first():
    network = resnet18(width=4)
    assert default_depths(network) == list({**getattr(network, "relu_depths", {}), **network.depths})
    assert latents(network.eval(), torch.zeros(4, 3, 32, 32), default_depths(network))


def test_a_network_without_weights_is_refused():
    with pytest.raises(ValueError, match="Sequential has no layer with weights; name its depths"):
        default_depths(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize("make", [models.alexnet, models.vgg11_bn, models.squeezenet1_1])
def test_layers_that_an_activation_changes_in_place_are_taken(make):
    with torch.device("meta"):
        network = make().eval()
        names = default_depths(network)
        found = latents(network, torch.zeros(4, 3, 64, 64), names)
    assert list(found) == names


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(10, 4), nn.LSTM(4, 5, batch_first=True)
        self.attention, self.norm = nn.MultiheadAttention(5, 1, batch_first=True), nn.RMSNorm(5)
        self.head = nn.Linear(5, 3)

    def forward(self, x):
        x = self.lstm(self.embedding(x))[0]
        return self.head(self.norm(self.attention(x, x, x)[0]))


def test_layers_with_several_outputs_give_the_first():
    names = default_depths(Recurrent())
    assert names == ["embedding", "lstm[0]", "attention[0]", "head"]
    found = latents(Recurrent(), torch.zeros(2, 6, dtype=torch.int64), names)
    assert [tuple(z.shape) for z in found.values()] == [(2, 6, 4), (2, 6, 5), (2, 6, 5), (2, 6, 3)]


def test_a_network_that_is_one_layer_has_its_output():
    assert default_depths(nn.Linear(2, 3)) == ["output"]
    assert latents(nn.Linear(2, 3), torch.zeros(1, 2), ["output"])["output"].shape == (1, 3)


@pytest.mark.parametrize("call", [default_depths, lambda m: Taps(m, ["output"]), unwrapped])
def test_what_is_no_network_is_refused(call):
    with pytest.raises(TypeError, match="model is a function; give a torch"):
        call(lambda x: x)
