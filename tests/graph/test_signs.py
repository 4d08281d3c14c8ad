"""Negative similarities are no edges unless they are asked for; adjacencies that have them are refused."""

import pytest
import torch

from lggkit.graph import (
    SparseGraph,
    class_mask,
    cosine_similarity,
    degree,
    knn_graph,
    label_variation,
    laplacian,
    laplacian_eigenmaps,
    laplacian_power_product,
    latent_geometry_graph,
    normalize_adjacency,
    normalized_label_variation,
    signal_variation,
)

LABELS = torch.arange(12) % 3
REFUSING = {
    "degree": degree,
    "normalize_adjacency": normalize_adjacency,
    "laplacian": laplacian,
    "laplacian_power_product": lambda a: laplacian_power_product(a, torch.ones(a.shape[-1], 2), 2),
    "laplacian_eigenmaps": laplacian_eigenmaps,
    "signal_variation": lambda a: signal_variation(a, torch.rand(a.shape[-1], 2)),
    "label_variation": lambda a: label_variation(a, LABELS),
    "label_variation, L²": lambda a: label_variation(a, LABELS, 2),
    "normalized_label_variation": lambda a: normalized_label_variation(a, LABELS),
}
every = pytest.mark.parametrize("function", REFUSING.values(), ids=REFUSING)


def signed(n=12, d=3):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(0))


def test_no_vertex_is_isolated_by_signs():
    for seed in range(5):
        x = torch.randn(40, 8, generator=torch.Generator().manual_seed(seed))
        for k in (None, 5):
            graph = latent_geometry_graph(x, k)
            assert (graph.sum(-1) > 0).all() and graph.min() == 0 and graph.max() <= 1 + 1e-6
            assert (knn_graph(x, k or 40).degree() > 0).all()


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("k", [None, 4])
def test_zero_is_the_graph_of_clipped_cosines_and_keep_that_of_raw_ones(k, order):
    x = signed()
    raw = cosine_similarity(x)
    for negative, weights in (("zero", raw.clamp(min=0)), ("keep", raw)):
        expected = latent_geometry_graph(x, k, lambda _, w=weights: w, order=order, negative=negative)
        torch.testing.assert_close(latent_geometry_graph(x, k, order=order, negative=negative), expected)
    assert (latent_geometry_graph(x, k, order=order) >= 0).all()
    assert (latent_geometry_graph(x, normalized=False, negative="keep") < 0).any()


def test_a_function_of_the_users_is_held_to_the_same_rule():
    x = signed()
    for negative, least in (("zero", 0.0), ("keep", (x @ x.T).fill_diagonal_(0).min().item())):
        graph = latent_geometry_graph(x, None, lambda x: x @ x.T, normalized=False, negative=negative)
        assert graph.min().item() == least


def test_no_gradient_flows_through_what_is_clipped():
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.1], [-1.0, 0.2]], requires_grad=True)
    latent_geometry_graph(x, normalized=False)[0].sum().backward()
    assert not x.grad.any()
    x.grad = None
    latent_geometry_graph(x, normalized=False, negative="keep")[0].sum().backward()
    assert x.grad.any()


def test_latents_behind_a_relu_do_not_notice():
    x = torch.rand(9, 30).sub(0.5).relu().requires_grad_()
    results = [latent_geometry_graph(x, 3, negative=negative) for negative in ("zero", "keep")]
    assert torch.equal(*results)
    slopes = [torch.autograd.grad((g * torch.arange(9.0)).sum(), x)[0] for g in results]
    assert torch.equal(*slopes)


@every
def test_negative_weights_are_refused(function):
    a = latent_geometry_graph(signed(), normalized=False, negative="keep")
    with pytest.raises(ValueError, match=r"negative weights \(least -0\..*clamp\(min=0\).*negative='zero'"):
        function(a)


@every
def test_rounding_and_masks_are_not(function):
    a = latent_geometry_graph(signed())
    a[0, 1] = a[1, 0] = -1e-8
    function(a)
    function(latent_geometry_graph(signed(), exponent=3))
    function(class_mask(LABELS))


def test_where_nothing_may_wait_nothing_is_refused_but_by_eigenmaps():
    a = latent_geometry_graph(signed(), normalized=False, negative="keep")
    compiled = torch.compile(degree, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(a), a.sum(-1))
    torch.testing.assert_close(torch.vmap(degree)(a.unsqueeze(0))[0], a.sum(-1))


def test_a_sparse_graph_refuses_them_too():
    graph = knn_graph(signed(), 11, normalized=False, negative="keep")
    assert isinstance(graph, SparseGraph) and (graph.weights < 0).any()
    for call in (graph.degree, graph.normalize, lambda: graph.label_variation(LABELS)):
        with pytest.raises(ValueError, match="negative weights"):
            call()


def test_compiled_and_mapped_graphs_are_the_same():
    x = signed()
    compiled = torch.compile(lambda x: latent_geometry_graph(x, 3), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), latent_geometry_graph(x, 3))
    mapped = torch.vmap(lambda x: latent_geometry_graph(x, 3))(x.unsqueeze(0))[0]
    torch.testing.assert_close(mapped, latent_geometry_graph(x, 3))


def test_another_rule_is_refused():
    with pytest.raises(ValueError, match="negative must be one of zero, keep, got 'abs'"):
        latent_geometry_graph(signed(), negative="abs")


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
def test_orthogonal_samples_keep_their_gradient(order):
    x = torch.tensor([[1.0, 0.0, 0.5], [0.0, 2.0, 0.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    weight = torch.arange(9.0, dtype=torch.float64).view(3, 3)
    slopes = {}
    for negative in ("zero", "keep"):
        leaf = x.clone().requires_grad_()
        graph = latent_geometry_graph(leaf, normalized=False, order=order, negative=negative)
        slopes[negative] = torch.autograd.grad((graph * weight).sum(), leaf)[0]
    torch.testing.assert_close(slopes["zero"], slopes["keep"])
