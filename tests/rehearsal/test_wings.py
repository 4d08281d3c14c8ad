"""Graphs, transport, objectives and more on a GPU that is not there; those that wait for it say so."""

from __future__ import annotations

import pytest
import torch

from lggkit import graph, latents, networks, objectives, transport

CUDA = {"device": "cuda"}
READS = dict.fromkeys(("check_nonnegative", "knn_graph", "laplacian_eigenmaps", "SparseGraph"), ("read",))
GRAPH = {
    "check_nonnegative": lambda s: graph.check_nonnegative(s.x),
    "class_indicators": lambda s: [graph.class_indicators(s.labels, n) for n in (None, 10)],
    "class_mask": lambda s: [graph.class_mask(s.labels, kind) for kind in ("inter", "intra")],
    "cosine_similarity": lambda s: graph.cosine_similarity(s.x),
    "degree": lambda s: graph.degree(s.a),
    "depth_variations": lambda s: [
        graph.depth_variations(
            s.maps, s.labels, power=m, similarity=kind, classes=10, normalized_laplacian=m < 2
        )
        for m, kind in ((1, "rbf"), (2, "cosine"))
    ],
    "flatten": lambda s: graph.flatten(s.maps["first"]),
    "inter_class_edges": lambda s: graph.inter_class_edges(s.a, s.labels),
    "knn_graph": lambda s: [
        graph.knn_graph(s.x, 3).weights,
        graph.knn_graph(s.x, 3, "rbf", graph.median_bandwidth(s.x), "and", block=5).indices,
    ],
    "knn_mask": lambda s: [graph.knn_mask(s.a, k) for k in (3, None)],
    "label_variation": lambda s: [
        graph.label_variation(s.a, s.labels, m, normalized) for m in (1, 3) for normalized in (True, False)
    ],
    "laplacian": lambda s: [graph.laplacian(s.a, normalized) for normalized in (True, False)],
    "laplacian_eigenmaps": lambda s: graph.laplacian_eigenmaps(s.a),
    "laplacian_power_product": lambda s: graph.laplacian_power_product(s.a, s.x, 2, normalized=True),
    "latent_geometry_graph": lambda s: [
        graph.latent_geometry_graph(s.x, k, kind, order=order, symmetrization=mode, exponent=2)
        for k, kind, order, mode in (
            (3, "rbf", "mask-first", "mean"),
            (None, "cosine", "normalize-first", "and"),
        )
    ],
    "median_bandwidth": lambda s: graph.median_bandwidth(s.x),
    "normalize_adjacency": lambda s: graph.normalize_adjacency(s.a),
    "normalized_label_variation": lambda s: [
        graph.normalized_label_variation(s.a, s.labels, 3, each)
        for each in ("edges-possible", "inter-pairs", "edges-present")
    ],
    "pairwise_distance": lambda s: [
        graph.pairwise_distance(x) for x in (s.x, torch.rand(300, 20, requires_grad=True, **CUDA))
    ],
    "rbf_similarity": lambda s: [graph.rbf_similarity(s.x, b) for b in (None, 0.5)],
    "signal_variation": lambda s: graph.signal_variation(s.a, s.x, 3),
    "similarity": lambda s: [graph.similarity(s.x, k) for k in ("rbf", lambda x: x @ x.mT)],
    "SparseGraph": lambda s: [
        s.edges.degree(),
        s.edges.normalize().weights,
        s.edges.nonzero().weights,
        s.edges.to_dense(),
        s.edges.inter_class_edges(s.labels),
        s.edges.label_variation(s.labels),
        *(
            s.edges.normalized_label_variation(s.labels, 3, each)
            for each in ("edges-possible", "inter-pairs")
        ),
    ],
    "crossing_weight": lambda s: graph.crossing_weight(s.a, 5),
    "knn_marginals": lambda s: [
        graph.knn_marginals(s.x, k, t, scale)
        for k, t, scale in ((1, 0.1, "none"), (3, 0.1, "median"), (3, None, "none"))
    ],
    "relabelling_moments": lambda s: graph.relabelling_moments(s.a, 5),
    "two_sample_statistic": lambda s: graph.two_sample_statistic(s.x, s.x.detach(), scale="sqrt_dim"),
    "symmetrize": lambda s: [graph.symmetrize(s.a, mode) for mode in ("or", "and", "mean")],
}
TRANSPORT = {
    "cost_matrix": lambda s: [
        transport.cost_matrix(s.x, s.x.detach(), metric) for metric in ("euclidean", "sqeuclidean", "cosine")
    ],
    "ipot": lambda s: [
        transport.ipot(s.x, (None, s.x[0].softmax(0)), iterations=2, inner=2, start=start)
        for start in (None, s.x.detach())
    ],
    "neurons": lambda s: [transport.neurons(s.maps["first"], pool) for pool in ("mean", "positions")],
}
NO_TRANSPORT = {
    "Marginals": "a type",
    "Transport": "a type",
    **dict.fromkeys(("empirical_wasserstein", "exact_transport"), "by solvers of NumPy's arrays, on the CPU"),
}
MEASURES = dict.fromkeys(("check_latents", "spectral_norms"), ("read",))
OBJECTIVES = {
    "check_latents": lambda s: objectives.check_latents(s.maps, s.theirs, nonnegative=True),
    "densification": lambda s: objectives.densification(s.x.view(3, 4, 7), 0.5),
    "gkd": lambda s: [
        objectives.gkd(s.maps, s.theirs, k=3, order="normalize-first"),
        objectives.gkd(s.maps, s.theirs, edges="inter", labels=s.labels, similarity="rbf"),
    ],
    "block_cosines": lambda s: objectives.block_cosines(s.logits, 5),
    "graph_divergence": lambda s: objectives.graph_divergence(s.x, s.x.detach()),
    "orthonormality": lambda s: objectives.orthonormality(s.logits, 5),
    "graph_smoothness": lambda s: [
        objectives.graph_smoothness(s.x, s.labels, k=k, reduction=r) for k, r in ((3, "sum"), (None, "mean"))
    ],
    "hinton": lambda s: objectives.hinton(s.x, s.x.detach()),
    "l2": lambda s: objectives.l2(s.model.parameters()),
    "l2_sp": lambda s: objectives.l2_sp({"w": s.x}, {"w": s.x.detach()}),
    "omega_i": lambda s: objectives.omega_i(s.maps, {name: x.detach() for name, x in s.maps.items()}),
    "omega_p": lambda s: objectives.omega_p(s.maps, s.theirs, iterations=2, inner=2),
    "omega_u": lambda s: objectives.omega_u(s.maps, s.theirs),
    "paired": lambda s: objectives.paired(s.maps, s.theirs, in_order=False),
    "parseval_step": lambda s: objectives.parseval_step(s.model),
    "relative_distance": lambda s: [objectives.relative_distance(s.x, m) for m in ("all", "positive")],
    "rkd_angle": lambda s: objectives.rkd_angle(s.maps, s.theirs),
    "rkd_distance": lambda s: objectives.rkd_distance(s.maps, s.theirs),
    "similarity_preserving": lambda s: objectives.similarity_preserving(s.maps, s.theirs),
    "spectral_norms": lambda s: objectives.spectral_norms(s.model),
    "variation_smoothness": lambda s: objectives.variation_smoothness(s.maps, s.labels, power=3),
    "depth_variations": GRAPH["depth_variations"],
}
NO_OBJECTIVES = {
    "Latents": "a type",
    "least_pair_loss": "of numbers",
    "pair_sum_violation": "draws its own tensors, on the CPU",
    "random_pair_loss": "of numbers",
}
SIZES = {
    "simple_cnn": {"width": 1},
    "small_net": {"width": 4},
    "resnet18": {"width": 4},
    "preact_resnet18": {"width": 4, "parseval": True},
    "wide_resnet28": {"widen": 1},
    "bottleneck_resnet": {"depth": 11, "width": 4},
    "wide_preact_resnet": {"depth": 10, "widen": 1},
    **{name: {"width": 4} for name in ("vgg", "googlenet", "mobilenet_v2", "efficientnet")},
    **{name: {"width": 4} for name in ("digit_cnn", "digit_mlp")},
}
SET_UP = dict.fromkeys(("Bottleneck", "WordNetwork", "build", "with_embedding"), ("send",))
SET_UP["with_normalization"] = ("read", "send")
NETWORKS = {
    "Bottleneck": lambda s: networks.Bottleneck(s.model, 10, 5, 0).to("cuda")(s.images),
    "build": lambda s: [
        networks.build(name, seed=0, channels=3, **size).to("cuda")(s.images) for name, size in SIZES.items()
    ],
    "mac_count": lambda s: networks.mac_count(s.model, (3, 8, 8)),
    "parameter_count": lambda s: networks.parameter_count(s.model),
    "WordNetwork": lambda s: [
        networks.WordNetwork(12, 3, 8, mixing, 4, 0).to("cuda")(s.labels.view(4, 3))
        for mixing in ("mean", "attention")
    ],
    "with_embedding": lambda s: [
        networks.with_embedding(s.model, kind, 10)(s.images) for kind in (None, "l2", "batch_norm")
    ],
    "with_normalization": lambda s: [
        networks.with_normalization(s.model, s.set.mean, s.set.std)(images) for images in (s.images, s.bytes)
    ],
}
NO_NETWORKS = {
    "NETWORKS": "names, all of which are built",
    "TITLES": "names for readers",
    **dict.fromkeys(SIZES, "built by name"),
    **dict.fromkeys(
        (
            *("DeepPreActResNet", "DigitNetwork", "PreActResNet18", "ResNet18", "Sibling", "SimpleCNN"),
            *("SmallNet", "WideResNet28"),
        ),
        "built by name",
    ),
    **dict.fromkeys(("ImageNetResNet", "imagenet_resnet"), "torchvision's"),
    **dict.fromkeys(
        ("EmbeddingNetwork", "InputNormalization", "NormalizedNetwork"), "what with_ functions give"
    ),
    **dict.fromkeys(("load_weights", "save_weights"), "go through files and the CPU"),
}
LATENTS = {
    "latents": lambda s: latents.latents(s.model, s.images, ["input", "stage1", "penultimate", "output"]),
}
NO_LATENTS = {
    "Taps": "on in every whole step that has taps",
    **dict.fromkeys(("default_depths", "resolve_depths", "unwrapped"), "of modules"),
}


