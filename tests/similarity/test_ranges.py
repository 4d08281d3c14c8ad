"""Measures of features of any scale, far from the origin, without spread or under autocast."""

import pytest
import torch
from scipy.spatial.distance import cdist

from lggkit.similarity import (
    BatchedCKA,
    choose_anchors,
    cka,
    cka_with_null,
    compare_rdms,
    compare_within,
    compute_rdm,
    neighbor_overlap,
    overlap_of_depths,
    overlap_with_null,
    r2_score,
    relative_map,
)

SCALES = [1e-25, 1e-12, 1.0, 1e9, 1e25]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_distances_to_anchors_keep_their_digits_far_from_the_origin():
    x = drawn(40, 8) + 1e4
    anchors = (x[:30] + 1e-2).requires_grad_()
    found = relative_map(x, anchors, "euclidean")
    expected = torch.from_numpy(-cdist(x.double(), anchors.detach().double()))
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=0)
    (slope,) = torch.autograd.grad(found.diagonal().sum(), anchors)
    apart = (x[:30] - anchors.detach()).double()
    torch.testing.assert_close(slope.double(), apart / apart.norm(dim=1, keepdim=True), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["cosine", "inner", "euclidean"])
def test_the_type_of_coordinates_is_that_of_the_wider_side(kind):
    x, anchors = drawn(30, 4), drawn(28, 4, seed=1).double()
    expected = relative_map(x.double(), anchors, kind)
    for a, b in ((x, anchors), (x.double(), anchors)):
        torch.testing.assert_close(relative_map(a, b, kind), expected)
    assert relative_map(anchors, x, kind).dtype == torch.float64


def test_kmeans_chooses_the_same_anchors_far_from_the_origin():
    x = (1024 * drawn(60, 3)).round() / 1024
    far, near = (choose_anchors(z, 28, "kmeans", torch.Generator().manual_seed(0)) for z in (x + 2.0**12, x))
    assert torch.equal(far, near)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("unbiased", [True, False])
def test_no_scale_changes_cka(scale, unbiased):
    x, y = drawn(20, 6), drawn(20, 5, seed=1)
    expected = cka(x.double(), y.double(), unbiased).item()
    scaled = (scale * x).requires_grad_()
    found = cka(scaled, y / scale, unbiased)
    assert found.item() == pytest.approx(expected, rel=1e-4)
    (slope,) = torch.autograd.grad(found, scaled)
    wide = x.double().requires_grad_()
    (right,) = torch.autograd.grad(cka(wide, y.double(), unbiased), wide)
    torch.testing.assert_close(slope.double() * scale, right, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_changes_cka_of_batches_and_with_null(scale):
    x, y = drawn(20, 6), drawn(20, 5, seed=1)
    found, expected = BatchedCKA(), BatchedCKA()
    for part in (slice(0, 12), slice(12, 20)):
        found.update([scale * x[part]], [scale * y[part]])
        expected.update([x[part].double()], [y[part].double()])
    torch.testing.assert_close(found.value(), expected.value(), rtol=1e-4, atol=1e-6)
    null = cka_with_null(scale * x, scale * y, 2)
    assert null.value == pytest.approx(cka(x.double(), y.double()).item(), rel=1e-4)


@pytest.mark.parametrize("metric", ["correlation", "cosine", "euclidean"])
@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_changes_an_rdm(metric, scale):
    scales = scale * torch.tensor([1.0, 3.0, 0.2, 1.0, 5.0])[:, None]
    x = (scales * drawn(5, 9)).requires_grad_()
    wide = (x.detach().double() / scale).requires_grad_()
    found, expected = compute_rdm(x, metric), compute_rdm(wide, metric)
    unit = scale if metric == "euclidean" else 1.0
    torch.testing.assert_close(found.double() / unit, expected, rtol=1e-4, atol=1e-6)
    (slope,) = torch.autograd.grad(found[0].sum(), x)
    (right,) = torch.autograd.grad(expected[0].sum(), wide)
    torch.testing.assert_close(slope.double() * scale / unit, right, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("method", ["pearson", "spearman", "cosine"])
@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_changes_how_rdms_compare(method, scale):
    x, y = (compute_rdm(drawn(7, 9, seed=s)) for s in (0, 1))
    expected = compare_rdms(x.double(), y.double(), method)
    found = compare_rdms(scale * x, scale * y, method)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)
    if method == "pearson":
        groups = torch.ones(7, 7).long()
        within = compare_within(scale * x, scale * y, groups, method)
        torch.testing.assert_close(within.double(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", SCALES)
def test_no_scale_changes_r2(scale):
    y = drawn(9, 3)
    predicted = y + 0.3 * drawn(9, 3, seed=1)
    expected = r2_score(predicted.double(), y.double()).item()
    assert r2_score(scale * predicted, scale * y).item() == pytest.approx(expected, rel=1e-4)


def test_what_varies_by_rounding_alone_does_not_vary():
    with pytest.raises(ValueError, match="y is the same in every sample"):
        r2_score(torch.rand(7, 2), torch.full((7, 2), 0.1))
    rdm = compute_rdm(drawn(7, 9))
    for method in ("pearson", "spearman"):
        assert compare_rdms(torch.full((7, 7), 0.1), rdm, method).isnan()
    for unbiased in (True, False):
        assert cka(torch.full((7, 3), 0.1), drawn(7, 4), unbiased) == 0


def test_overlaps_refuse_what_is_not_finite():
    x, y = drawn(12, 3), drawn(12, 3, seed=1)
    x[0, 0] = torch.nan
    calls = (
        lambda: neighbor_overlap(x, y, 2),
        lambda: neighbor_overlap(y, x, 2, "euclidean"),
        lambda: overlap_with_null(x, y, 2),
        lambda: overlap_of_depths([y, x], [y], 2),
    )
    for call in calls:
        with pytest.raises(ValueError, match=r"[xy] has entries that are not finite; leave those samples"):
            call()


def test_autocast_changes_nothing():
    x, y = drawn(40, 6), drawn(40, 5, seed=1)
    calls = (lambda: cka(x, y), lambda: overlap_of_depths([x], [y], 9, generator=torch.Generator())[0])
    for call in calls:
        expected = call()
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(call(), expected)
