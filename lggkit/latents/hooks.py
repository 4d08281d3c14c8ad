"""Forward hooks that belong to one module object: neither a copy of it nor a file of it has them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from torch import nn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_FLAGS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")
_METHODS = ("__getstate__", "__deepcopy__")


class OwnHook:
    """A hook of one module object, on at once and until the ``with`` ends.

    ``copy.deepcopy``, ``pickle`` and ``torch.save`` ask an object for ``__getstate__`` or ``__deepcopy__``
    before they ask its class; while the hook is on, the module has ones that leave such hooks out. A class
    with a ``__reduce__`` of its own, as torch.fx has, goes another way: its copies may have hooks, which do
    nothing.

    Args:
        module: where the hook is put.
        call: the hook, of ``(module, args, output)``, or of ``(module, args, kwargs)`` if it is ``before``.
        before: call it before the module's forward pass.
        always: call it even after an error in the forward pass.

    Raises:
        ValueError: the module is scripted, and PyTorch runs no hooks on it.
    """

    def __init__(
        self, module: nn.Module, call: Callable[..., Any], before: bool = False, always: bool = False
    ) -> None:
        self.module, hook = module, _Call(call)
        try:
            if before:
                self.handle = module.register_forward_pre_hook(hook, with_kwargs=True)
            else:
                self.handle = module.register_forward_hook(hook, always_call=always)
        except RuntimeError as error:
            raise ValueError(f"{error}; tap the network that torch.jit made this one from") from error
        module.__dict__.update({name: _Method(module, name) for name in _copying(type(module))})

    def __enter__(self) -> OwnHook:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the hook off; a second time does nothing."""
        self.handle.remove()
        if not _own(self.module.__dict__):
            for name in _METHODS:
                self.module.__dict__.pop(name, None)

    def to_end(self) -> None:
        """Let the hook be called after those that came later, which may change what the module gives."""
        hooks = self.module._forward_hooks
        if self.handle.id in hooks and next(reversed(hooks)) != self.handle.id:
            hooks.move_to_end(self.handle.id)


class _Quiet:
    """Does nothing when it is called."""

    def __call__(self, *_: Any) -> None:
        return None


class _Call:
    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    def __deepcopy__(self, _: dict) -> _Quiet:
        return _Quiet()

    def __reduce__(self) -> tuple:
        return _Quiet, ()


class _Method:
    """A method by which a module is copied, whose result is without the hooks of this file."""

    def __init__(self, module: nn.Module, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any) -> Any:
        result = getattr(type(self.module), self.name)(self.module, *args)
        if isinstance(result, nn.Module):
            result.__dict__ = _without_own(result.__dict__)
        return _without_own(result) if isinstance(result, dict) else result

    def __deepcopy__(self, _: dict) -> _Quiet:
        return _Quiet()


def _copying(kind: type) -> list[str]:
    if kind.__reduce__ is not object.__reduce__ or kind.__reduce_ex__ is not object.__reduce_ex__:
        return []
    return [name for name in _METHODS if hasattr(kind, name)]


def _own(state: dict[str, Any]) -> set[int]:
    ours = (_Call, _Quiet)
    return {at for name in _HOOKS for at, hook in state.get(name, {}).items() if isinstance(hook, ours)}


def _without_own(state: dict[str, Any]) -> dict[str, Any]:
    own = _own(state)
    cleaned = {key: value for key, value in state.items() if key not in _METHODS}
    for name in (*_HOOKS, *_FLAGS):
        if name in cleaned:
            cleaned[name] = OrderedDict((at, flag) for at, flag in cleaned[name].items() if at not in own)
    return cleaned
