"""Partial correlation of RDMs given groups of pairs, against regression done by hand."""

import pytest
import torch
from scipy.stats import rankdata

from lggkit.similarity import compare_rdms, compare_within, rdm_vector


def rdm(seed, m=9, dtype=torch.float64):
    half = torch.rand(m, m, generator=torch.Generator().manual_seed(seed), dtype=dtype).triu(1)
    return half + half.mT


LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2])
EQUAL = (LABELS[:, None] == LABELS).long()


def partial(x, y, z):
    """The textbook formula of three correlations."""
    xy, xz, yz = (torch.corrcoef(torch.stack(pair))[0, 1] for pair in ((x, y), (x, z), (y, z)))
    return (xy - xz * yz) / ((1 - xz**2) * (1 - yz**2)).sqrt()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_with_two_groups_it_is_the_partial_correlation(method):
    first, second = rdm(0) + 0.5 * EQUAL, rdm(1) + EQUAL
    x, y, z = (rdm_vector(r.double()) for r in (first, second, EQUAL.double()))
    if method == "spearman":
        x, y = (torch.from_numpy(rankdata(v.numpy())) for v in (x, y))
    torch.testing.assert_close(compare_within(first, second, EQUAL, method), partial(x, y, z))


def test_one_group_is_no_control_and_itself_is_one():
    one = torch.zeros_like(EQUAL)
    plain = compare_rdms(rdm(0), rdm(1), "spearman")
    torch.testing.assert_close(compare_within(rdm(0), rdm(1), one), plain)
    assert compare_within(rdm(0), rdm(0), EQUAL).item() == pytest.approx(1)


def test_what_the_groups_explain_counts_for_nothing():
    categories = 1 - EQUAL.double()
    assert compare_within(categories, rdm(0), EQUAL).isnan()
    shifted = compare_within(rdm(0) + 5 * categories, rdm(1) - categories, EQUAL, "pearson")
    torch.testing.assert_close(shifted, compare_within(rdm(0), rdm(1), EQUAL, "pearson"))


def test_it_is_symmetric_and_follows_no_order_of_the_stimuli():
    order, value = torch.randperm(9), compare_within(rdm(0), rdm(1), EQUAL)
    torch.testing.assert_close(compare_within(rdm(1), rdm(0), EQUAL), value)
    moved = [r[order][:, order] for r in (rdm(0), rdm(1), EQUAL)]
    torch.testing.assert_close(compare_within(*moved), value)
    single = compare_within(rdm(0, dtype=torch.float32), rdm(1, dtype=torch.float32), EQUAL)
    assert single.dtype == torch.float32


def test_pearson_has_a_gradient():
    first = rdm(0).requires_grad_()
    compare_within(first, rdm(1), EQUAL, "pearson").backward()
    assert bool(first.grad.isfinite().all()) and first.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ((rdm(0), rdm(1), EQUAL, "kendall"), ValueError, "method"),
        ((rdm(0), rdm(1, 8), EQUAL), ValueError, "9 and 8 stimuli"),
        ((rdm(0), rdm(1), EQUAL.double()), TypeError, "give integers"),
        ((rdm(0), rdm(1), EQUAL[:8, :8]), ValueError, "symmetric"),
        ((rdm(0), rdm(1), EQUAL.triu()), ValueError, "symmetric"),
        ((rdm(0).fill_(torch.nan), rdm(1), EQUAL), ValueError, "misses pairs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_told(given, error, said):
    with pytest.raises(error, match=said):
        compare_within(*given)
