"""Nearest neighbours and symmetrisation against scikit-learn and loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import kneighbors_graph

from lggkit.graph import cosine_similarity, knn_mask, symmetrize


def naive_mask(similarity, k):
    n = len(similarity)
    mask = torch.zeros(n, n, dtype=torch.bool)
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j: (-similarity[i][j].item(), j))
        mask[i, order[:k]] = True
    return mask


@pytest.mark.parametrize("k", [1, 3, 7])
def test_neighbours_are_those_of_scikit_learn(k):
    x = torch.rand(12, 5, dtype=torch.float64)
    expected = kneighbors_graph(x.numpy(), k, metric="cosine").toarray() == 1
    assert torch.equal(knn_mask(cosine_similarity(x), k), torch.from_numpy(expected))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 10), st.integers(1, 4))
def test_ties_go_to_the_lower_index(seed, n, k, levels):
    s = torch.randint(levels, (n, n), generator=torch.Generator().manual_seed(seed)).float()
    assert torch.equal(knn_mask(s, k), naive_mask(s, k))


def test_ties_in_a_long_row():
    s = torch.zeros(200, 200)
    s[:, 150:] = 1
    assert torch.equal(knn_mask(s, 60), naive_mask(s, 60))


def test_duplicated_points_never_choose_themselves():
    mask = knn_mask(cosine_similarity(torch.ones(5, 3)), 2)
    assert not mask.diagonal().any()
    assert mask.nonzero()[:, 1].reshape(5, 2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


@pytest.mark.parametrize("k", [None, 3, 4, 100])
def test_many_neighbours_are_the_full_graph(k):
    assert torch.equal(knn_mask(torch.rand(2, 4, 4), k), ~torch.eye(4, dtype=torch.bool).expand(2, 4, 4))


def test_one_vertex_has_no_neighbour():
    assert knn_mask(torch.ones(1, 1), 1).tolist() == [[False]]


def test_nan_is_everybodys_neighbour():
    s = torch.rand(5, 5)
    s[2], s[:, 2] = torch.nan, torch.nan
    mask = knn_mask(s, 1)
    assert mask[[0, 1, 3, 4], 2].all() and mask.sum(-1).tolist() == [1] * 5


def test_infinitely_unlike_vertices_are_still_not_oneself():
    s = torch.full((4, 4), -torch.inf)
    assert torch.equal(knn_mask(s, 2), naive_mask(s, 2))


def test_batches_are_separate():
    s = torch.rand(2, 3, 6, 6)
    mask = knn_mask(s, 2)
    assert all(torch.equal(mask[i, j], naive_mask(s[i, j], 2)) for i in range(2) for j in range(3))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_type_can_be_ranked(dtype):
    s = torch.randn(7, 7).to(dtype)
    assert torch.equal(knn_mask(s, 3), naive_mask(s, 3))


@pytest.mark.parametrize(
    ("k", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)]
)
def test_k_must_be_a_positive_int(k, error):
    with pytest.raises(error, match=f"k must be .*got {k}"):
        knn_mask(torch.rand(3, 3), k)


def test_a_similarity_must_be_square():
    with pytest.raises(ValueError, match=r"shape \(\.\.\., n, n\), got \(3, 2\)"):
        knn_mask(torch.rand(3, 2), 1)


@pytest.mark.parametrize(
    ("mode", "expected"), [("or", [1.0, 2.0, 4.0]), ("and", [0.0, 0.0, 4.0]), ("mean", [0.5, 1.0, 4.0])]
)
def test_symmetrisation_by_hand(mode, expected):
    a = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 3.0], [2.0, 5.0, 0.0]])
    s = symmetrize(a, mode)
    assert torch.equal(s, s.T)
    assert s[[0, 0, 1], [1, 2, 2]].tolist() == expected


def test_a_mask_stays_a_mask():
    mask = torch.tensor([[False, True], [False, False]])
    assert symmetrize(mask).tolist() == [[False, True], [True, False]]
    assert not symmetrize(mask, "and").any()
    assert symmetrize(mask, "mean").tolist() == [[0, 0.5], [0.5, 0]]


def test_negative_weights_are_edges_too():
    a = torch.tensor([[0.0, -1.0], [0.0, 0.0]])
    assert symmetrize(a).tolist() == [[0, -1], [-1, 0]]


@pytest.mark.parametrize("mode", ["or", "and", "mean"])
def test_symmetrisation_gradients_and_nan(mode):
    a = torch.rand(2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: symmetrize(a, mode), a)
    b = torch.tensor([[0.0, torch.nan], [1.0, 0.0]])
    assert symmetrize(b, mode)[[0, 1], [1, 0]].isnan().all()


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match="or, and, mean, got 'max'"):
        symmetrize(torch.rand(2, 2), "max")
