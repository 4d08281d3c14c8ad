"""Measures that no scale changes, at scales whose squares float32 does not hold; and what they refuse."""

import pytest
import torch

from lggkit.evaluation.clusters import class_elongation, silhouette
from lggkit.evaluation.deformation import distance_expansion
from lggkit.evaluation.embeddings import knn_error, linear_probe_error, svc_error
from lggkit.evaluation.neighbors import neighbor_classes

SCALES = pytest.mark.parametrize("scale", [1e-35, 1e-20, 1e-7, 1e20, 1e36])
LABELS = torch.arange(90) % 3


def clouds(seed=0):
    noise = torch.randn(90, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(LABELS, 4) + 0.4 * noise


@SCALES
def test_cosine_neighbours_and_silhouettes_are_those_of_ordinary_latents(scale):
    base, queries = clouds(), clouds(1)
    expected = neighbor_classes(base, LABELS, queries, 3)
    assert (expected == LABELS).double().mean() > 0.8
    assert torch.equal(neighbor_classes(base * scale, LABELS, queries * scale, 3), expected)
    found, usual = (silhouette(x, LABELS, metric="cosine") for x in (base * scale, base))
    assert found == pytest.approx(usual, abs=1e-6)


def test_zeros_have_no_direction():
    base = torch.cat([torch.zeros(1, 2), torch.eye(2)])
    assert neighbor_classes(base, torch.arange(3), torch.eye(2), 1).tolist() == [1, 2]


@SCALES
def test_classifiers_err_as_on_ordinary_embeddings(scale):
    base, queries = clouds(), clouds(1)
    expected, found = (svc_error(base * s, LABELS, queries * s, LABELS, seed=1) for s in (1, scale))
    assert (found.error, found.validation_error, found.c) == (
        expected.error,
        expected.validation_error,
        expected.c,
    )
    assert found.gamma == pytest.approx(expected.gamma / scale**2, rel=1e-4)
    probes = [linear_probe_error(base * s, LABELS, queries * s, LABELS) for s in (1, scale)]
    assert probes[0] == probes[1]


@SCALES
def test_distances_expand_as_those_of_ordinary_latents(scale):
    first, second = clouds(), clouds(1)
    expected = distance_expansion([first, second], LABELS)
    assert distance_expansion([first * scale, second], LABELS) == pytest.approx(expected, rel=1e-5)
    assert distance_expansion([first, second * scale], LABELS) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda x: knn_error(x, LABELS, x[:, :2], LABELS, 1), ValueError, "4 features and queries 2; give"),
        (lambda x: knn_error(x, LABELS, x, LABELS, True), TypeError, "k is True: give an integer"),
        (lambda x: knn_error(x, LABELS, x, LABELS, 0), ValueError, "k is 0: give an integer from 1 on"),
        (lambda x: neighbor_classes(x, LABELS, x, 1, "l3"), ValueError, "metric must be one of cosine"),
        (lambda x: svc_error(x, LABELS, x, LABELS, c=(0.0,)), ValueError, "a value of c is 0.0; give"),
        (lambda x: svc_error(x, LABELS, x, LABELS, gamma=(0,)), ValueError, "a value of gamma is 0; give"),
        (lambda x: svc_error(x, LABELS, x, LABELS, gamma=()), ValueError, "gamma is empty; give"),
        (lambda x: svc_error(x, LABELS, x, LABELS, c=("a",)), TypeError, "a value of c is 'a'; give"),
        (lambda x: silhouette(x, LABELS, subset=-1), ValueError, "points to look at is -1: give an integer"),
        (lambda x: silhouette(x, LABELS, subset=2.5), TypeError, "points to look at is 2.5: give an integer"),
        (lambda x: silhouette(x, LABELS, metric="l3"), ValueError, "metric must be one of euclidean"),
        (lambda x: class_elongation(x[:0], LABELS[:0]), ValueError, "there are no embeddings; give"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, kind, said):
    with pytest.raises(kind, match=said):
        call(clouds())
