"""The papers' architectures, each with its declared ``depths`` (label -> submodule path, input to output).

Every layer starts as PyTorch initialises it (Kaiming-uniform with a = √5 for convolutions and linear layers,
BN at 1 and 0), because the authors' code does so. No operation is in place: every depth can be tapped.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from lggkit.data.checks import as_integer
from lggkit.networks.count import mac_count, parameter_count
from lggkit.networks.deep_resnet import DeepPreActResNet, bottleneck_resnet, wide_preact_resnet
from lggkit.networks.digit_networks import DigitNetwork, digit_cnn, digit_mlp
from lggkit.networks.embedding import Bottleneck, EmbeddingNetwork, with_embedding
from lggkit.networks.imagenet import ImageNetResNet, imagenet_resnet
from lggkit.networks.normalization import InputNormalization, NormalizedNetwork, with_normalization
from lggkit.networks.preact_resnet import PreActResNet18, preact_resnet18
from lggkit.networks.resnet import ResNet18, resnet18
from lggkit.networks.siblings import Sibling, efficientnet, googlenet, mobilenet_v2, vgg
from lggkit.networks.simple_cnn import SimpleCNN, simple_cnn
from lggkit.networks.small import SmallNet, small_net
from lggkit.networks.weights import load_weights, save_weights
from lggkit.networks.wide_resnet import WideResNet28, wide_resnet28
from lggkit.networks.words import WordNetwork

__all__ = [
    "NETWORKS",
    "TITLES",
    "Bottleneck",
    "DeepPreActResNet",
    "DigitNetwork",
    "EmbeddingNetwork",
    "ImageNetResNet",
    "InputNormalization",
    "NormalizedNetwork",
    "PreActResNet18",
    "ResNet18",
    "Sibling",
    "SimpleCNN",
    "SmallNet",
    "WideResNet28",
    "WordNetwork",
    "bottleneck_resnet",
    "build",
    "digit_cnn",
    "digit_mlp",
    "efficientnet",
    "googlenet",
    "imagenet_resnet",
    "load_weights",
    "mac_count",
    "mobilenet_v2",
    "parameter_count",
    "preact_resnet18",
    "resnet18",
    "save_weights",
    "simple_cnn",
    "small_net",
    "vgg",
    "wide_preact_resnet",
    "wide_resnet28",
    "with_embedding",
    "with_normalization",
]

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "bottleneck_resnet": bottleneck_resnet,
    "digit_cnn": digit_cnn,
    "digit_mlp": digit_mlp,
    "efficientnet": efficientnet,
    "googlenet": googlenet,
    "mobilenet_v2": mobilenet_v2,
    "preact_resnet18": preact_resnet18,
    "resnet18": resnet18,
    "simple_cnn": simple_cnn,
    "small_net": small_net,
    "vgg": vgg,
    "wide_preact_resnet": wide_preact_resnet,
    "wide_resnet28": wide_resnet28,
}
TITLES = {
    "bottleneck_resnet": "a pre-activation ResNet of bottlenecks",
    "digit_cnn": "a convolutional network of digits",
    "digit_mlp": "a dense network of digits",
    "efficientnet": "a narrow sibling of EfficientNet",
    "googlenet": "a narrow sibling of GoogLeNet",
    "mobilenet_v2": "a narrow sibling of MobileNetV2",
    "preact_resnet18": "PreActResNet-18",
    "resnet18": "ResNet-18",
    "simple_cnn": "a plain convolutional network",
    "small_net": "a small convolutional network",
    "vgg": "a narrow sibling of VGG",
    "wide_preact_resnet": "a pre-activation ResNet",
    "wide_resnet28": "WideResNet-28",
}
"""The same, as a sentence names them."""

WHOLE = {"channels", "classes", "depth", "width"}
"""Settings that are integers from 1 on."""


def build(name: str, seed: int | None = None, **settings: Any) -> nn.Module:
    """The network of that name, e.g. ``build("resnet18", seed=3, classes=10, width=16, channels=3)``.

    With a seed, the weights depend on nothing but it, the settings and PyTorch's version: they are drawn on
    the CPU and moved to the default device, and the global random state is left as it was. Without a seed
    they are drawn from the global state.

    Raises:
        ValueError: no network has this name, or a setting or the seed is out of range.
        TypeError: the network has no such setting, or ``classes``, ``width``, ``channels``, ``depth`` or
            ``seed`` is no integer.
    """
    if name not in NETWORKS:
        near = difflib.get_close_matches(name, NETWORKS) or sorted(NETWORKS)
        raise ValueError(f"no network is named {name!r}; choose {' or '.join(near)}")
    settings |= {name: as_integer(name, settings[name], 1) for name in WHOLE & settings.keys()}
    if not 0 < settings.get("widen", 1) < float("inf"):
        raise ValueError(f"widen is {settings['widen']}: give a positive number.")
    if seed is None:
        return NETWORKS[name](**settings)
    seed, device = as_integer("seed", seed), torch.get_default_device()
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        network = NETWORKS[name](**settings)
    return network.to(device)
