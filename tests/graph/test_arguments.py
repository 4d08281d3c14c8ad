"""Integers of NumPy's are integers; what is no tensor, or no integer, is told in one sentence."""

import numpy as np
import pytest
import torch

from lggkit import graph

X, LABELS = torch.rand(6, 3), torch.arange(6) % 2
A = graph.latent_geometry_graph(X)
SPARSE = graph.knn_graph(X, 2)

INTEGERS = {
    "latent_geometry_graph": (lambda v: graph.latent_geometry_graph(X, v), 2),
    "exponent": (lambda v: graph.latent_geometry_graph(X, exponent=v), 2),
    "knn_graph": (lambda v: graph.knn_graph(X, v).weights, 2),
    "block": (lambda v: graph.knn_graph(X, 2, block=v).weights, 2),
    "knn_mask": (lambda v: graph.knn_mask(A, v), 2),
    "classes": (lambda v: graph.class_indicators(LABELS, v), 2),
    "eigenmaps": (lambda v: graph.laplacian_eigenmaps(A, v), 2),
    "power of labels": (lambda v: graph.label_variation(A, LABELS, v), 2),
    "power of signals": (lambda v: graph.signal_variation(A, X, v), 2),
    "power of a product": (lambda v: graph.laplacian_power_product(A, X, v), 2),
    "normalized": (lambda v: graph.normalized_label_variation(A, LABELS, v), 2),
    "sparse": (lambda v: SPARSE.normalized_label_variation(LABELS, v), 2),
}


@pytest.mark.parametrize(("call", "value"), INTEGERS.values(), ids=INTEGERS)
def test_integers_may_be_numpys_and_booleans_and_fractions_may_not(call, value):
    for kind in (np.int64, np.int32, np.uint8):
        torch.testing.assert_close(call(kind(value)), call(value))
    for wrong in (True, np.bool_(True), float(value), np.float64(value), str(value), torch.tensor(value)):
        with pytest.raises(TypeError, match="must be an int, got"):
            call(wrong)
    with pytest.raises(ValueError, match="must be at least"):
        call(np.int64(-1))


def test_a_bandwidth_may_be_numpys():
    expected = graph.rbf_similarity(X, 0.5)
    for width in (np.float64(0.5), np.float32(0.5)):
        torch.testing.assert_close(graph.rbf_similarity(X, width), expected)
        assert len(graph.knn_graph(X, 2, "rbf", width).weights)


POINTS = {
    "latent_geometry_graph": graph.latent_geometry_graph,
    "similarity": graph.similarity,
    "cosine_similarity": graph.cosine_similarity,
    "rbf_similarity": graph.rbf_similarity,
    "pairwise_distance": graph.pairwise_distance,
    "median_bandwidth": graph.median_bandwidth,
    "knn_graph": lambda x: graph.knn_graph(x, 2),
    "flatten": graph.flatten,
    "check_nonnegative": graph.check_nonnegative,
    "signal_variation": lambda x: graph.signal_variation(A, x),
    "laplacian_power_product": lambda x: graph.laplacian_power_product(A, x, 1),
    "knn_mask": lambda x: graph.knn_mask(x, 1),
    "symmetrize": graph.symmetrize,
    "degree": graph.degree,
    "normalize_adjacency": graph.normalize_adjacency,
    "laplacian": graph.laplacian,
    "laplacian_eigenmaps": graph.laplacian_eigenmaps,
    "label_variation": lambda a: graph.label_variation(a, LABELS),
    "normalized_label_variation": lambda a: graph.normalized_label_variation(a, LABELS),
    "inter_class_edges": lambda a: graph.inter_class_edges(a, LABELS),
    "labels of label_variation": lambda y: graph.label_variation(A, y),
    "labels of inter_class_edges": lambda y: graph.inter_class_edges(A, y),
    "labels of class_mask": graph.class_mask,
    "labels of class_indicators": graph.class_indicators,
    "labels of counted class_indicators": lambda y: graph.class_indicators(y, 2),
    "labels of a sparse graph": SPARSE.label_variation,
    "the mask": lambda mask: graph.latent_geometry_graph(X, mask=mask),
}


@pytest.mark.parametrize("call", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize("given", [[[1.0, 2.0]], np.ones((6, 3)), np.arange(6), None], ids=type)
def test_what_is_no_tensor_is_told_with_the_remedy(call, given):
    if given is None and call is POINTS["the mask"]:
        return
    with pytest.raises(TypeError, match=r"must be a tensor, got \w+: convert it by torch\.as_tensor"):
        call(given)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int16, torch.uint32, torch.int32])
def test_labels_may_be_of_any_integer_type(dtype):
    labels = LABELS.to(dtype)
    torch.testing.assert_close(graph.label_variation(A, labels, 2), graph.label_variation(A, LABELS, 2))
    torch.testing.assert_close(graph.class_indicators(labels, 2), graph.class_indicators(LABELS, 2))
    torch.testing.assert_close(SPARSE.label_variation(labels), SPARSE.label_variation(LABELS))
