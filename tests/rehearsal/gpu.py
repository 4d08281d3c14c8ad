"""A GPU that is not there: tensors that have a device and a shape and no numbers tell what would fail.

`FakeTensorMode` raises where devices are mixed. `Watch` adds where the host would wait, answers for it where
that is allowed, and stands in for fused optimisers, which have no fake twin: of them it compares devices.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

FUSED = ("_fused_sgd_", "_fused_adam_")
LINALG = ("_linalg_eigh", "_linalg_svd", "_linalg_check_errors", "linalg_eig", "linalg_qr", "linalg_lstsq")
RESHAPING = {
    "nonzero": lambda x, *_, **__: x.new_empty(x.numel(), x.dim(), dtype=torch.int64),
    "_unique2": lambda x, *_, **__: _found(x.flatten()),
    "unique_consecutive": lambda x, *_, **__: _found(x.flatten()),
    "unique_dim": lambda x, *_, **__: _found(x),
    "masked_select": lambda x, *_, **__: x.flatten(),
    "bincount": lambda x, weights=None, minlength=0: x.new_empty(max(minlength, 1), dtype=torch.int64),
}


class Waits(RuntimeError):
    """The host reads from the device ("read"), or sends to it from memory that the device cannot see."""


class Watch(TorchDispatchMode):
    """Refuses what makes the host wait, but for the kinds ``allowed``, for which it lets code go on.

    An integer that is read is 0, a float 1, a truth True, and every entry of a mask is true.
    """

    def __init__(self, *allowed: str) -> None:
        super().__init__()
        self.allowed, self.seen = allowed, set()

    def only(self, *allowed: str) -> None:
        """From here on."""
        self.allowed, self.seen = allowed, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, func.overloadpacket.__name__
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        devices = {x.device.type for x in tensors}
        _check_generator(func, tensors, kwargs)
        if name in FUSED:
            assert devices == {"cuda"}, f"{name} mixes {devices}"
            return None
        if name == "_local_scalar_dense":
            return self._number(func, *args)
        if name in RESHAPING:
            self._note("read", name, devices)
            return RESHAPING[name](*args, **kwargs)
        if name in LINALG:
            self._note("read", name, devices)
        if name in ("index", "index_put", "index_put_"):
            args = (args[0], self._places(args[0], args[1]), *args[2:])
        if name in ("_to_copy", "copy_"):
            self._copied(name, tensors, kwargs)
        return func(*args, **kwargs)

    def _note(self, kind: str, what: str, devices: set[str]) -> None:
        if "cuda" in devices:
            if kind not in self.allowed:
                raise Waits(f"{kind}: {what}")
            self.seen.add(kind)

    def _number(self, func, x: Tensor) -> bool | int | float:
        self._note("read", "a number", {x.device.type})
        constant = getattr(x, "constant", None)
        if constant is not None:
            return constant.item()
        return 1.0 if x.dtype.is_floating_point else x.dtype == torch.bool or 0

    def _copied(self, name: str, tensors: list[Tensor], kwargs: dict) -> None:
        ends = [x.device for x in tensors] if name == "copy_" else [kwargs.get("device"), tensors[0].device]
        to, source = (torch.device(end or ends[1]).type for end in ends)
        if to != source:
            self._note("read" if to == "cpu" else "send", name, {to, source})

    def _places(self, x: Tensor, indices: list[Tensor | None]) -> list[Tensor | None]:
        places = []
        for index in indices:
            if index is None or index.dtype not in (torch.bool, torch.uint8):
                self._note(
                    "send", "an index", set() if index is None else {x.device.type} - {index.device.type}
                )
                places.append(index)
            else:
                self._note("read", "a mask as an index", {x.device.type})
                places += [index.new_empty(index.numel(), dtype=torch.int64)] * index.dim()
        return places


PLACES: dict[int, torch.device] = {}


class Generator(torch.Generator):
    """A generator that says that it is of a device which may not be there."""

    def __new__(cls, device: torch.device | str = "cpu"):
        made = super().__new__(cls, "cpu")
        PLACES[made._cdata] = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:
        return PLACES[self._cdata]


def _found(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    counts = x.new_empty(len(x), dtype=torch.int64)
    return x.clone(), counts, counts.clone()


def _check_generator(func, tensors: list[Tensor], kwargs: dict) -> None:
    source = kwargs.get("generator")
    if source is not None:
        to = torch.device(kwargs.get("device") or (tensors[0].device if tensors else "cpu")).type
        place = PLACES.get(source._cdata, torch.device("cpu")).type
        assert place == to, f"{func} on {to} draws from a generator of {place}"
        kwargs["generator"] = None


@contextmanager
def stage(*allowed: str) -> Iterator[Watch]:
    """Where tensors may be of a GPU that is not there."""
    with FakeTensorMode(allow_non_fake_inputs=True), Watch(*allowed) as watch:
        yield watch
