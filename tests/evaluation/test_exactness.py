import torch

from lggkit.evaluation import exactness


def test_claims_hold():
    assert exactness.zero_variation_violations(torch.Generator().manual_seed(0)) == 0
    assert exactness.dimension_violation(torch.Generator().manual_seed(0)) < 1e-12


def test_a_variation_that_misses_light_edges_is_caught(monkeypatch):
    variation = exactness.graph.signal_variation
    blind = lambda a, s: variation(a, s) * (a.sum((-2, -1)) > 1)  # noqa: E731
    monkeypatch.setattr(exactness.graph, "signal_variation", blind)
    assert exactness.zero_variation_violations(torch.Generator().manual_seed(0)) > 0


def test_a_graph_that_depends_on_the_dimension_is_caught(monkeypatch):
    build = exactness.graph.latent_geometry_graph
    monkeypatch.setattr(exactness.graph, "latent_geometry_graph", lambda x, k: build(x, k) * x.shape[1])
    assert exactness.dimension_violation(torch.Generator().manual_seed(0)) > 0.1
