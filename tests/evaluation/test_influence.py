import pytest
import torch

from lggkit import graph
from lggkit.evaluation import influence as f


@pytest.fixture
def x():
    return torch.rand(12, 5, generator=torch.Generator().manual_seed(0))


def test_off_diagonal_is_all_but_the_diagonal():
    a = torch.arange(9.0).reshape(3, 3)
    assert a[f.off_diagonal(3, a.device)].tolist() == [1, 2, 3, 5, 6, 7]


@pytest.mark.parametrize(
    "values", [[], [0.0, 0.0], [1.0, -1.0], [-1.0, -2.0], [1.0, float("nan")], [float("inf")]], ids=str
)
def test_a_coefficient_of_variation_has_a_positive_mean(values):
    with pytest.raises(ValueError, match="give finite ones from 0 on, and one above 0"):
        f.coefficient_of_variation(values)


def test_nothing_is_divided_by_what_is_not_there():
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match=r"largest entry of the matrix is 0\.0"):
        f.first_sample_share(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="largest entry of the matrix is nan"):
        f.first_sample_share(torch.full((3, 3), float("nan")))
    with pytest.raises(ValueError, match="median norm is 0"):
        f.displaced(torch.zeros(4, 3), generator)
    with pytest.raises(ValueError, match="mean edge weight is 0"):
        f.weight_spread([torch.eye(4), torch.ones(4, 2)], normalized=False)


def test_coefficient_of_variation():
    assert f.coefficient_of_variation([2.0, 2.0, 2.0]) == 0
    assert f.coefficient_of_variation([1.0, 3.0]) == pytest.approx(0.5)


def test_share_is_two_over_n_when_all_count_alike():
    a = 1 - torch.eye(10)
    assert f.first_sample_share(a) == pytest.approx(2 / 10)
    a[0], a[:, 0] = 0, 0
    assert f.first_sample_share(a) == 0


def test_displacement_moves_the_first_sample_by_ten_median_norms(x):
    moved = f.displaced(x, torch.Generator().manual_seed(1))
    assert torch.equal(moved[1:], x[1:]) and (moved[0] >= x[0]).all()
    assert (moved[0] - x[0]).norm() == pytest.approx(10 * x.norm(dim=1).median().item(), rel=1e-5)


def test_a_far_sample_eclipses_distances_but_not_a_normalised_graph(x):
    moved = f.displaced(x, torch.Generator().manual_seed(1))
    assert f.first_sample_share(graph.pairwise_distance(moved)) > 0.5
    assert f.first_sample_share(graph.latent_geometry_graph(moved)) < 2 * 2 / 12


def test_normalisation_levels_graphs_and_leaves_contrast(x):
    depths = [x, x.sqrt(), (x**4)]
    plain, normalized = (f.weight_spread(depths, normalized=choice) for choice in (False, True))
    assert normalized["level"] < 0.1 * plain["level"]
    assert normalized["contrast"] > 0.5 * plain["contrast"]
