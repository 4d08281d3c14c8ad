"""Residual networks for photographs, with ImageNet weights from a file: what paper 3 fine-tunes."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from lggkit.networks.weights import load_weights

RESNET101 = (3, 4, 23, 3)
IMAGENET_CLASSES = 1000


class ImageNetResNet(nn.Module):
    """torchvision's bottleneck ResNet with declared ``depths``.

    Images (n, 3, h, w), normalised -> logits (n, classes). ``depths`` are ``unit1`` … ``unit33`` (at 101
    layers), each residual unit after its last ReLU, and ``penultimate``, the pooled vector (n, 2048, 1, 1).
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        stages = [f"layer{i}" for i in range(1, 5)]
        units = [f"net.{stage}.{i}" for stage in stages for i in range(len(getattr(net, stage)))]
        self.depths = {f"unit{i}": path for i, path in enumerate(units, start=1)} | {
            "penultimate": "net.avgpool"
        }

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def imagenet_resnet(
    classes: int = IMAGENET_CLASSES, weights: str | Path | None = None, units: tuple[int, ...] = RESNET101
) -> ImageNetResNet:
    """ResNet-101, or of other ``units`` a stage, with a fresh last layer where the classes are others.

    Args:
        classes: outputs; those of ImageNet keep the file's last layer.
        weights: a file of ImageNet weights as torchvision publishes them, such as
            ``resnet101-63fe2227.pth``; random ones without it. Nothing is downloaded.
        units: residual units in each of the four stages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is one of another network, see `load_weights`.
    """
    from torchvision.models.resnet import Bottleneck, ResNet

    net = ResNet(Bottleneck, list(units), num_classes=IMAGENET_CLASSES)
    if weights is not None:
        load_weights(net, weights)
    if classes != IMAGENET_CLASSES:
        net.fc = nn.Linear(net.fc.in_features, classes)
    return ImageNetResNet(net)
