import pytest
import torch
from torch import nn
from torchvision import models

from lggkit.latents import default_depths, latents
from lggkit.networks import resnet18


@pytest.mark.parametrize(
    ("make", "count", "some"),
    [
        (models.resnet18, 10, ["conv1", "layer1.0", "layer4.1", "fc"]),
        (models.vgg11, 11, ["features.0", "classifier.6"]),
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
