"""What the depths of a network are called, and where they are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from torch import fx, nn

from lggkit.latents.elements import split
from lggkit.latents.wrappers import joined, unwrapped, visible_parts, wrappers

SPECIAL = ("input", "output")


def resolve_depths(model: nn.Module, depths: Sequence[str]) -> dict[str, str]:
    """Where the named depths of a model are.

    A name is first ``"input"`` or ``"output"``, which stand for themselves, then a label of ``model.depths``
    or ``model.relu_depths`` where the model declares them, then a path of ``model.named_modules()``, then a
    submodule's label behind the submodule's path. Wrappers (see ``unwrapped``) are looked through wherever
    they are, and need not be named. Keys in brackets name an element of an output that is not one tensor:
    ``"lstm[0]"``, ``"lstm[1][0]"``, ``"encoder[logits]"``.

    Args:
        model: any module; a compiled or otherwise wrapped one is looked at inside.
        depths: names, each once.

    Returns:
        Name -> submodule path in ``unwrapped(model)``, in the order given.

    Raises:
        TypeError: ``depths`` is a single string, or no sequence of strings.
        ValueError: a name is none of these (close ones are listed), or is given twice.
    """
    return {name: place.path for name, place in located(model, depths).items()}


class Place(NamedTuple):
    """A submodule's path, or ``"input"`` or ``"output"`` where special, and keys of an element there."""

    path: str
    keys: tuple[str, ...] = ()
    special: bool = False


def located(model: nn.Module, depths: Sequence[str]) -> dict[str, Place]:
    """Name -> where it is; arguments and errors as in `resolve_depths`."""
    depths, network = _names(depths), unwrapped(model)
    known = _known(network)
    places = {}
    for name in depths:
        base, keys = (name, ()) if name in known else split(name)
        base = base if base in known else _without_wrappers(model, base)
        if base not in known:
            raise ValueError(f"the network has no depth {name!r}; {_suggestion(network, base, known)}")
        places[name] = Place(known[base], keys, base in SPECIAL)
    if len(places) < len(depths):
        raise ValueError(f"depths {depths} names one twice; give each once")
    return places


def _without_wrappers(model: nn.Module, name: str) -> str:
    """A path that begins with wrappers of the model, as `named_modules` has it, without them."""
    for wrapper in wrappers(model):
        name = "output" if name == wrapper else name.removeprefix(f"{wrapper}.")
    return name


def _names(depths: Sequence[str]) -> list[str]:
    if isinstance(depths, str):
        raise TypeError(f"depths is the string {depths!r}; give a list of names")
    if not isinstance(depths, Iterable):
        raise TypeError(f"depths is {depths!r}; give a list of names")
    depths = list(depths)
    if other := [name for name in depths if not isinstance(name, str)]:
        raise TypeError(f"depths holds {other[0]!r}; give names, which are strings")
    return depths


def _known(model: nn.Module) -> dict[str, str]:
    parts = list(visible_parts(model))
    seen = {}
    for shown, path, _ in parts:
        seen.setdefault(shown, path)
    places = seen | {path: path for _, path, _ in parts}
    own, nested = {}, {}
    for shown, path, part in parts:
        for label, place in declared_depths(part).items():
            real = joined(path, place)
            target = places.get(real, places.get(joined(shown, place), real))
            (nested if shown else own).setdefault(joined(shown, label), target)
            nested.setdefault(joined(path, label), target)
    places.pop("")
    return nested | places | own | {name: name for name in SPECIAL}


def declared_depths(model: nn.Module) -> dict[str, str]:
    """Labels of a network; an attribute that is called the same and holds something else is none of ours."""
    attributes = [getattr(model, name, None) for name in ("relu_depths", "depths")]
    labels = {key: value for each in attributes if isinstance(each, Mapping) for key, value in each.items()}
    return {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}


def _suggestion(model: nn.Module, place: str, known: dict[str, str]) -> str:
    names = [*SPECIAL, *(name for name in known if name not in SPECIAL)]
    near = ", ".join(difflib.get_close_matches(place, names, n=5, cutoff=0.5) or names[:12])
    traced = isinstance(model, fx.GraphModule)
    note = " (torch.fx kept only the modules that its graph calls; the network it traced has all)"
    return f"did you mean one of {near}?{note if traced else ''}"
