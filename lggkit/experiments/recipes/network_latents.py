"""Last latents of described networks: labelled images and anchors that a seed draws, and those tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.evaluation.neighbors import latents_at
from lggkit.experiments.networks import Context, Seeded
from lggkit.experiments.recipes.bilingual import Encoded

POOL, TESTED = 5000, 4000
"""Images of either split that networks are asked for once; seeds draw labels and anchors from the first."""
Named = Mapping[tuple[str, str], Seeded]
"""Descriptions and seeds of networks by kind and name."""
_HELD: dict[tuple[str, ...], tuple[list[Tensor], list[Tensor]]] = {}


def drawn_latents(named: Named, dataset: str, sizes: Sequence[int], seed: int, context: Context) -> Encoded:
    """Penultimate latents of networks; narrower spaces are `filled`.

    Args:
        named: the networks.
        dataset: whose first images are seen.
        sizes: how many are labelled, and how many are anchors.
        seed: of the draw.
        context: lends data and networks.
    """
    train, test = (context.data(dataset, side) for side in (True, False))
    seen, asked = map(filled, latents_of(named, dataset, context))
    order = torch.randperm(seen.shape[1], generator=torch.Generator().manual_seed(seed))
    labelled, pool = order[: sum(sizes)].split(list(sizes))
    labels = [train.labels.cpu()[labelled], test.labels.cpu()[: asked.shape[1]]]
    return Encoded(tuple(named), seen[:, labelled], seen[:, pool], asked, *labels, train.classes)


def latents_of(named: Named, dataset: str, context: Context) -> tuple[list[Tensor], list[Tensor]]:
    """Those of the first training and the first test images, (n, d) a network; computed once."""
    keys = tuple(network.key(seed) for network, seed in named.values())
    if keys not in _HELD:
        parts = (context.data(dataset, side).first(n) for side, n in ((True, POOL), (False, TESTED)))
        models = [result.model for result in context.networks(list(named.values()))]
        seen, asked = ([_last(model, part.images) for model in models] for part in parts)
        _HELD[keys] = seen, asked
    return _HELD[keys]


def _last(model: torch.nn.Module, images: Tensor) -> Tensor:
    return latents_at(model, images, "penultimate").float()


def filled(spaces: Sequence[Tensor]) -> Tensor:
    """Spaces (n, d) as one tensor (e, n, widest d): features of zeros fill up the narrower ones.

    That changes no inner product, and no statistics of the other features: no relative map notices.
    """
    width = max(space.shape[-1] for space in spaces)
    return torch.stack([F.pad(space, (0, width - space.shape[-1])) for space in spaces])
