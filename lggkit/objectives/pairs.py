"""The latents of a student beside those of its teacher, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from lggkit.graph import check_nonnegative, flatten
from lggkit.graph._precision import in_memory_order, tensor
from lggkit.graph.depths import Latents


def paired(student: Latents, teacher: Latents, *, in_order: bool = True) -> list[tuple[Tensor, Tensor]]:
    """The layers of both networks as pairs of feature vectors, the teacher's constant for autograd.

    Args:
        student, teacher: one floating point tensor (n, ...) a layer, either as two sequences in the same
            order or as two mappings with the same names in the same order. Widths may differ, n may not,
            neither between the networks nor between layers.
        in_order: whether features come in the order of `lggkit.graph.flatten`. Else they come as they lie in
            memory, in either network's own way: maps in channels_last are then views and no copies, for what
            depends on inner products or distances alone.

    Returns:
        For each layer the student's (n, d) and the teacher's (n, d'), float64 or as given.

    Raises:
        TypeError: one side is a tensor and no collection, a layer is no tensor, or only one side has names.
        ValueError: there is no layer, the layers differ in number, name or order, or the batches in size.
    """
    _check_collections(student, teacher)
    ours, theirs = _by_layer(student), _by_layer(teacher)
    if not ours or list(ours) != list(theirs):
        raise ValueError(
            f"the student's layers are {list(ours)} and the teacher's {list(theirs)}; "
            "give the same layers in the same order, at least one, or two lists where their names differ"
        )
    if not in_order:
        ours, theirs = ({name: in_memory_order(x) for name, x in side.items()} for side in (ours, theirs))
    pairs = [(_vectors(name, x, theirs[name]), flatten(theirs[name].detach())) for name, x in ours.items()]
    _check_batches({name: len(x) for name, x in ours.items()})
    return pairs


def check_latents(student: Latents, teacher: Latents, nonnegative: bool = False) -> None:
    """Make sure that latents are fit to be compared: those of `paired`, and finite in every entry.

    It waits for the device: call it while you set up, outside the training step. Inside, what is not finite
    makes the loss so, and a training says when that happens.

    Args:
        student, teacher: as for `paired`.
        nonnegative: refuse negative entries too, of which cosine graphs see the less, see `gkd`.

    Raises:
        TypeError, ValueError: as `paired`; or an entry is not finite, or negative where that is refused.
    """
    student, teacher = twice_readable(student), twice_readable(teacher)
    for layer, pair in zip(_by_layer(student), paired(student, teacher), strict=True):
        for side, x in zip(("student", "teacher"), pair, strict=True):
            bad = int((~torch.isfinite(x)).sum())
            if bad:
                raise ValueError(
                    f"{bad} of {x.numel()} entries of the {side}'s layer {layer!r} are not finite; "
                    "lower the learning rate, or look for the layer where they first appear"
                )
            if nonnegative:
                check_nonnegative(x, f"the {side}'s layer {layer!r}")


def twice_readable(latents: Latents) -> Latents:
    """The latents of a network, those of an iterator as a list."""
    return list(latents) if isinstance(latents, Iterator) else latents


def _by_layer(latents: Latents) -> dict[str | int, Tensor]:
    layers = {**latents} if isinstance(latents, Mapping) else dict(enumerate(latents))
    return {name: tensor(x, f"Layer {name!r}") for name, x in layers.items()}


def _vectors(name: str | int, student: Tensor, teacher: Tensor) -> Tensor:
    if student.shape[0] != teacher.shape[0]:
        raise ValueError(
            f"layer {name!r} has {student.shape[0]} samples of the student and {teacher.shape[0]} of the "
            "teacher; pass the same batch through both"
        )
    if min(student.ndim, teacher.ndim) < 2:
        raise ValueError(
            f"layer {name!r} is {tuple(student.shape)} in the student and {tuple(teacher.shape)} in the "
            "teacher; give samples with features, (n, d) or more"
        )
    return flatten(student)


def _check_batches(sizes: dict[str | int, int]) -> None:
    (first, n), *others = sizes.items()
    for name, size in others:
        if size != n:
            raise ValueError(
                f"layer {name!r} has {size} samples and layer {first!r} {n}; give one batch's layers"
            )


def _check_collections(student: Latents, teacher: Latents) -> None:
    for side, given in (("student", student), ("teacher", teacher)):
        if hasattr(given, "shape"):
            raise TypeError(
                f"the {side}'s latents are one tensor {tuple(given.shape)}; give a list with one a layer"
            )
    if isinstance(student, Mapping) != isinstance(teacher, Mapping):
        raise TypeError("only one network's layers have names; give two mappings or two sequences")
