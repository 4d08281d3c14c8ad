import torch

from lggkit.subspaces import flag_mean, flag_median, haar_subspaces, orthonormal_basis, principal_angles


def chordal(x, y):
    return principal_angles(x, y).sin().square().sum(-1).sqrt().sum()


def test_the_flag_mean_explains_more_than_any_other_subspace(haar):
    x = haar(6, 9, 2)
    best = (x.mT @ flag_mean(x, 3)).square().sum()
    assert all((x.mT @ other).square().sum() <= best for other in haar(50, 9, 3, 1))


def test_weights_count_as_copies(haar):
    x = haar(3, 9, 2)
    weighted = flag_mean(x, 2, torch.tensor([1.0, 3.0, 1.0]))
    copied = flag_mean(torch.stack([x[0], x[1], x[1], x[1], x[2]]), 2)
    torch.testing.assert_close(weighted @ weighted.T, copied @ copied.T)


def test_the_median_is_nearer_in_sum_than_the_mean_and_than_others(haar):
    x = haar(7, 8, 2)
    median = flag_median(x, 2, iterations=500)
    assert chordal(x, median) <= chordal(x, flag_mean(x, 2)) + 1e-9
    near = orthonormal_basis(median + 0.01 * torch.randn(50, 8, 2, dtype=torch.float64))
    assert all(chordal(x, other) >= chordal(x, median) - 1e-6 for other in near)


def test_outliers_draw_the_mean_away_and_not_the_median():
    source = torch.Generator().manual_seed(0)
    centre, far = haar_subspaces(2, 20, 2, source, torch.float64)
    noise = torch.randn(20, 20, 2, generator=source, dtype=torch.float64)
    near = orthonormal_basis(centre + 0.02 * noise)
    x = torch.cat([near, far.expand(8, 20, 2)])
    mean, median = (principal_angles(of(x, 2), centre).max() for of in (flag_mean, flag_median))
    assert median < 0.06 and median < mean / 2


def test_a_mean_may_have_more_dimensions_than_the_subspaces_span(haar):
    x = haar(1, 9, 2)
    mean = flag_mean(x, 4)
    torch.testing.assert_close(mean.T @ mean, torch.eye(4, dtype=torch.float64))
    assert principal_angles(x[0], mean).max() < 1e-9
