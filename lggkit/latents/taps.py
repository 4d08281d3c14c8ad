"""Taps: hooks that keep the named latents of a model's last forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.latents import passes
from lggkit.latents.elements import pick
from lggkit.latents.hooks import OwnHook
from lggkit.latents.names import SPECIAL, located
from lggkit.latents.wrappers import unwrapped

_LASTING = ("model", "paths", "detach", "_places", "_ends")


class Taps:
    """Forward hooks that keep the named latents of a model's last forward pass, neither copied nor detached.

    Use as ``with Taps(model, ["block4", "output"]) as taps: model(x)``, then ``taps.latents``. A model may
    carry any number of taps. The hooks go at the end of the ``with``; the latents at the next forward pass,
    at ``clear``, or when an error leaves the ``with``. ``"input"`` is the model's first argument as it was
    given (uint8 images stay uint8) and ``"output"`` what it returns; other names follow ``resolve_depths``.
    In inference mode, where PyTorch counts no changes in place, the latents are copies.

    What counts is a pass in the thread that entered the taps, and no recomputation in a backward pass. What
    the model runs under ``torch.no_grad`` gives latents without gradient. Copies and files of a model with
    taps (``copy.deepcopy``, ``AveragedModel``, ``torch.save``) have neither its hooks nor its latents.

    Compiled steps: enter the taps before the compiled function is first called and stay inside while it is
    used, since compiled code neither gains nor loses hooks. The step may read ``taps.latents``.

    Args:
        model: any module; a compiled or otherwise wrapped one is tapped inside, see ``unwrapped``.
        names: depths, see ``resolve_depths``.
        detach: cut the latents off the autograd graph.

    Raises:
        TypeError: ``names`` is a single string. In the forward pass: what a depth gives is not one tensor.
        ValueError: a name is unknown or given twice, see ``resolve_depths``. On entry: a module is scripted
            by torch.jit. In the forward pass: an output has no such element.
        RuntimeError: these taps are on already. In the forward pass, after which there are no latents: a
            tapped module never ran, or ran more than once (which output is meant is unclear), or its output
            was changed in place before the pass ended (not seen in compiled code), or it ran where no graph
            is kept for it (a checkpoint with ``use_reentrant=True``; not so with ``detach``), or the model
            runs in replicas of ``DataParallel``, on several devices.
    """

    def __init__(self, model: nn.Module, names: Sequence[str], detach: bool = False) -> None:
        self.model = unwrapped(model)
        self._places = located(model, names)
        self.paths = {name: place.path for name, place in self._places.items()}
        special = {name: place.path for name, place in self._places.items() if place.special}
        self._ends = {end: [name for name, path in special.items() if path == end] for end in SPECIAL}
        self.detach = detach
        self._turn_off()

    def _turn_off(self) -> None:
        self._hooks: list[OwnHook] = []
        self._on = ExitStack()
        self._asked = self._with_gradients = False
        self.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in _LASTING}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._turn_off()

    @property
    def latents(self) -> dict[str, Tensor]:
        """Name -> tensor (n, ...) of the last forward pass, in the order of the names.

        Raises:
            RuntimeError: no pass of the model has ended under these taps since they were made or cleared.
        """
        if self._latents is None:
            raise RuntimeError(
                "the taps hold no latents; call the model itself inside `with taps:`, in the same thread, "
                "and enter them before a compiled model is first called"
            )
        return self._latents

    def clear(self) -> None:
        """Let go of the latents, so that their memory is free as soon as nobody else holds them."""
        self._latents: dict[str, Tensor] | None = None
        self._seen: dict[str, Tensor] | None = None
        self._versions: dict[str, int] = {}

    def __enter__(self) -> Taps:
        if self._hooks:
            raise RuntimeError("these taps are on already; make another Taps for a nested use")
        self._entered, self._with_gradients = passes.place(), torch.is_grad_enabled()
        with ExitStack() as stack:
            hooks = [stack.enter_context(hook) for hook in self._made_hooks()]
            self._hooks, self._on = hooks, stack.pop_all()
        return self

    def _made_hooks(self) -> Iterator[OwnHook]:
        yield OwnHook(self.model, self._begin, before=True)
        for name, place in self._places.items():
            if not place.special:
                yield OwnHook(self.model.get_submodule(place.path), partial(self._after, name))
        yield OwnHook(self.model, self._end)
        yield OwnHook(self.model, self._after_error, always=True)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._on.close()
        self._hooks = []
        if kind is not None:
            self.clear()

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if passes.counts(module, self._entered):
            self.clear()
            self._seen, self._asked = {}, torch.is_grad_enabled()
            self._come_last()
            for name in self._ends["input"]:
                self._keep(name, next(iter((*args, *kwargs.values())), None))

    def _after(self, name: str, module: nn.Module, _: tuple[Any, ...], output: Any) -> None:
        if self._seen is not None and passes.counts(module, self._entered):
            self._keep(name, output)

    def _end(self, module: nn.Module, _: tuple[Any, ...], output: Any) -> None:
        if passes.counts(module, self._entered):
            if self._seen is None:
                raise RuntimeError(
                    "the pass of the model holds another of it; tap a module around or inside it"
                )
            for name in self._ends["output"]:
                self._keep(name, output)
            seen, self._seen = self._seen, None
            self._check(seen)
            self._latents = {name: seen[name].detach() if self.detach else seen[name] for name in self.paths}

    def _after_error(self, *_: Any) -> None:
        if self._seen is not None and (torch.compiler.is_compiling() or passes.place() == self._entered):
            self.clear()

    def _come_last(self) -> None:
        """A hook that was put on later may change what the module gives, and the latent is what is used."""
        if not torch.compiler.is_compiling():
            for hook in self._hooks:
                hook.to_end()

    def _keep(self, name: str, value: Any) -> None:
        assert self._seen is not None
        if name in self._seen:
            remedy = self._remedy(name, passes.TWICE)
            raise RuntimeError(f"depth {name!r} ran more than once in this pass; {remedy}")
        value = pick(value, name, self._places[name].keys)
        if self._cut_off(name, value):
            raise RuntimeError(f"depth {name!r} would have no gradient; {passes.NO_GRAPH}")
        self._seen[name] = passes.unshared(value)
        self._versions[name] = passes.version(value)

    def _cut_off(self, name: str, value: Tensor) -> bool:
        if self.detach or value.requires_grad or not value.is_floating_point() or name in self._ends["input"]:
            return False
        return passes.cut_off(self.model, self._asked, self._with_gradients)

    def _check(self, seen: dict[str, Tensor]) -> None:
        for name in self.paths:
            if name not in seen:
                remedy = self._remedy(name, passes.NOT_RUN)
                raise RuntimeError(f"depth {name!r} did not run in this pass; {remedy}")
            if passes.version(seen[name]) != self._versions[name]:
                raise RuntimeError(f"depth {name!r} was changed in place; {passes.IN_PLACE}")

    def _remedy(self, name: str, usual: str) -> str:
        return passes.remedy(self.model, self.paths[name], usual)
