"""CIFAR-10H: how often people chose each class for each CIFAR-10 test image (Peterson et al., 2019).

One NumPy file, in the order of the test images. Read as it is; nothing is downloaded.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.data.files import DataCorrupt, File, read_verified, root

CIFAR10H = File("cifar10h/cifar10h-counts.npy", "f1284b6fba48a67d3db69bbafb5685ad")
CLASSES = 10


def load_cifar10h(folder: Path | None = None) -> Tensor:
    """Counts int64 (10000, 10) of people's answers; ``folder`` is that of all data sets (`lggkit.data.root`).

    Raises:
        DataUnavailable: the file is not there; the message names it.
        DataCorrupt: it is not what was published.
    """
    return parse_counts(read_verified(folder or root(), CIFAR10H))


def parse_counts(contents: bytes) -> Tensor:
    """The counts int64 (n, 10) of such a file's contents, of any number of images.

    Raises:
        DataCorrupt: it holds no table of ten columns of whole numbers from 0 on, or an image that nobody saw.
    """
    try:
        counts = np.load(io.BytesIO(contents), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataCorrupt(f"the counts of CIFAR-10H are no NumPy file ({error}); put it back") from error
    if counts.ndim != 2 or counts.shape[1] != CLASSES or not np.issubdtype(counts.dtype, np.number):
        raise DataCorrupt(
            f"the counts of CIFAR-10H have shape {counts.shape}, not (n, 10); put the file back"
        )
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.floor(counts)).all()):
        raise DataCorrupt("the counts of CIFAR-10H are not all whole numbers from 0 on; put the file back")
    if bad := int((counts.sum(1) == 0).sum()):
        raise DataCorrupt(f"{bad} images of CIFAR-10H have no answer at all; put the file back")
    return torch.from_numpy(counts.astype(np.int64))


def generated_counts(labels: Tensor, classes: int = CLASSES, people: int = 50, seed: int = 0) -> Tensor:
    """Counts of the same form that nobody gave, int64 (n, classes), for tests and trials.

    ``people`` answer for each of ``labels`` (n,) by chance: a few of the images are ambiguous between their
    class and the next one.
    """
    source = np.random.default_rng(seed)
    sure = torch.from_numpy(1 - source.beta(0.3, 2.0, len(labels)) / 2)[:, None]
    own = F.one_hot(labels.cpu().long(), classes).double()
    shares = 0.98 * (sure * own + (1 - sure) * own.roll(1, 1)) + 0.02 / classes
    return torch.from_numpy(source.multinomial(people, shares.numpy()).astype(np.int64))
