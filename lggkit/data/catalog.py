"""Every data set by name. Adding one is adding a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from lggkit.data import catdog, digits, digits_sample, published


@dataclass(frozen=True)
class Entry:
    """How a data set is read: its classes by label, and its title as a sentence names it.

    ``read(train, root)`` gives images uint8 (n, c, h, w) and labels int64 (n,). ``statistics`` are mean and
    std per channel of the training split on [0, 1], where they are known for the verified files (a test holds
    them equal to the computed); else they are computed when loading.
    """

    classes: tuple[str, ...]
    read: Callable[[bool, Path], tuple[Tensor, Tensor]]
    statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    title: str = ""


DIGITS_STATISTICS = ((0.30512315,), (0.37571885,))
FASHION_STATISTICS = ((0.2860406,), (0.35302424,))
CIFAR10_STATISTICS = ((0.49139968, 0.48215841, 0.44653091), (0.24703223, 0.24348513, 0.26158784))
CIFAR100_STATISTICS = ((0.50707516, 0.48654887, 0.44091784), (0.26733429, 0.25643846, 0.27615047))

DATASETS: dict[str, Entry] = {
    "digits": Entry(published.DIGIT_CLASSES, digits.read, DIGITS_STATISTICS, "handwritten digits"),
    "cifar10": Entry(published.CIFAR10_CLASSES, published.CIFAR10, CIFAR10_STATISTICS, "CIFAR-10"),
    "cifar100": Entry(published.CIFAR100_CLASSES, published.CIFAR100, CIFAR100_STATISTICS, "CIFAR-100"),
    "svhn": Entry(published.DIGIT_CLASSES, published.SVHN, title="SVHN"),
    "mnist-10k": Entry(published.DIGIT_CLASSES, digits_sample.read, title="10,000 MNIST digits"),
    "mnist": Entry(published.DIGIT_CLASSES, published.MNIST, title="MNIST"),
    "fashion-mnist": Entry(
        published.FASHION_CLASSES, published.FASHION_MNIST, FASHION_STATISTICS, "Fashion-MNIST"
    ),
    "catdog": Entry(catdog.CLASSES, catdog.read, title="cats and dogs"),
}
