"""RDMs and their comparison against SciPy, NumPy and their invariances."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from lggkit.similarity import (
    category_rdms,
    compare_rdms,
    compute_rdm,
    mean_rdm,
    rdm,
    rdm_matrix,
    rdm_vector,
)


def features(seed=0, m=8, n=30, dtype=torch.float64):
    return torch.randn(m, n, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean"])
def test_entries_are_scipys(metric, monkeypatch):
    monkeypatch.setattr(rdm, "BLOCK", 64)
    x = features() + 3
    expected = squareform(pdist(x.numpy(), metric))
    np.testing.assert_allclose(compute_rdm(x, metric).numpy(), expected, atol=1e-9)
    single = compute_rdm(x.float(), metric)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(single.numpy(), expected, atol=2e-5)


@given(st.integers(0, 1000), st.floats(0.1, 50), st.floats(-9, 9))
def test_correlation_ignores_scale_and_level_of_a_stimulus_and_the_order_of_features(seed, scale, level):
    x = features(seed)
    changed = x.clone()
    changed[2] = changed[2] * scale + level
    torch.testing.assert_close(compute_rdm(changed[:, torch.randperm(30)]), compute_rdm(x))


def test_an_rdm_is_symmetric_in_range_and_moves_with_its_stimuli():
    found, order = compute_rdm(features()), torch.randperm(8)
    assert (found == found.T).all() and (found.diagonal() == 0).all()
    assert found.min() >= 0 and found.max() <= 2
    torch.testing.assert_close(compute_rdm(features()[order]), found[order][:, order])


def test_large_levels_keep_their_digits():
    x = features()
    torch.testing.assert_close(compute_rdm((x + 1000).float()).double(), compute_rdm(x), atol=1e-3, rtol=0)


def test_gradients_are_right():
    x = features(m=4, n=6).requires_grad_()
    for metric in rdm.METRICS:
        assert torch.autograd.gradcheck(lambda x, m=metric: rdm_vector(compute_rdm(x, m)), x)


def test_vectors_go_row_by_row_and_come_back():
    found = compute_rdm(features())
    np.testing.assert_array_equal(rdm_vector(found).numpy(), squareform(found.numpy(), checks=False))
    torch.testing.assert_close(rdm_matrix(rdm_vector(found)), found)


def test_categories_are_zero_inside_and_one_elsewhere():
    found = category_rdms(torch.tensor([0, 0, 1, 1, 1]))
    inside = 1 - torch.eye(5).double() - found[0]
    assert inside.nonzero().tolist() == [[0, 1], [1, 0]]
    assert found.shape == (2, 5, 5) and rdm_vector(found[1]).sum() == 10 - 3
    assert (category_rdms(torch.tensor([0, 1, 2]), [2]) == 1 - torch.eye(3)).all()


def test_a_mean_leaves_out_what_is_missing():
    stack = torch.stack([compute_rdm(features(seed)) for seed in range(3)])
    stack[0, 1, 2] = stack[0, 2, 1] = torch.nan
    found = mean_rdm(stack)
    torch.testing.assert_close(found[1, 2], stack[1:, 1, 2].mean())
    torch.testing.assert_close(found[3, 4], stack[:, 3, 4].mean())


ORACLES = {
    "pearson": lambda x, y: stats.pearsonr(x, y)[0],
    "spearman": lambda x, y: stats.spearmanr(x, y)[0],
    "cosine": lambda x, y: x @ y / np.linalg.norm(x) / np.linalg.norm(y),
}


@pytest.mark.parametrize("method", ORACLES)
@pytest.mark.parametrize("missing", [0, 4])
def test_comparisons_are_scipys(method, missing):
    first, second = rdm_vector(compute_rdm(features(1))), rdm_vector(compute_rdm(features(2)))
    second = (second * 10).round()  # ties
    first[:missing] = torch.nan
    found = compare_rdms(rdm_matrix(first), rdm_matrix(second), method).item()
    x, y = first.numpy()[missing:], second.numpy()[missing:]
    assert found == pytest.approx(ORACLES[method](x, y), abs=1e-10)


def test_kendall_is_that_of_the_double_loop():
    first, second = rdm_vector(compute_rdm(features(1))), rdm_vector(category_rdms(torch.arange(8) % 2)[0])
    first[3] = torch.nan
    x, y = np.delete(first.numpy(), 3), np.delete(second.numpy(), 3)
    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    expected = sum(np.sign(x[i] - x[j]) * np.sign(y[i] - y[j]) for i, j in pairs) / len(pairs)
    assert compare_rdms(rdm_matrix(first), rdm_matrix(second), "kendall").item() == pytest.approx(expected)


@given(st.integers(0, 1000), st.floats(0.1, 9), st.floats(-3, 3))
def test_a_comparison_does_not_see_what_it_should_not(seed, scale, level):
    first, second = compute_rdm(features(seed)), compute_rdm(features(seed + 1))
    changed = rdm_matrix(scale * rdm_vector(first) + level)
    torch.testing.assert_close(compare_rdms(changed, second), compare_rdms(first, second))
    monotone = rdm_matrix(rdm_vector(first).exp())
    for method in ("spearman", "kendall"):
        torch.testing.assert_close(
            compare_rdms(monotone, second, method), compare_rdms(first, second, method)
        )
    assert compare_rdms(first, changed).item() == pytest.approx(1)


def test_many_are_compared_at_once():
    stack = torch.stack([compute_rdm(features(seed)) for seed in range(3)])
    for method in ("pearson", "spearman", "kendall", "cosine"):
        found = compare_rdms(stack, stack[0], method)
        assert found.shape == (3,)
        torch.testing.assert_close(found[1], compare_rdms(stack[1], stack[0], method))


def test_too_few_pairs_and_no_spread_give_no_number():
    known = torch.full((4, 4), torch.nan)
    assert compare_rdms(known, torch.ones(4, 4)).isnan()
    assert compare_rdms(torch.ones(4, 4), compute_rdm(features(m=4))).isnan()


BAD = {
    "alike": (lambda: compute_rdm(torch.ones(3, 4)), ValueError, "3 of 3 stimuli have features that are all"),
    "zero": (lambda: compute_rdm(torch.zeros(3, 4), "cosine"), ValueError, "all zero, and no cosine"),
    "nan": (lambda: compute_rdm(torch.full((3, 4), torch.nan)), ValueError, "not finite; leave those out"),
    "one": (lambda: compute_rdm(torch.ones(1, 4)), ValueError, r"shape \(1, 4\); give \(m, n\)"),
    "metric": (lambda: compute_rdm(torch.rand(3, 4), "l3"), ValueError, "must be one of correlation"),
    "integers": (lambda: compute_rdm(torch.ones(3, 4).int()), TypeError, "must be floating point"),
    "sizes": (lambda: compare_rdms(torch.rand(3, 3), torch.rand(4, 4)), ValueError, "are of 3 and 4 stimuli"),
    "no square": (
        lambda: compare_rdms(torch.rand(3, 4), torch.rand(3, 4)),
        ValueError,
        "first RDM must have",
    ),
    "method": (lambda: compare_rdms(torch.rand(3, 3), torch.rand(3, 3), "x"), ValueError, "one of pearson"),
    "pairs": (lambda: rdm_matrix(torch.rand(4)), ValueError, "the vector has 4 entries"),
    "labels": (lambda: category_rdms(torch.rand(4)), TypeError, "give integers"),
    "one label": (lambda: category_rdms(torch.tensor([1])), ValueError, "give one a stimulus, at least two"),
    "no stack": (lambda: mean_rdm(torch.rand(3, 3)), ValueError, r"stack them as \(s, m, m\)"),
}


@pytest.mark.parametrize(("call", "error", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
