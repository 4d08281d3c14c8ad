"""The label variation regulariser: little change from depth to depth (paper 1, section 4.3)."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph import depth_variations
from lggkit.graph.depths import Latents
from lggkit.graph.similarities import Similarity

REDUCTIONS = ("mean", "sum")


def variation_smoothness(
    latents: Latents,
    labels: Tensor,
    *,
    power: int = 2,
    k: int | None = None,
    similarity: str | Similarity = "cosine",
    normalized: bool = False,
    normalized_laplacian: bool = False,
    reduction: str = "mean",
    classes: int | None = None,
    negative: str = "zero",
) -> Tensor:
    """``Σ_l |σ_{l+1} - σ_l|``, how much the labels' variation changes between depths (paper 1, eq. 8).

    ``σ_l = tr(Vᵀ L^m V)`` belongs to the graph of the batch at depth l, see `depth_variations`. The paper
    prints the sum; its authors' code takes the mean over pairs of depths, which is the default here, over the
    17 ReLU maps of PreActResNet-18 (``model.relu_depths``) with weight γ = 1e-4, m = 2, and full graphs that
    are not normalised. Nothing says how large σ should be. By the triangle inequality a jump costs as much as
    steps that add up to it, and what costs more is going back and forth. σ grows with the batch, about as
    ``n^(m + 1)``: a weight belongs to a batch size and a power.

    Args:
        latents: floating point (n, ...), one a depth, at least two, in order from input to output.
        labels: integers (n,).
        power, k, similarity, normalized, normalized_laplacian, classes, negative: see `depth_variations`.
        reduction: over pairs of consecutive depths, ``"mean"`` or ``"sum"``.

    Returns:
        The loss >= 0, a scalar in float32 (float64 for latents in float64). Where two depths have the same
        variation, neither is pushed.

    Raises:
        ValueError: there are fewer than two depths, ``reduction`` is none of these, or as `depth_variations`.
        TypeError: as `depth_variations`.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is {reduction!r}; choose one of {', '.join(REDUCTIONS)}")
    options = {"power": power, "k": k, "similarity": similarity, "normalized": normalized}
    variations = depth_variations(
        latents,
        labels,
        normalized_laplacian=normalized_laplacian,
        classes=classes,
        negative=negative,
        **options,
    )
    if len(variations) < 2:
        raise ValueError("the latents have one depth; give at least two, in order from input to output")
    steps = variations.diff().abs()
    return steps.mean() if reduction == "mean" else steps.sum()
