"""Modules that hold one other and call it: where the network itself is, and what its parts are called."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.optim.swa_utils import AveragedModel

INNER = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
PASSING = (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside wrappers that change nothing of what it computes, however many there are.

    These are what ``torch.compile`` returns, ``DataParallel``, ``DistributedDataParallel``, FSDP,
    ``AveragedModel`` and the wrapper of activation checkpointing.

    Raises:
        TypeError: ``model`` is no module.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}; give a torch.nn.Module")
    for name in wrappers(model):
        model = getattr(model, name)
    return model


def wrappers(model: nn.Module) -> list[str]:
    """Under which names wrappers hold what they wrap, from the outermost to the one around the network."""
    names = []
    while name := _inner(model):
        names.append(name)
        model = getattr(model, name)
    return names


def visible_parts(model: nn.Module) -> Iterator[tuple[str, str, nn.Module]]:
    """Path without wrappers, path and submodule, of every submodule, the model and wrappers included.

    The first that has a path without wrappers is the outermost wrapper: a hook there sees what comes out and
    leaves compiled code alone. A module whose only child is called ``module`` is such a wrapper too.
    """
    hidden: set[str] = set()
    for path, part in model.named_modules(remove_duplicate=False):
        if inner := _inner(part) or _only_child(part):
            hidden.add(joined(path, inner))
        yield _without(path, hidden), path, part


def joined(*parts: str) -> str:
    """Parts of a path with dots between those that are not empty."""
    return ".".join(part for part in parts if part)


def _inner(model: nn.Module) -> str | None:
    children = [name for name, _ in model.named_children()]
    if isinstance(model, PASSING):
        return "module"
    return next((name for name in INNER if name in children), None)


def _only_child(model: nn.Module) -> str | None:
    return "module" if [name for name, _ in model.named_children()] == ["module"] else None


def _without(path: str, hidden: set[str]) -> str:
    atoms = path.split(".")
    return ".".join(a for i, a in enumerate(atoms, 1) if ".".join(atoms[:i]) not in hidden)
