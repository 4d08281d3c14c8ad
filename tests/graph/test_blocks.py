"""Graphs of whole sets against the dense functions: the same edges, ties, zeros and measures."""

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import kneighbors_graph

from lggkit import graph as dense
from lggkit.graph import SparseGraph, blocks, knn_graph, latent_geometry_graph

MODES = ("or", "and", "mean")
LABELS = torch.arange(12) % 3


def check_same(sparse, expected, **tolerance):
    """Same edges, row by row; same weights."""
    assert torch.equal(sparse.indices, expected.nonzero().T)
    tolerance = tolerance or {"rtol": 1e-12, "atol": 1e-12}
    torch.testing.assert_close(sparse.to_dense(), expected, equal_nan=True, **tolerance)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 13),
    k=st.integers(1, 14),
    levels=st.integers(1, 4),
    mode=st.sampled_from(MODES),
    normalized=st.booleans(),
    bandwidth=st.sampled_from([None, 0.7]),
    block=st.sampled_from([None, 1, 2, 3, 4, 99]),
)
def test_it_is_the_dense_graph_with_duplicates_ties_and_zero_rows(
    seed, n, k, levels, mode, normalized, bandwidth, block
):
    # Small integers, and for the distances a mean without rounding: products are exact, so ties are ties.
    n, kind = (2 ** (n // 3), "rbf") if bandwidth else (n, "cosine")
    x = torch.randint(levels, (n, 3), generator=torch.Generator().manual_seed(seed)).double()
    expected = latent_geometry_graph(x, k, kind, bandwidth, mode, normalized)
    check_same(knn_graph(x, k, kind, bandwidth, mode, normalized, block), expected)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 30),
    k=st.integers(1, 6),
    mode=st.sampled_from(MODES),
    normalized=st.booleans(),
    bandwidth=st.sampled_from([None, 0.5, torch.tensor(2.0)]),
    block=st.integers(1, 31),
)
def test_it_is_the_dense_graph_of_random_rows(seed, n, k, mode, normalized, bandwidth, block):
    x = torch.rand(n, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    kind = "cosine" if bandwidth is None else "rbf"
    expected = latent_geometry_graph(x, k, kind, bandwidth, mode, normalized)
    check_same(knn_graph(x, k, kind, bandwidth, mode, normalized, block), expected)


@pytest.mark.parametrize("k", [1, 4])
def test_neighbours_are_those_of_scikit_learn(k):
    x = torch.rand(40, 6, dtype=torch.float64)
    expected = torch.from_numpy(kneighbors_graph(x.numpy(), k, metric="cosine").toarray())
    graph = knn_graph(x, k, symmetrization="mean", normalized=False, block=7)
    assert torch.equal(graph.indices, (expected + expected.T).nonzero().T)


@pytest.mark.parametrize("similarity", ["cosine", "rbf"])
def test_wide_float32_duplicates_choose_the_lower_index(similarity):
    x = torch.rand(3, 2000).repeat(9, 1)
    graph = knn_graph(x, 4, similarity, 5.0 if similarity == "rbf" else None, normalized=False, block=5)
    row, column = graph.indices
    assert (row % 3 == column % 3).all()
    assert torch.equal(column[row == 26], torch.tensor([2, 5, 8, 11]))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("negative", ["zero", "keep"])
def test_negative_cosines_are_no_edges_or_kept(mode, normalized, negative):
    x = torch.randn(12, 2, dtype=torch.float64)
    options = {"symmetrization": mode, "normalized": normalized, "negative": negative}
    expected = latent_geometry_graph(x, 7, **options)
    assert (expected < 0).any() == (negative == "keep")
    check_same(knn_graph(x, 7, **options, block=5), expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("similarity", ["cosine", "rbf"])
@pytest.mark.parametrize("k", [1, 3])
def test_nan_is_everybodys_neighbour(similarity, mode, k):
    x = torch.rand(8, 3, dtype=torch.float64)
    x[[2, 5], 1] = torch.nan
    width = 1.0 if similarity == "rbf" else None
    expected = latent_geometry_graph(x, k, similarity, width, mode, normalized=False)
    check_same(knn_graph(x, k, similarity, width, mode, normalized=False, block=3), expected)
    graph = knn_graph(x, k, similarity, width, mode)
    assert graph.label_variation(torch.zeros(8).long()).isnan()
    assert mode == "and" or graph.degree().isnan().all()


@pytest.mark.parametrize("normalized", [False, True])
def test_the_measures_are_the_dense_ones(normalized):
    x = torch.rand(12, 4, dtype=torch.float64)
    graph = knn_graph(x, 3, normalized=normalized)
    a = graph.to_dense()
    torch.testing.assert_close(graph.degree(), dense.degree(a))
    check_same(graph.normalize(), dense.normalize_adjacency(a))
    torch.testing.assert_close(graph.label_variation(LABELS), dense.label_variation(a, LABELS))
    assert torch.equal(graph.inter_class_edges(LABELS), dense.inter_class_edges(a, LABELS))
    for denominator in ("edges-possible", "inter-pairs", "edges-present"):
        for k in (None, 3):
            ours = graph.normalized_label_variation(LABELS, k, denominator)
            torch.testing.assert_close(ours, dense.normalized_label_variation(a, LABELS, k, denominator))


def test_measures_by_hand():
    # A path 0 - 1 - 2 of weights 4 and 12, and 3 alone.
    indices = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    graph = SparseGraph(indices, torch.tensor([4.0, 4.0, 12.0, 12.0]), 4)
    labels = torch.tensor([7, 7, -1, -1])
    assert graph.degree().tolist() == [4, 16, 12, 0]
    assert graph.normalize().weights.tolist() == pytest.approx([0.5, 0.5, 0.75**0.5, 0.75**0.5])
    assert graph.label_variation(labels) == 24 and graph.inter_class_edges(labels) == 1
    assert graph.normalized_label_variation(labels, 1) == 12 / 4
    assert graph.normalized_label_variation(labels, 1, "inter-pairs") == 12 / 4
    assert graph.normalized_label_variation(labels, 1, "edges-present") == 12


def test_a_graph_without_edges_varies_nowhere():
    graph, labels = knn_graph(torch.zeros(4, 2), 2), torch.arange(4)
    assert graph.indices.shape == (2, 0) and not graph.to_dense().any() and not graph.degree().any()
    assert graph.label_variation(labels) == 0
    for denominator in ("edges-possible", "inter-pairs", "edges-present"):
        assert graph.normalized_label_variation(labels, 1, denominator) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_accumulated_in_float32(dtype):
    x = (torch.rand(20, 40) * 5).to(dtype)
    with torch.autocast("cpu", torch.bfloat16):
        graph = knn_graph(x, 3)
    assert graph.weights.dtype == torch.float32
    check_same(graph, latent_geometry_graph(x.float(), 3), rtol=1e-5, atol=1e-6)


def test_nothing_is_differentiated_and_the_input_stays():
    x = torch.rand(9, 3, requires_grad=True)
    before = x.detach().clone()
    for kind, width in (("cosine", None), ("rbf", 1.0)):
        assert not knn_graph(x, 2, kind, width).weights.requires_grad
    assert torch.equal(x, before)


@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_blocks_fit_what_they_may_take(monkeypatch, rows):
    seen, nearest, x = [], blocks._nearest, torch.rand(23, 4)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", rows * 8 * 23 * 4)
    monkeypatch.setattr(blocks, "_nearest", lambda s, *rest: seen.append(s.shape) or nearest(s, *rest))
    check_same(knn_graph(x, 3), latent_geometry_graph(x, 3), rtol=1e-5, atol=1e-6)
    assert max(seen) == (min(rows, 23), 23) and len(seen) == -(-23 // rows)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_memory_does_not_grow_with_the_number_of_blocks():
    # In a process with a peak of its own: the blocks are 256 MB together, and freed ones must be reused.
    code = (
        "import pathlib, torch\n"
        "from lggkit.graph import blocks, knn_graph\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "peak = lambda: int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "x = torch.rand(8000, 4)\n"
        "knn_graph(x[:100], 10)\n"
        "before = peak()\n"
        "for blocks.BLOCK_BYTES in (2**23, 2**24): knn_graph(x, 10)\n"
        "print(peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60_000  # kB


def test_a_row_is_compared_however_long_it_is(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1)
    assert len(knn_graph(torch.rand(3, 2), 2).weights) == 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.rand(2, 4, 2)}, ValueError, r"shape \(n, d\) .* got \(2, 4, 2\)"),
        ({"x": torch.rand(0, 2)}, ValueError, r"n >= 1 vertices, got \(0, 2\)"),
        ({"x": torch.zeros(4, 2).int()}, TypeError, "must be floating point, got torch.int32"),
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": None}, TypeError, "k must be an int, got None"),
        ({"block": 0}, ValueError, "block must be at least 1, got 0"),
        ({"similarity": "dot"}, ValueError, "'cosine', without .* 'rbf' in blocks, got 'dot'"),
        ({"bandwidth": 1.0}, ValueError, "without a bandwidth, .* got 'cosine' and bandwidth=1.0"),
        (
            {"similarity": "rbf"},
            ValueError,
            r"positive number in blocks, such as median_bandwidth .* got None",
        ),
        ({"similarity": "rbf", "bandwidth": "median"}, ValueError, "got 'median'"),
        ({"similarity": "rbf", "bandwidth": -1.0}, ValueError, "got -1.0"),
        ({"similarity": "rbf", "bandwidth": torch.ones(2)}, ValueError, "positive number in blocks"),
        ({"symmetrization": None}, ValueError, "or, and, mean, got None"),
        ({"negative": "drop"}, ValueError, "negative must be one of zero, keep, got 'drop'"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        knn_graph(**{"x": torch.rand(4, 2), "k": 2} | arguments)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: g.label_variation(LABELS[:3]), ValueError, r"one label a vertex: 4, got labels \(3,\)"),
        (lambda g: g.inter_class_edges(LABELS[:4].float()), TypeError, "labels must be integers"),
        (lambda g: g.normalized_label_variation(LABELS[:4], 1, "edges"), ValueError, "got 'edges'"),
    ],
)
def test_wrong_labels_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(knn_graph(torch.rand(4, 2), 1))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("mode", MODES)
def test_a_gpu_builds_the_same_graph(mode):
    x = torch.randint(3, (50, 4)).double()
    x_on_device, labels = x.cuda(), torch.arange(50).cuda() % 4
    graph = knn_graph(x_on_device, 5, symmetrization=mode, block=16)
    expected = latent_geometry_graph(x, 5, symmetrization=mode)
    torch.testing.assert_close(graph.to_dense().cpu(), expected)
    torch.testing.assert_close(
        graph.label_variation(labels).cpu(), dense.label_variation(expected, labels.cpu())
    )
