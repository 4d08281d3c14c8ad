"""Named intermediate representations of a network (paper 1, Definition 1), tapped from outside."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

SPECIAL = ("input", "output")


def resolve_depths(model: nn.Module, depths: Sequence[str]) -> dict[str, str]:
    """Where the named depths of a model are.

    A name is first ``"input"`` or ``"output"``, which stand for themselves, then a label of ``model.depths``
    or ``model.relu_depths`` where the model declares them, then a path of ``model.named_modules()``.

    Args:
        model: any module; a compiled one is looked at inside.
        depths: names, each once.

    Returns:
        Name -> submodule path, in the order given.

    Raises:
        TypeError: ``depths`` is a single string.
        ValueError: a name is none of these (close ones are listed), or is given twice.
    """
    if isinstance(depths, str):
        raise TypeError(f"depths is the string {depths!r}; give a list of names")
    known = _known(_bare(model))
    unknown = [name for name in depths if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=5, cutoff=0.5) or list(known)[:12]
        raise ValueError(f"the network has no depth {unknown[0]!r}; did you mean one of {', '.join(near)}?")
    if len(set(depths)) < len(depths):
        raise ValueError(f"depths {list(depths)} names one twice; give each once")
    return {name: known[name] for name in depths}


class Taps:
    """Forward hooks that keep the named latents of a model's last forward pass, neither copied nor detached.

    Use as ``with Taps(model, ["block4", "output"]) as taps: model(x)``, then ``taps.latents``. A model may
    carry any number of taps. The hooks go at the end of the ``with``; the latents at the next forward pass,
    at ``clear``, or when an error leaves the ``with``. ``"input"`` is the model's first argument as it was
    given (uint8 images stay uint8) and ``"output"`` what it returns; other names follow ``resolve_depths``.

    Compiled steps: enter the taps before the compiled function is first called and stay inside while it is
    used, since compiled code neither gains nor loses hooks. The step may read ``taps.latents``.

    Args:
        model: any module; a compiled one is tapped inside.
        names: depths, see ``resolve_depths``.
        detach: cut the latents off the autograd graph.

    Raises:
        TypeError: ``names`` is a single string. In the forward pass: what a depth gives is not one tensor.
        ValueError: a name is unknown or given twice, see ``resolve_depths``.
        RuntimeError: these taps are on already. In the forward pass, after which there are no latents: a
            tapped module never ran, or ran more than once (which output is meant is unclear), or its output
            was changed in place before the pass ended. That last one is not seen in compiled code and in
            inference mode, where PyTorch counts no changes.
    """

    def __init__(self, model: nn.Module, names: Sequence[str], detach: bool = False) -> None:
        self.model = _bare(model)
        self.paths = resolve_depths(self.model, names)
        self.detach = detach
        self._handles: list[RemovableHandle] = []
        self._latents: dict[str, Tensor] | None = None
        self._seen: dict[str, Tensor] | None = None
        self._versions: dict[str, int] = {}

    @property
    def latents(self) -> dict[str, Tensor]:
        """Name -> tensor (n, ...) of the last forward pass, in the order of the names.

        Raises:
            RuntimeError: no pass of the model has ended under these taps since they were made or cleared.
        """
        if self._latents is None:
            raise RuntimeError(
                "the taps hold no latents; call the model itself inside `with taps:`, and enter them before "
                "a compiled model is first called"
            )
        return self._latents

    def clear(self) -> None:
        """Let go of the latents, so that their memory is free as soon as nobody else holds them."""
        self._latents = None
        self._seen = None
        self._versions = {}

    def __enter__(self) -> Taps:
        if self._handles:
            raise RuntimeError("these taps are on already; make another Taps for a nested use")
        self._handles.append(self.model.register_forward_pre_hook(self._begin, with_kwargs=True))
        for name, path in self.paths.items():
            if name not in SPECIAL:
                keep = partial(self._after, name)
                self._handles.append(self.model.get_submodule(path).register_forward_hook(keep))
        self._handles.append(self.model.register_forward_hook(self._end))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if kind is not None:
            self.clear()

    def _begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.clear()
        self._seen = {}
        if "input" in self.paths:
            self._keep("input", next(iter((*args, *kwargs.values())), None))

    def _after(self, name: str, _: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        if self._seen is not None:
            self._keep(name, output)

    def _end(self, _: nn.Module, __: tuple[Any, ...], output: Any) -> None:
        if "output" in self.paths:
            self._keep("output", output)
        seen, self._seen = self._seen or {}, None
        for name in self.paths:
            if name not in seen:
                raise RuntimeError(f"depth {name!r} did not run in this pass; {_NOT_RUN}")
            if _version(seen[name]) != self._versions[name]:
                raise RuntimeError(f"depth {name!r} was changed in place; {_IN_PLACE}")
        self._latents = {name: seen[name].detach() if self.detach else seen[name] for name in self.paths}

    def _keep(self, name: str, value: Any) -> None:
        assert self._seen is not None
        if not isinstance(value, Tensor):
            raise TypeError(
                f"depth {name!r} gives a {type(value).__name__}; tap a module that gives one tensor"
            )
        if name in self._seen:
            raise RuntimeError(f"depth {name!r} ran more than once in this pass; {_TWICE}")
        self._seen[name] = value
        self._versions[name] = _version(value)


_TWICE = "tap the module around it, or give each of its uses a module of its own"
_NOT_RUN = "tap a module that does, or enter the taps before the model is compiled"
_IN_PLACE = "tap the module that changed it (an nn.ReLU(inplace=True)?), or make that one not in place"


def latents(model: nn.Module, x: Tensor, names: Sequence[str], detach: bool = False) -> dict[str, Tensor]:
    """The named latents of ``model(x)`` (paper 1, definition 1).

    A compiled model runs uncompiled here, and so does any model when this is called in a compiled function; a
    step that is to be compiled whole uses ``Taps`` around it.

    Args:
        model: any module.
        x: its input, (n, ...).
        names: depths, see ``resolve_depths``.
        detach: cut the latents off the autograd graph.

    Returns:
        Name -> tensor (n, ...), in the order of the names.

    Raises:
        TypeError: ``names`` is a single string, or what a depth gives is not one tensor.
        ValueError: a name is unknown or given twice, see ``resolve_depths``.
        RuntimeError: a tapped module never ran, or ran more than once, or its output was changed in place,
            see ``Taps``.
    """
    run = torch.compiler.disable(_run) if torch.compiler.is_compiling() else _run
    return run(Taps(model, names, detach), x)


def _run(taps: Taps, x: Tensor) -> dict[str, Tensor]:
    with taps:
        taps.model(x)
    return taps.latents


def _bare(model: nn.Module) -> nn.Module:
    return getattr(model, "_orig_mod", model)


def _known(model: nn.Module) -> dict[str, str]:
    paths = {path: path for path, _ in model.named_modules(remove_duplicate=False) if path}
    declared = {**getattr(model, "relu_depths", {}), **getattr(model, "depths", {})}
    return {name: name for name in SPECIAL} | {**paths, **declared, "input": "input", "output": "output"}


def _version(value: Tensor) -> int:
    if torch.compiler.is_compiling() or value.is_inference():
        return 0
    return value._version