@pytest.mark.parametrize("name", GRAPH)
def test_graph(name, rehearse, says_so):
    rehearse(GRAPH[name], *READS.get(name, ()))
    if "read" in READS.get(name, ()):
        says_so("graph", name)


def test_graph_is_complete(complete):
    measuring = ("cut_accuracy", "fiedler_cut", "fiedler_vector")
    others = dict.fromkeys(measuring, "cuts of one matrix, on the CPU")
    others |= dict.fromkeys(("TwoSampleTest", "two_sample_test"), "permuted on the CPU")
    complete("graph", GRAPH, others)


@pytest.mark.parametrize("name", TRANSPORT)
def test_transport(name, rehearse):
    rehearse(TRANSPORT[name])


def test_transport_is_complete(complete):
    complete("transport", TRANSPORT, NO_TRANSPORT)


@pytest.mark.parametrize("name", ["empirical_wasserstein", "exact_transport", "ipot"])
def test_transport_that_waits_says_so(name, says_so):
    says_so("transport", name)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives(name, rehearse, says_so):
    rehearse(OBJECTIVES[name], *MEASURES.get(name, ()))
    if "read" in MEASURES.get(name, ()):
        says_so("objectives", name)


def test_objectives_is_complete(complete):
    complete("objectives", OBJECTIVES, NO_OBJECTIVES)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name, rehearse, says_so):
    rehearse(NETWORKS[name], *SET_UP.get(name, ()))
    if "read" in SET_UP.get(name, ()):
        says_so("networks", name)


def test_networks_is_complete(complete):
    complete("networks", NETWORKS, NO_NETWORKS)


@pytest.mark.parametrize("name", LATENTS)
def test_latents(name, rehearse, says_so):
    rehearse(LATENTS[name], *{}.get(name, ()))
    if "read" in {}.get(name, ()):
        says_so("latents", name)


def test_latents_is_complete(complete):
    complete("latents", LATENTS, NO_LATENTS)
