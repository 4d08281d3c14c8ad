import torch

from lggkit.evaluation import influence


def test_claims_hold():
    assert influence.zero_variation_violations(torch.Generator().manual_seed(0)) == 0
    assert influence.dimension_violation(torch.Generator().manual_seed(0)) < 1e-12


def test_a_variation_that_misses_light_edges_is_caught(monkeypatch):
    variation = influence.graph.signal_variation
    blind = lambda a, s: variation(a, s) * (a.sum((-2, -1)) > 1)  # noqa: E731
    monkeypatch.setattr(influence.graph, "signal_variation", blind)
    assert influence.zero_variation_violations(torch.Generator().manual_seed(0)) > 0


def test_a_graph_that_depends_on_the_dimension_is_caught(monkeypatch):
    build = influence.graph.latent_geometry_graph
    monkeypatch.setattr(influence.graph, "latent_geometry_graph", lambda x, k: build(x, k) * x.shape[1])
    assert influence.dimension_violation(torch.Generator().manual_seed(0)) > 0.1
