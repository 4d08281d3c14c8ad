"""How much signals and labels change along the edges of a graph (paper 1, eq. 3 to 5, and Figure 2).

Convention. Both variations are the *trace*, tr(Sᵀ L S). The paper writes it as a double sum over i and j;
taken over ordered pairs, that sum counts each edge twice and is twice the trace, so it is read over unordered
pairs:

    tr(Sᵀ L S) = ½ Σ_ij A_ij ‖s_i - s_j‖²                 (eq. 4)
    tr(Vᵀ L V) = Σ_ij A_ij [y_i ≠ y_j]                    (eq. 5)

Both sums here run over ordered pairs (i, j). In the second an edge between two classes changes two of the
indicators, so the trace is *twice* the total weight of the undirected edges between classes.
"""

from __future__ import annotations

from torch import Tensor

from lggkit.graph._precision import accumulating, integer, least_degree, one_of
from lggkit.graph.classes import class_indicators, inter_class_edges, labelled
from lggkit.graph.laplacians import normalized_weights, power_product
from lggkit.graph.signs import nonnegative

DENOMINATORS = ("edges-possible", "inter-pairs", "edges-present")


def signal_variation(a: Tensor, signals: Tensor, power: int = 1, normalized: bool = False) -> Tensor:
    """``tr(Sᵀ L^power S)``, the variation of signals S along the edges (paper 1, eq. 3 and 4).

    For power 1 and the combinatorial Laplacian ``½ Σ_ij A_ij ‖s_i - s_j‖²``, over ordered pairs. It is
    computed as the inner product of two half powers, ``L^⌊p/2⌋ S`` and ``L^⌈p/2⌉ S``.

    Args:
        a: symmetric, non-negative adjacency (..., n, n).
        signals: S, floating point (..., n, s).
        power: of the Laplacian, at least 1.
        normalized: take the normalised Laplacian, see ``laplacian``.

    Returns:
        The variation (...), at least 0 to rounding.

    Raises:
        ValueError: power < 1, the signals have another shape, ``a`` is not square or has negative weights
            (where they are seen, see ``degree``).
        TypeError: ``power`` is no int, the signals are not floating point, or ``a`` is neither floating point
            nor Boolean.
    """
    return signals_variation(nonnegative(a), signals, integer(power, "power"), normalized)


def signals_variation(a: Tensor, signals: Tensor, power: int, normalized: bool) -> Tensor:
    """``signal_variation`` whatever the signs of the weights."""
    signals = accumulating(signals, "signals")
    if signals.ndim < 2 or signals.shape[-2] != a.shape[-1]:
        raise ValueError(
            f"signals must have shape (..., {a.shape[-1]}, s), a row a vertex, got {tuple(signals.shape)}."
        )
    if not normalized:
        # Constants are in the kernel of D - A: taking them out costs nothing and saves digits.
        signals = signals - signals.detach().mean(-2, keepdim=True)
    low = power_product(a, signals, power // 2, normalized)
    high = power_product(a, low, power % 2, normalized)
    return (low * high).sum((-2, -1))


def label_variation(
    a: Tensor, labels: Tensor, power: int = 1, normalized_laplacian: bool = False, classes: int | None = None
) -> Tensor:
    """``tr(Vᵀ L^power V)``, the variation of the label indicators V along the edges (paper 1, eq. 5).

    With power 1 and the combinatorial Laplacian it is ``Σ_ij A_ij [y_i ≠ y_j]``, over ordered pairs: 0 if
    and only if no edge joins two classes; no indicators are formed. One class alone has variation 0
    (combinatorial).

    Args:
        a: symmetric, non-negative adjacency (..., n, n).
        labels: integers (..., n).
        power: of the Laplacian, at least 1.
        normalized_laplacian: take the normalised Laplacian, see ``laplacian``.
        classes: for higher powers; saves time and changes nothing else. Labels must then lie in [0, classes).

    Returns:
        The variation (...), at least 0 to rounding.

    Raises:
        ValueError: power < 1, there is not one label a vertex, ``a`` is not square or has negative weights
            (where they are seen, see ``degree``).
        TypeError: ``power`` is no int, ``labels`` are no integers, or ``a`` is neither floating point nor
            Boolean.
    """
    return labels_variation(nonnegative(a), labels, power, normalized_laplacian, classes)


def labels_variation(a: Tensor, labels: Tensor, power: int, normalized: bool, classes: int | None) -> Tensor:
    """``label_variation`` whatever the signs of the weights."""
    inter, power = labelled(a, labels), integer(power, "power")
    if power > 1:
        return signals_variation(a, class_indicators(labels, classes, a.dtype), power, normalized)
    if not normalized:
        return (a * inter).sum((-2, -1))
    return (a.sum(-1) > least_degree(a.dtype)).sum(-1) - (normalized_weights(a) * ~inter).sum((-2, -1))


def normalized_label_variation(
    a: Tensor, labels: Tensor, k: int | None = None, denominator: str = "edges-possible"
) -> Tensor:
    """The weight of the undirected edges between classes as a share, ``label_variation / 2 / denominator``.

    Appendix B of paper 1 leaves the denominator open: 1 means "all connections between data points of
    different classes is equal to 1". On 20 CIFAR-10 images (4 classes × 5, raw pixels in [0, 1], cosine,
    k = 5, "or", *not* normalised by D), 300 draws, the three below give 0.51 ± 0.04, 0.34 and 0.87;
    the paper prints 0.48.

    Args:
        a: symmetric, non-negative adjacency (..., n, n) as it is before step 4, hence of
            ``latent_geometry_graph(..., normalized=False)``: degrees would divide the weights once more.
        labels: integers (..., n).
        k: the neighbours a vertex of the graph, for ``"edges-possible"``; None for the full graph.
        denominator: ``"edges-possible"``, the most edges a kNN graph can have, n·k (n(n-1)/2 where that is
            less, as in a full graph); ``"inter-pairs"``, the pairs of vertices of distinct classes; or
            ``"edges-present"``, the edges between classes that the graph has, so that this is their mean
            weight.

    Returns:
        Shares (...), in [0, 1] for weights in [0, 1]. A share of nothing is 0.

    Raises:
        ValueError: ``denominator`` is none of these, k < 1, there is not one label a vertex, ``a`` is not
            square or has negative weights (where they are seen, see ``degree``).
        TypeError: ``k`` is no int, ``labels`` are no integers, or ``a`` is neither floating point nor
            Boolean.
    """
    one_of(denominator, DENOMINATORS, "The denominator")
    weight = label_variation(a, labels) / 2
    if denominator == "edges-possible":
        return weight / edges_possible(a.shape[-1], k)
    inter = labelled(a, labels)
    count = inter_class_edges(a if denominator == "edges-present" else inter, labels)
    return weight / count.clamp(min=1)


def edges_possible(n: int, k: int | None) -> int:
    """The most undirected edges that a kNN graph of n vertices can have, at least 1."""
    pairs = n * (n - 1) // 2
    return max(1, pairs if k is None else min(n * integer(k, "k"), pairs))
