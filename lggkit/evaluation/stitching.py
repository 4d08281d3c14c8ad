"""Every encoder with every decoder: accuracy, macro F1, absolute error; and how near two spaces are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lggkit.evaluation._given import classes as as_classes

Decoder = Callable[[Tensor], Tensor]


def stitched_scores(
    coordinates: Sequence[Tensor],
    decoders: Sequence[Decoder],
    labels: Tensor,
    count: int,
    ordered: bool = False,
) -> dict[str, Tensor]:
    """Scores of all pairs by name, each (decoders, encoders), float64.

    ``accuracy`` and ``f1``, the macro mean, in percent; where classes are ordered also ``mae``, see
    `mean_absolute_error`.

    Args:
        coordinates: of the same samples, (n, k) an encoder.
        decoders: from coordinates to logits (n, count).
        labels: integers (n,).
        count: of classes.
        ordered: whether a class's number is its rank, as of stars.
    """
    labels = as_classes(labels)
    answers = [[decoder(x).argmax(-1) for x in coordinates] for decoder in decoders]
    measures: dict[str, Callable[[Tensor], float]] = {
        "accuracy": lambda a: 100 * (a == labels).double().mean().item(),
        "f1": lambda a: macro_f1(a, labels, count),
    }
    measures |= {"mae": lambda a: mean_absolute_error(a, labels)} if ordered else {}
    return {
        name: torch.tensor([[measure(a) for a in row] for row in answers], dtype=torch.float64)
        for name, measure in measures.items()
    }


def mean_absolute_error(answers: Tensor, labels: Tensor) -> float:
    """``100 · mean |answer − label|`` of ordered classes (n,): 100 is one class off on average."""
    return 100 * (answers.double() - labels.double()).abs().mean().item()


def macro_f1(answers: Tensor, labels: Tensor, count: int) -> float:
    """Mean over classes of ``2 TP / (2 TP + FP + FN)`` in percent; a class in neither has 0.

    Args:
        answers, labels: integers (n,) in 0..count-1.
        count: of classes.
    """
    hits = torch.bincount(labels[answers == labels], minlength=count).double()
    both = (torch.bincount(answers, minlength=count) + torch.bincount(labels, minlength=count)).double()
    return 100 * (2 * hits / both.clamp(min=1)).mean().item()


def isometric_similarity(x: Tensor, y: Tensor) -> float:
    """``‖XᵀY‖_* / (‖X‖ ‖Y‖)`` of centred spaces: the cosine of their best alignment.

    It is 1 where one is the other but for an isometry and a scale, by Procrustes' problem.

    Args:
        x, y: the same samples, (n, d) and (n, d').

    Raises:
        ValueError: there are not as many samples on both sides, or all of a side are one point.
    """
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} samples and y {len(y)}; give the same samples in both spaces")
    x, y = (z.double() - z.double().mean(0) for z in (x, y))
    size = (x.norm() * y.norm()).item()
    if not size > 0:
        raise ValueError("all samples of a side are one point, which has no shape; give samples that differ")
    return torch.linalg.svdvals(x.T @ y).sum().item() / size


def spread_to_margin(latents: Tensor, labels: Tensor, weight: Tensor, bias: Tensor) -> float:
    """Mean distance of samples to their class's mean, over their mean distance to the decision boundary.

    Neither uniform scaling nor an isometry of the latents changes it, where the classifier follows.

    Args:
        latents: (n, d).
        labels: integers (n,).
        weight, bias: of a linear classifier, (c, d) and (c,).
    """
    means = torch.stack([latents[labels == label].mean(0) for label in labels.unique()])
    place = torch.unique(labels, return_inverse=True)[1]
    spread = (latents - means[place]).norm(dim=1).mean()
    logits = latents @ weight.T + bias
    top = logits.argmax(1)
    gap = logits.gather(1, top[:, None]) - logits
    width = torch.cdist(weight, weight)[top]
    distance = torch.where(width > 0, gap / width.clamp(min=1e-30), torch.inf).amin(1)
    return (spread / distance.mean()).item()
