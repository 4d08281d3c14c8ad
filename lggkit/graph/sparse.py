"""A graph by its edges: the measures of whole-set graphs, which no (n, n) matrix could hold.

Methods have the name, the conventions and the arguments of the package's functions on dense adjacencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lggkit.graph._precision import inverse_sqrt, one_of
from lggkit.graph.classes import integers
from lggkit.graph.signs import check_weights
from lggkit.graph.variation import DENOMINATORS, edges_possible


@dataclass(frozen=True, eq=False)
class SparseGraph:
    """A symmetric adjacency by its non-zero entries.

    Args:
        indices: int64 (2, e), both directions of every edge, row by row.
        weights: (e,).
        n: the number of vertices.

    Of negative weights (beyond rounding) degrees and variations are refused with ValueError, as the functions
    on dense adjacencies do; here that waits for the device.
    """

    indices: Tensor
    weights: Tensor
    n: int

    def degree(self) -> Tensor:
        """The degrees ``D_ii = Σ_j A_ij``, shape (n,) (paper 1, eq. 2)."""
        check_weights(self.weights, wait=True)
        return self._sums()

    def normalize(self) -> SparseGraph:
        """``D^(-1/2) A D^(-1/2)``; a vertex without positive degree loses its edges."""
        check_weights(self.weights, wait=True)
        return self.normalized()

    def normalized(self) -> SparseGraph:
        """``normalize`` whatever the signs of the weights."""
        scale = inverse_sqrt(self._sums())
        row, column = self.indices
        return SparseGraph(self.indices, self.weights * (scale[row] * scale[column]), self.n).nonzero()

    def nonzero(self) -> SparseGraph:
        """The same graph without entries that are zero; NaN stays."""
        edges = self.weights != 0
        return SparseGraph(self.indices[:, edges], self.weights[edges], self.n)

    def label_variation(self, labels: Tensor) -> Tensor:
        """``tr(Vᵀ L V) = Σ_ij A_ij [y_i ≠ y_j]`` of integer labels (n,), L = D - A, shape () (eq. 5)."""
        check_weights(self.weights, wait=True)
        return (self.weights * self._inter(labels)).sum()

    def inter_class_edges(self, labels: Tensor) -> Tensor:
        """The number of undirected edges between distinct classes, int64, shape ()."""
        return self._inter(labels).sum() // 2

    def normalized_label_variation(
        self, labels: Tensor, k: int | None = None, denominator: str = "edges-possible"
    ) -> Tensor:
        """``label_variation / 2 / denominator``, shape (), as the function of this name has it."""
        one_of(denominator, DENOMINATORS, "The denominator")
        weight = self.label_variation(labels) / 2
        if denominator == "edges-possible":
            return weight / edges_possible(self.n, k)
        sizes = labels.unique(return_counts=True)[1]
        pairs = (self.n**2 - (sizes**2).sum()) // 2
        count = pairs if denominator == "inter-pairs" else self.inter_class_edges(labels)
        return weight / count.clamp(min=1)

    def to_dense(self) -> Tensor:
        """The adjacency, shape (n, n)."""
        dense = self.weights.new_zeros(self.n, self.n)
        dense[self.indices[0], self.indices[1]] = self.weights
        return dense

    def _sums(self) -> Tensor:
        return self.weights.new_zeros(self.n).index_add_(0, self.indices[0], self.weights)

    def _inter(self, labels: Tensor) -> Tensor:
        labels = integers(labels)
        if labels.shape != (self.n,):
            raise ValueError(f"There must be one label a vertex: {self.n}, got labels {tuple(labels.shape)}.")
        return labels[self.indices[0]] != labels[self.indices[1]]


def join_choices(columns: Tensor, weights: Tensor, mode: str) -> SparseGraph:
    """The graph where row i chose columns[i], both (n, k), made symmetric as ``symmetrize`` does.

    A pair that chose each other has the weight of its lower row.
    """
    n = len(columns)
    rows = torch.arange(n, device=columns.device).unsqueeze(-1)
    pair = torch.minimum(rows, columns) * n + torch.maximum(rows, columns)
    pair, order = pair.flatten().sort(stable=True)
    pair, directions = torch.unique_consecutive(pair, return_counts=True)
    weights = weights.flatten()[order[directions.cumsum(0) - directions]]
    if mode == "and":
        pair, weights = pair[directions == 2], weights[directions == 2]
    return _both_ways(pair, weights * (directions / 2) if mode == "mean" else weights, n)


def _both_ways(pair: Tensor, weights: Tensor, n: int) -> SparseGraph:
    low, high = pair // n, pair % n
    entry, order = torch.cat((pair, high * n + low)).sort()
    return SparseGraph(torch.stack((entry // n, entry % n)), weights.repeat(2)[order], n)
