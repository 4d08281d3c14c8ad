"""Two small networks of digits, convolutional and dense, whose penultimate layers are equally wide."""

from __future__ import annotations

from torch import Tensor, nn

from lggkit.networks.blocks import conv3x3

SIDE, KERNELS = 28, 32


class DigitNetwork(nn.Module):
    """A body, a hidden layer of ``width`` ReLUs and a linear layer to the classes.

    Images (n, channels, h, w) -> logits (n, classes). ``depths`` are ``flat``, the body's entries in a row
    (n, d), and ``penultimate``, the hidden layer (n, width).
    """

    def __init__(self, body: nn.Module, entries: int, classes: int, width: int) -> None:
        super().__init__()
        self.body = body
        self.hidden = nn.Sequential(nn.Linear(entries, width), nn.ReLU())
        self.classifier = nn.Linear(width, classes)
        self.depths = {"flat": "body", "penultimate": "hidden"}

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.hidden(self.body(x)))


def digit_cnn(classes: int = 10, width: int = 128, channels: int = 1) -> DigitNetwork:
    """Two 3×3 convolutions, each before a maximum over 2×2, then 1,568 entries; images of 28×28.

    Images of other sizes are reduced to 7×7 positions too. 206,874 parameters by default.
    """
    body = nn.Sequential(
        *(conv3x3(channels, KERNELS // 2), nn.ReLU(), nn.MaxPool2d(2)),
        *(conv3x3(KERNELS // 2, KERNELS), nn.ReLU(), nn.AdaptiveMaxPool2d(SIDE // 4), nn.Flatten()),
    )
    return DigitNetwork(body, KERNELS * (SIDE // 4) ** 2, classes, width)


def digit_mlp(classes: int = 10, width: int = 128, channels: int = 1) -> DigitNetwork:
    """Two hidden layers of ``width`` ReLUs on the pixels, images of other sizes than 28×28 resampled.

    118,282 parameters by default.
    """
    pixels = (nn.AdaptiveAvgPool2d(SIDE), nn.Flatten(), nn.Linear(channels * SIDE**2, width), nn.ReLU())
    return DigitNetwork(nn.Sequential(*pixels), width, classes, width)
