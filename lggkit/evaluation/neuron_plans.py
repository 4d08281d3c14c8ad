"""Which neurons of a network play which roles of another: exact plans between them, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.data import to_float
from lggkit.evaluation.accuracy import evaluating
from lggkit.latents import latents
from lggkit.transport import cost_matrix, exact_transport, neurons

PIECE = 500


@torch.no_grad()
def layer_points(model: nn.Module, images: Tensor, depths: Sequence[str]) -> dict[str, Tensor]:
    """Each layer's neurons as points (d, n) in float64: their mean activations on the images.

    Args:
        model: takes images in [0, 1]; in evaluation mode meanwhile.
        images: uint8 (n, c, h, w).
        depths: names for `lggkit.latents`.
    """
    pieces: dict[str, list[Tensor]] = {depth: [] for depth in depths}
    device = next(model.parameters()).device
    with evaluating(model):
        for part in images.split(PIECE):
            for depth, values in latents(model, to_float(part.to(device)), [*depths]).items():
                pieces[depth].append(neurons(values).double().cpu())
    return {depth: torch.cat(parts, dim=1) for depth, parts in pieces.items()}


def plan_between(ours: Tensor, theirs: Tensor) -> Tensor:
    """The exact plan (d, d') from neurons (d, n) to neurons (d', n) on the same samples.

    Marginals are uniform, so with equal widths ``d · P`` is a permutation and the trace of P the share of
    neurons whose role is their old one (paper 3, section 5).
    """
    return exact_transport(cost_matrix(ours, theirs)).plan


def swapped_share(plan: Tensor) -> float:
    """The share of neurons of a square plan (d, d) that send most of their mass to another role."""
    return (plan.argmax(1) != torch.arange(len(plan))).double().mean().item()
