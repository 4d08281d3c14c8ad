"""What is measured on a student beside its error, in whichever section it was distilled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.data import DataSet, to_float
from lggkit.evaluation import consistency, error_rate
from lggkit.evaluation.accuracy import evaluating
from lggkit.evaluation.geometry import DENOMINATORS, balanced_draws, geometries
from lggkit.latents import latents
from lggkit.objectives import gkd, rkd_distance

DRAW_SEED = 41_000
NEIGHBORS = 5


def variation_by_depth(model: nn.Module, data: DataSet, draws: int, per_class: int) -> list[float]:
    """Mean label variation over balanced draws at every depth, from the input to the logits.

    Graphs of k = 5 neighbours and the denominator n·k, as in Figure 2; the same draws for every network.
    """
    source = torch.Generator().manual_seed(DRAW_SEED)
    chosen = balanced_draws(data.labels, draws, len(data.classes), per_class, source)
    by_depth = geometries(model, data.images, chosen, ("input", *model.depths, "output"), NEIGHBORS)
    return [geometry.variation[DENOMINATORS[0]].mean().item() for geometry in by_depth.values()]


def against_others(own: Tensor, baseline: Tensor, teacher: Tensor, labels: Tensor) -> dict[str, float]:
    """Gain over the baseline in points, and agreement with the teacher in percent, from logits (n, c).

    Where the teacher makes no error there is no agreement on its errors, and no such entry.
    """
    gain = error_rate(baseline, labels) - error_rate(own, labels)
    agreed = consistency(own, teacher, labels)
    on_errors = {} if agreed.on_errors is None else {"consistency_on_teacher_errors": agreed.on_errors}
    return {
        "gain": gain,
        "gain_doubled": 2 * gain,
        "consistency": agreed.overall,
        "teacher_error": error_rate(teacher, labels),
        **on_errors,
    }


@torch.no_grad()
def distances_to_teacher(
    model: nn.Module, teacher: nn.Module, images: Tensor, layers: Sequence[str], batch_size: int
) -> dict[str, float]:
    """How far a student's relations are from its teacher's, as GKD and as RKD-D measure it.

    Both losses, unweighted, in evaluation mode, averaged over the batches of ``images`` (n, c, h, w).
    """
    found = []
    with evaluating(model), evaluating(teacher):
        for batch in images.split(batch_size):
            ours, theirs = (latents(network, to_float(batch), layers) for network in (model, teacher))
            gap = rkd_distance(ours, theirs, mean_over="positive")  # as the students were distilled
            found.append([float(gkd(ours, theirs)), float(gap)])
    means = torch.tensor(found).mean(0).tolist()
    return dict(zip(("graph_distance", "distance_gap"), means, strict=True))
