"""The whole construction against a naive one, both orders, degenerate batches, one compiled step."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import (
    class_mask,
    cosine_similarity,
    inter_class_edges,
    knn_mask,
    label_variation,
    latent_geometry_graph,
    normalize_adjacency,
    normalized_label_variation,
    signal_variation,
    symmetrize,
)


def naive_graph(angles, k, order):
    """Cosine graph of points on a circle, by double loops."""
    n = len(angles)
    w = [[0.0 if i == j else math.cos(angles[i] - angles[j]) for j in range(n)] for i in range(n)]
    if order == "normalize-first":
        w = naive_normalize(w)
    chosen = [sorted((j for j in range(n) if j != i), key=lambda j: -w[i][j])[:k] for i in range(n)]
    w = [[w[i][j] if j in chosen[i] or i in chosen[j] else 0.0 for j in range(n)] for i in range(n)]
    return torch.tensor(w if order == "normalize-first" else naive_normalize(w), dtype=torch.float64)


def naive_normalize(w):
    d = [sum(row) for row in w]
    return [[w[i][j] / math.sqrt(d[i] * d[j]) for j in range(len(w))] for i in range(len(w))]


ANGLES = [math.radians(a) for a in (0, 7, 20, 38, 61, 89)]


def on_circle(angles):
    return torch.tensor([[math.cos(a), math.sin(a)] for a in angles], dtype=torch.float64)


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("k", [1, 2, 5, 99])
def test_the_graph_of_points_on_a_circle(order, k):
    graph = latent_geometry_graph(on_circle(ANGLES), k, order=order)
    torch.testing.assert_close(graph, naive_graph(ANGLES, k, order))


def test_the_two_orders_differ_and_agree_on_the_full_graph():
    x = torch.rand(7, 3)
    one, other = (latent_geometry_graph(x, 2, order=order) for order in ("mask-first", "normalize-first"))
    assert not torch.allclose(one, other)
    one, other = (latent_geometry_graph(x, None, order=order) for order in ("mask-first", "normalize-first"))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("k", [None, 7, 50])
def test_the_exponent_is_a_matrix_power(order, k):
    x = torch.rand(7, 3, dtype=torch.float64)
    expected = torch.linalg.matrix_power(latent_geometry_graph(x), 3)
    torch.testing.assert_close(latent_geometry_graph(x, k, order=order, exponent=3), expected)


def test_normalising_first_takes_the_power_of_the_masked_graph():
    x = torch.rand(7, 3, dtype=torch.float64)
    complete = latent_geometry_graph(x)
    masked = torch.where(symmetrize(knn_mask(complete, 2)), complete, 0.0)
    ours = latent_geometry_graph(x, 2, order="normalize-first", exponent=2)
    torch.testing.assert_close(ours, masked @ masked)


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
def test_a_teachers_mask_takes_the_place_of_k(order):
    teacher, student = torch.rand(8, 5), torch.rand(8, 3)
    mask = knn_mask(cosine_similarity(teacher), 2)
    graph = latent_geometry_graph(student, mask=mask, order=order)
    assert torch.equal(graph != 0, symmetrize(mask))
    weights = cosine_similarity(student).fill_diagonal_(0)
    edges = symmetrize(mask)
    expected = weights * edges if order == "mask-first" else normalize_adjacency(weights) * edges
    expected = normalize_adjacency(expected) if order == "mask-first" else expected
    torch.testing.assert_close(graph, expected)
    torch.testing.assert_close(
        latent_geometry_graph(student, mask=mask, order="normalize-first", symmetrization=None),
        normalize_adjacency(weights) * mask,
    )


def test_a_class_mask_leaves_only_its_pairs():
    labels = torch.tensor([0, 1, 0, 1, 2])
    graph = latent_geometry_graph(torch.rand(5, 3), mask=class_mask(labels, "inter"))
    assert torch.equal(graph > 0, class_mask(labels, "inter"))
    # The only vertex of class 2 has nobody in its class: it is isolated.
    graph = latent_geometry_graph(torch.rand(5, 3), mask=class_mask(labels, "intra"))
    assert label_variation(graph, labels) == 0 and (graph[4] == 0).all() and graph.isfinite().all()


@pytest.mark.parametrize(("mode", "one_way"), [("or", 1.0), ("and", 0.0), ("mean", 0.5)])
def test_the_symmetrisation_of_a_one_way_edge(mode, one_way):
    x = on_circle([0.0, 0.1, 0.5])  # 2's neighbour is 1, but 1's is 0
    graph = latent_geometry_graph(x, 1, symmetrization=mode, normalized=False)
    assert graph[1, 2].item() == pytest.approx(one_way * math.cos(0.4))
    assert graph[0, 1].item() == pytest.approx(math.cos(0.1)) and torch.equal(graph, graph.T)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 8), st.sampled_from(["cosine", "rbf"]))
def test_the_order_of_the_samples_does_not_matter(seed, n, k, similarity):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 4, generator=generator, dtype=torch.float64)
    order = torch.randperm(n, generator=generator)
    for how in ("mask-first", "normalize-first"):
        graph = latent_geometry_graph(x, k, similarity, order=how)
        permuted = latent_geometry_graph(x[order], k, similarity, order=how)
        torch.testing.assert_close(permuted, graph[order][:, order])
        torch.testing.assert_close(graph, graph.mT)
        assert (graph.diagonal() == 0).all() and (graph >= 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7), st.floats(0.01, 100))
def test_normalised_graphs_ignore_isometries_and_the_scale(seed, n, scale):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(n, 3, generator=generator, dtype=torch.float64)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=generator, dtype=torch.float64)).Q
    moved = scale * (x @ rotation)
    for similarity, y in (("cosine", moved), ("rbf", moved + 3)):
        graph = latent_geometry_graph(x, 3, similarity)
        torch.testing.assert_close(latent_geometry_graph(y, 3, similarity), graph, atol=1e-6, rtol=1e-6)


DEGENERATE = {
    "duplicates": torch.tensor([[1.0, 2.0]] * 3 + [[2.0, 0.5]] * 2),
    "one place": torch.ones(4, 3),
    "zero vector": torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]),
    "all zero": torch.zeros(4, 2),
    "orthogonal": torch.eye(4),
    "one vertex": torch.ones(1, 3),
    "two vertices": torch.tensor([[1.0, 0.0], [1.0, 1.0]]),
}


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("similarity", ["cosine", "rbf"])
@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_batches_give_finite_graphs_and_gradients(case, similarity, order):
    x = DEGENERATE[case].clone().requires_grad_()
    graph = latent_geometry_graph(x, 2, similarity, order=order, exponent=2)
    labels = torch.arange(len(x)) % 2
    (label_variation(graph, labels, 2) + (graph * torch.rand(graph.shape)).sum()).backward()
    assert graph.isfinite().all() and x.grad.isfinite().all()


def test_a_zero_vector_is_isolated_and_one_vertex_alone():
    graph = latent_geometry_graph(DEGENERATE["zero vector"])
    assert (graph[0] == 0).all() and (graph[1:].sum(-1) > 0).all()
    assert latent_geometry_graph(torch.rand(1, 3), 1).tolist() == [[0]]


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("k", [None, 1])
def test_nan_reaches_everybody_through_the_normalisation(order, k):
    x = torch.rand(5, 3)
    x[2, 1] = torch.nan
    assert latent_geometry_graph(x, k, order=order).isnan().any(-1).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(dtype):
    x = (torch.rand(6, 40) * 5).to(dtype).requires_grad_()
    graph = latent_geometry_graph(x, 2)
    graph.sum().backward()
    assert graph.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert x.grad.dtype == dtype and x.grad.isfinite().all()


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("similarity", ["cosine", "rbf"])
def test_a_batch_is_a_loop(order, similarity):
    x = torch.rand(2, 3, 6, 4)
    batched = latent_geometry_graph(x, 2, similarity, order=order)
    for i in range(2):
        for j in range(3):
            single = latent_geometry_graph(x[i, j], 2, similarity, order=order)
            torch.testing.assert_close(batched[i, j], single)


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("symmetrization", ["or", "and", "mean"])
def test_gradients(order, symmetrization):
    x = torch.rand(5, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: latent_geometry_graph(x, 2, order=order, symmetrization=symmetrization), x
    )


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
def test_a_mask_with_a_diagonal_makes_no_loops(order):
    full = torch.ones(5, 5, dtype=torch.bool)
    x = torch.rand(5, 3)
    torch.testing.assert_close(latent_geometry_graph(x, mask=full, order=order), latent_geometry_graph(x))


def test_inputs_are_not_changed():
    x, mask = torch.rand(5, 3), torch.ones(5, 5, dtype=torch.bool)
    before = x.clone()
    latent_geometry_graph(x, mask=mask)
    assert torch.equal(x, before) and mask.all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"order": "paper"}, ValueError, "mask-first, normalize-first, got 'paper'"),
        ({"symmetrization": "max"}, ValueError, "got 'max'"),
        ({"exponent": 0}, ValueError, "exponent must be at least 1, got 0"),
        ({"exponent": 0.5}, TypeError, "exponent must be an int, got 0.5"),
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": 2, "mask": torch.ones(4, 4, dtype=torch.bool)}, ValueError, "Give either k or mask"),
        ({"mask": torch.ones(4, 4)}, TypeError, "must be Boolean, got torch.float32"),
        ({"mask": torch.ones(3, 3, dtype=torch.bool)}, ValueError, r"\(\.\.\., 4, 4\), got \(3, 3\)"),
    ],
)
@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
def test_wrong_arguments_are_named(arguments, error, message, order):
    with pytest.raises(error, match=message):
        latent_geometry_graph(torch.rand(4, 2), **{"order": order} | arguments)


def test_a_step_compiles_as_one_graph_and_computes_the_same():
    labels = torch.tensor([0, 1, 2, 0, 1, 2])

    def step(x):
        paper = latent_geometry_graph(x, 2, "rbf")
        code = latent_geometry_graph(x, 3, order="normalize-first", exponent=2, symmetrization="mean")
        share = normalized_label_variation(paper, labels, 2, "inter-pairs")
        variation = label_variation(paper, labels) + label_variation(code, labels, 2, classes=3)
        return (variation + share + signal_variation(paper, x) + inter_class_edges(code, labels)).sum()

    x = torch.rand(2, 6, 4, requires_grad=True)
    compiled = torch.compile(step, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), step(x))
    ours, expected = (torch.autograd.grad(f(x), x)[0] for f in (compiled, step))
    torch.testing.assert_close(ours, expected)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_step_can_be_captured_and_agrees_with_the_cpu():
    x = torch.rand(3, 32, 20)
    labels = torch.arange(32) % 4
    place, on_device = x.cuda(), labels.cuda()

    def step(x, labels):
        graph = latent_geometry_graph(x, 5) + latent_geometry_graph(x, 5, "rbf", order="normalize-first")
        return label_variation(graph, labels, 2)

    step(place, on_device)
    torch.cuda.synchronize()
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        result = step(place, on_device)
    place.copy_(x.flip(1))
    captured.replay()
    torch.testing.assert_close(result.cpu(), step(x.flip(1), labels), rtol=1e-4, atol=1e-4)
