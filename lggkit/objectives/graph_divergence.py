"""The graph divergence loss: a two-sample test between data and what a generator makes, to be minimised."""

from __future__ import annotations

from torch import Tensor

from lggkit.graph import flatten, two_sample_statistic


def graph_divergence(
    x0: Tensor, x1: Tensor, k: int = 1, temperature: float = 0.1, scale: str = "none"
) -> Tensor:
    """``-t`` of the smoothed k-NN test: near 0 where both samples are of one distribution, large elsewhere.

    ``t = (T - E T) / sqrt(V T + 1e-5)``, T the weight of edges between the samples. λ has the unit of the
    distances: where they are much larger than λ the neighbours are hard, and the gradient of samples that
    lie far apart vanishes. ``scale="median"`` or ``"sqrt_dim"`` gives λ a unit of its own.

    Args:
        x0, x1: floating point (n0, ...) and (n1, ...), flattened; n0 + n1 >= 4.
        k, temperature, scale: see `lggkit.graph.knn_marginals`.

    Returns:
        The loss, a scalar in at least float32.

    Raises:
        ValueError: there are fewer than four samples, they differ in size, or an option is out of range.
        TypeError: one is no floating point tensor.

    Source: "Geometries of learning", article 10, equation 5.
    """
    if temperature is None:
        raise ValueError("temperature is None, which has no gradient; give a positive number, such as 0.1")
    return -two_sample_statistic(flatten(x0), flatten(x1), k, temperature, scale)
