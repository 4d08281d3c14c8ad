"""Similarity-preserving distillation, SP: what excites a teacher alike shall excite its student alike."""

from __future__ import annotations

import torch
from torch import Tensor

from lggkit.graph._squares import gram_matrix
from lggkit.graph.distances import vertices
from lggkit.graph.similarities import directions
from lggkit.objectives.pairs import Latents, paired


def similarity_preserving(student: Latents, teacher: Latents) -> Tensor:
    """``1/|Λ| Σ_{l ∈ Λ} 1/n² ‖G_T^l - G_S^l‖_F²``, where G has the rows of ``Q Qᵀ`` divided by their norms.

    Q holds a layer's latents as rows. Unlike a latent geometry graph, G keeps its diagonal, compares inner
    products and no cosines, and is not symmetric. The authors sum over layers; here they are averaged, as by
    the other objectives, so that one weight does for any number of layers. Latents that are all zero have a
    zero row.

    Args:
        student, teacher: latents (n, ...) of the same batch, layer by layer, see `paired`; no gradient
            reaches the teacher.

    Returns:
        The loss in [0, 4/n], a scalar in float32 (float64 for latents in float64).

    Raises:
        ValueError: the latents do not fit, see `paired`.
        TypeError: latents are not floating point.

    Source: Tung, Mori, "Similarity-preserving knowledge distillation" (2019), eq. 2-4.
    """
    pairs = paired(student, teacher, in_order=False)
    losses = [(_similarities(t) - _similarities(s)).square().mean() for s, t in pairs]
    return sum(losses) / len(losses)


def _similarities(x: Tensor) -> Tensor:
    """Inner products of all pairs (n, n), each row of length 1, whatever the scale of the layer."""
    x = vertices(x)
    largest = x.detach().abs().amax().clamp(min=torch.finfo(x.dtype).tiny)
    gram = gram_matrix(x / largest)
    return directions(gram)
