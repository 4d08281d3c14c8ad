"""Depths of a network that nobody has named: its layers with weights, or the blocks that it is built of."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from lggkit.latents.names import declared_depths
from lggkit.latents.wrappers import joined, unwrapped

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
NORMALISATIONS = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm)


def default_depths(model: nn.Module) -> list[str]:
    """Where a network of any library is looked at if nothing else is asked for, from input to output.

    What the network declares as ``depths``; else, descending through `torch.nn.Sequential`, lists and what
    holds several blocks of one kind, every block and every layer with weights but normalisations: ``conv1``,
    ``layer1.0``, …, ``fc`` of torchvision's ResNets, ``encoder.layers.encoder_layer_0``, … of its ViTs.

    Args:
        model: any module; wrappers are looked through.

    Returns:
        Names that `Taps` takes, in the order of registration.

    Raises:
        ValueError: there is no such layer.
    """
    network = unwrapped(model)
    names = list(declared_depths(network)) or list(_parts(network, ""))
    if not names:
        raise ValueError(f"{type(network).__name__} has no layer with weights; name its depths")
    return names


def _parts(module: nn.Module, path: str) -> Iterator[str]:
    for name, part in module.named_children():
        place = joined(path, name)
        if isinstance(part, CONTAINERS) or _has_blocks(part):
            yield from _parts(part, place)
        elif not isinstance(part, NORMALISATIONS) and any(True for _ in part.parameters()):
            yield place


def _has_blocks(module: nn.Module) -> bool:
    """Whether a child of a module holds two blocks, which have parts themselves, of one class."""
    inside = [list(child.children()) for child in module.children() if isinstance(child, CONTAINERS)]
    kinds = [[type(part) for part in parts if _is_block(part)] for parts in inside]
    return any(len(set(each)) < len(each) for each in kinds)


def _is_block(module: nn.Module) -> bool:
    return any(True for _ in module.children()) and not isinstance(module, CONTAINERS)
