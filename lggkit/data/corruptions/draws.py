"""Random numbers that belong to an image and not to a batch, the same on every device."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor


class Draws:
    """A stream of random numbers for each image, a function of (seed, name, severity, place of the image).

    The q-th number of an image is a hash of q under two 32-bit keys, which are themselves hashes of the
    image's place under four words from SHA-256 of seed, name and severity. There is no state besides q, so
    that neither the batch in which an image comes nor the device has a say.

    Args:
        seed: any integer.
        name: of the corruption.
        severity: 1..5.
        places: int64 (n,), the images' places in their set, 0..2³¹-1; the numbers appear on their device.
    """

    def __init__(self, seed: int, name: str, severity: int, places: Tensor) -> None:
        digest = hashlib.sha256(f"{seed}/{name}/{severity}".encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little", signed=True) for i in range(0, 16, 4)]
        self._keys = [_hash(places.to(torch.int32), words[i], words[i + 1]) for i in (0, 2)]
        self._taken = 0
        self.device = places.device

    def words(self, *shape: int) -> Tensor:
        """The next numbers of each image, int32 (n, ...), all 2³² values equally likely."""
        count = math.prod(shape)
        first, second = (key[:, None] for key in self._keys)
        start, self._taken = self._taken, self._taken + count
        places = torch.arange(start, start + count, dtype=torch.int32, device=first.device)
        return _hash(places[None], first, second).reshape(len(first), *shape)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 (n, ...) strictly between ``low`` and ``high``, on a lattice of 2²³ values."""
        return self._lattice(*shape).float().add_(0.5).mul_((high - low) / 2**23).add_(low)

    def normal(self, *shape: int) -> Tensor:
        """float32 (n, ...) of the standard normal distribution, cut off at 5.3 standard deviations."""
        return self.uniform(*shape, low=-1.0).erfinv_().mul_(math.sqrt(2))

    def integers(self, end: int, *shape: int) -> Tensor:
        """0..end-1, int64 (n, ...), equally likely to one part in 2²³."""
        return self._lattice(*shape).long().mul_(end) >> 23

    def signs(self, *shape: int) -> Tensor:
        """-1 or 0, equally likely, int32 (n, ...)."""
        return self.words(*shape).bitwise_right_shift_(31)

    def _lattice(self, *shape: int) -> Tensor:
        return self.words(*shape).bitwise_right_shift_(9).bitwise_and_(2**23 - 1)


def _hash(values: Tensor, first: Tensor | int, second: Tensor | int) -> Tensor:
    """Two rounds of a bijection of 32 bits with good avalanche, a key before each."""
    return _mix(_mix(values ^ first).add_(second))


def _mix(x: Tensor) -> Tensor:
    """C. Wellons' ``lowbias32``: shifts and odd factors found by search for the least bias; in place."""
    x ^= _shifted(x, 16)
    x *= 0x7FEB352D
    x ^= _shifted(x, 15)
    x *= 0x846CA68B - 2**32
    x ^= _shifted(x, 16)
    return x


def _shifted(x: Tensor, by: int) -> Tensor:
    """To the right, zeros moving in (torch's own shift repeats the sign)."""
    return (x >> by).bitwise_and_((1 << (32 - by)) - 1)
