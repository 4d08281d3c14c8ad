"""Depths of a network that nobody has named: its layers with weights, or the blocks that it is built of."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from lggkit.latents.names import declared_depths
from lggkit.latents.wrappers import joined, unwrapped

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
NORMALISATIONS = (
    *(nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.LocalResponseNorm),
)
SEVERAL = (nn.RNNBase, nn.MultiheadAttention)
"""Layers that give several outputs."""


def default_depths(model: nn.Module) -> list[str]:
    """Where a network of any library is looked at if nothing else is asked for, from input to output.

    What the network declares as ``depths``; else, descending through `torch.nn.Sequential`, lists and what
    holds several blocks of one kind, every block and every layer with weights but normalisations: ``conv1``,
    ``layer1.0``, …, ``fc`` of torchvision's ResNets, ``encoder.layers.encoder_layer_0``, … of its ViTs. In a
    `torch.nn.Sequential` a layer that an activation changes in place goes by the name of the activation, and
    a recurrent layer or attention by that of its first output (``lstm[0]``). A network that is one layer has
    ``output`` alone.

    Args:
        model: any module; wrappers are looked through.

    Returns:
        Names that `Taps` takes, in the order of registration. Layers that a pass leaves out or runs twice
        (auxiliary heads, shared weights) are among them, and `Taps` tells.

    Raises:
        ValueError: there is no such layer.
        TypeError: ``model`` is no module.
    """
    network = unwrapped(model)
    names = list(declared_depths(network)) or list(_parts(network, ""))
    if not names and any(True for _ in network.parameters()):
        names = ["output"]
    if not names:
        raise ValueError(f"{type(network).__name__} has no layer with weights; name its depths")
    return names


def _parts(module: nn.Module, path: str) -> Iterator[str]:
    children = list(module.named_children())
    for i, (name, part) in enumerate(children):
        place = joined(path, name)
        if isinstance(part, CONTAINERS) or _has_blocks(part):
            yield from _parts(part, place)
        elif not isinstance(part, NORMALISATIONS) and any(True for _ in part.parameters()):
            if isinstance(module, nn.Sequential):
                place = joined(path, _last_in_place(name, children[i + 1 :]))
            yield f"{place}[0]" if isinstance(part, SEVERAL) else place


def _last_in_place(name: str, after: list[tuple[str, nn.Module]]) -> str:
    """The name of a layer, or of the last of those straight behind it that change what it gives in place."""
    for following, part in after:
        if getattr(part, "inplace", False) is not True:
            break
        name = following
    return name


def _has_blocks(module: nn.Module) -> bool:
    """Whether a child of a module holds two blocks, which have parts themselves, of one class."""
    inside = [list(child.children()) for child in module.children() if isinstance(child, CONTAINERS)]
    kinds = [[type(part) for part in parts if _is_block(part)] for parts in inside]
    return any(len(set(each)) < len(each) for each in kinds)


def _is_block(module: nn.Module) -> bool:
    return any(True for _ in module.children()) and not isinstance(module, CONTAINERS)
