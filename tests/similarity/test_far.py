"""Features of other sizes and far from the origin, and samples in units of their own."""

import pytest
import torch
from scipy.stats import kendalltau

from lggkit.similarity import (
    LinearFit,
    Statistics,
    choose_anchors,
    compare_rdms,
    fit_linear_map,
    intertwiner_residual,
    neighbour_jaccard,
    paired_cosine,
    r2_score,
    rdm_matrix,
    relative_map,
)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("scale", [1e-6, 1e20, 1e30])
def test_no_scale_changes_relative_maps_in_single_precision(scale):
    x, anchors = drawn(6, 4).float(), drawn(3, 4, seed=1).float()
    x2, anchors2 = x * scale, anchors * scale
    torch.testing.assert_close(relative_map(x2, anchors2), relative_map(x, anchors))
    far = relative_map(x2, anchors2, "euclidean").double()
    torch.testing.assert_close(far / scale, relative_map(x, anchors, "euclidean").double())
    assert paired_cosine(x2, x2).item() == pytest.approx(1)
    assert neighbour_jaccard(x2, x, 2).item() == 1


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**100])
@pytest.mark.parametrize("how", ["far", "kmeans"])
def test_no_scale_changes_anchors(scale, how):
    x = drawn(12, 4).float()
    chosen = [choose_anchors(z, 5, how, torch.Generator().manual_seed(0)) for z in (x, scale * x)]
    assert chosen[0].tolist() == chosen[1].tolist()


@pytest.mark.parametrize("n", [7, 100, 999])
@pytest.mark.parametrize("level", [0.1, 123456.7, 1e7 / 3])
def test_a_feature_that_does_not_vary_is_zero_when_normalised(n, level):
    x = torch.cat([drawn(n, 1).float(), torch.full((n, 1), level)], 1)
    statistics = Statistics.of(x)
    assert statistics.variance[0, 1] == 0
    assert (statistics.normalize(x)[:, 1] == 0).all()


@pytest.mark.parametrize("intercept", [False, True])
def test_features_of_other_sizes_are_no_dependent_ones(intercept):
    sizes = torch.tensor([1.0, 1e-9, 1e4]).double()
    x, weight = drawn(300, 3) * sizes, drawn(3, 2, seed=1) / sizes[:, None]
    found = fit_linear_map(x, x @ weight + intercept, intercept=intercept)
    torch.testing.assert_close(found.weight, weight, rtol=1e-9, atol=0)


@pytest.mark.parametrize("level", [0.0, 1.0, 123456.7])
def test_a_constant_feature_beside_an_intercept_is_a_dependent_one(level):
    x = torch.cat([drawn(300, 2), torch.full((300, 1), level).double()], 1)
    fit = LinearFit(intercept=True)
    for part in x.split(7):
        fit.update(part, part)
    with pytest.raises(ValueError, match="features depend on each other"):
        fit.solve()
    assert fit_linear_map(x, x, ridge=1e-6, intercept=True).weight.isfinite().all()


def test_far_from_the_origin_a_map_keeps_its_digits_in_single_precision():
    x = (drawn(300, 20) + 1e5).float()
    y = ((x.double() - 1e5) @ drawn(20, 3, seed=1)).float()
    assert 1 - r2_score(fit_linear_map(x, y, intercept=True)(x), y).item() < 1e-6


def test_a_batch_of_another_width_is_refused():
    fit = LinearFit().update(drawn(4, 3), drawn(4, 2))
    with pytest.raises(ValueError, match="x has width 1, that of the first batch was 3"):
        fit.update(drawn(4, 1), drawn(4, 2))
    with pytest.raises(ValueError, match="y has width 5, that of the first batch was 2"):
        fit.update(drawn(4, 3), drawn(4, 5))


@pytest.mark.parametrize("block", [1, 50, 1 << 22])
def test_kendall_does_not_depend_on_its_blocks(block, monkeypatch):
    monkeypatch.setattr("lggkit.similarity.comparison.BLOCK", block)
    x, y = drawn(2, 45).float(), drawn(2, 45, seed=1).float()
    found = compare_rdms(rdm_matrix(x), rdm_matrix(y), "kendall")
    expected = [kendalltau(a, b)[0] for a, b in zip(x.numpy(), y.numpy(), strict=True)]
    torch.testing.assert_close(found, torch.tensor(expected).float())


def test_dead_units_and_dead_images_have_a_residual():
    x = drawn(60, 4) * torch.tensor([1.0, 1.0, 1.0, 0.0])
    assert intertwiner_residual(2 * torch.eye(4).double(), torch.relu, x).item() < 1e-12
    assert intertwiner_residual(-torch.eye(4).double(), torch.relu, x.abs()).item() == 0
    general = [
        intertwiner_residual(drawn(4, 4, seed=2), torch.relu, z).item() for z in (x, 1e200 * x, 1e-200 * x)
    ]
    assert general[0] > 0.1 and general == pytest.approx([general[0]] * 3)
