import pytest
import torch

from lggkit.subspaces import (
    SchubertBestFit,
    SubspaceNeighbors,
    SubspacePrototypes,
    flag_mean,
    orthonormal_basis,
    principal_angles,
    set_distances,
)

METRICS = ["frobenius", "projection", "procrustes", "geodesic"]


def slow(x, y, metric):
    if metric == "frobenius":
        return (x - y).norm()
    if metric == "projection":
        return (x @ x.T - y @ y.T).norm()
    if metric == "geodesic":
        return principal_angles(x, y).norm()
    u, _, vh = torch.linalg.svd(y.T @ x)
    return (x - y @ (u @ vh)).norm()


@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_those_of_a_double_loop(haar, metric):
    x, y = haar(4, 7, 2), haar(5, 7, 2, 1)
    expected = torch.stack([torch.stack([slow(a, b, metric) for b in y]) for a in x])
    torch.testing.assert_close(set_distances(x, y, metric), expected)
    assert set_distances(x, x, metric).diagonal().max() < 1e-6


@pytest.mark.parametrize("metric", METRICS)
def test_only_frobenius_depends_on_the_basis(haar, turned, metric):
    x, y = haar(4, 7, 2), haar(5, 7, 2, 1)
    same = torch.allclose(set_distances(x, turned(y), metric), set_distances(x, y, metric))
    assert same == (metric != "frobenius")


@pytest.fixture
def classes(planted):
    """Sets that meet one of two planted subspaces, with labels."""
    parts = [planted(30, 25, 2, 2, 0.02, seed)[1] for seed in (0, 1)]
    return torch.cat(parts), torch.arange(2).repeat_interleave(30)


def test_prototypes_of_planted_classes_classify_all(classes):
    x, labels = classes
    asked = torch.arange(60) % 3 == 0
    made = SubspacePrototypes.of(x[~asked], labels[~asked], lambda one: SchubertBestFit(2).fit(one).basis_)
    assert torch.equal(made.predict(x[asked]), labels[asked])
    assert made.distances(x[asked]).shape == (20, 2)
    means = SubspacePrototypes.of(x, labels, lambda one: flag_mean(one, 2))
    assert len(means.bases) == 2


def test_classes_without_a_difference_are_told_apart_by_chance(haar):
    x, labels = haar(400, 8, 2), torch.arange(400) % 2
    made = SubspacePrototypes.of(x[:200], labels[:200], lambda one: flag_mean(one, 2))
    right = (made.predict(x[200:]) == labels[200:]).double().mean().item()
    assert 0.38 < right < 0.62


def test_prototypes_may_differ_in_dimension_and_sets_in_size(haar):
    made = SubspacePrototypes([haar(1, 9, 2)[0], haar(1, 9, 4, 1)[0]])
    assert made.predict(haar(3, 9, 5, 2)).shape == (3,) and made.predict(haar(1, 9, 1)[0]).shape == ()


@pytest.mark.parametrize("metric", METRICS)
def test_a_neighbour_has_the_label_of_what_is_the_same(haar, metric):
    x, labels = haar(6, 9, 2), torch.tensor([2, 0, 1, 1, 0, 2])
    assert torch.equal(SubspaceNeighbors(x, labels, metric).predict(x), labels)


def test_neighbours_vote_and_ties_go_to_the_lowest_class():
    angles = torch.tensor([0.0, 0.1, 0.2, 1.0, 1.1])
    x = torch.stack([angles.cos(), angles.sin()], -1)[..., None]
    labels = torch.tensor([1, 0, 0, 1, 1])
    assert SubspaceNeighbors(x, labels, k=3).predict(x[:1]).item() == 0
    assert SubspaceNeighbors(x, labels, k=1).predict(x[:1]).item() == 1
    assert SubspaceNeighbors(x, labels, k=2).predict(x[:1]).item() == 0


def test_columns_need_not_be_orthonormal_but_for_angles(haar):
    y = torch.randn(3, 4, 2, dtype=torch.float64)
    assert set_distances(y, y, "procrustes").shape == (3, 3)
    with pytest.raises(ValueError, match="orthonormal_basis first"):
        set_distances(y, y, "geodesic")
    assert set_distances(orthonormal_basis(y), orthonormal_basis(y), "geodesic").shape == (3, 3)


@pytest.mark.parametrize("metric", METRICS[:3])
def test_small_distances_are_those_of_float64(haar, turned, metric):
    x = haar(4, 30, 3).float()
    y = (turned(x.double()) if metric != "frobenius" else x.double()).float()
    y = y + 1e-4 * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    expected = set_distances(x.double(), y.double(), metric)
    torch.testing.assert_close(set_distances(x, y, metric).double(), expected, rtol=1e-2, atol=0)


@pytest.mark.parametrize("metric", METRICS[:3])
@pytest.mark.parametrize("scale", [1e-30, 1e-20, 1e15, 1e20, 1e30])
def test_neighbours_and_distances_are_those_at_any_scale(haar, metric, scale):
    x, y = haar(6, 7, 2).float(), haar(5, 7, 2, 1).float()
    labels = torch.arange(6)
    expected = set_distances(x.double() * scale, y.double() * scale, metric)
    torch.testing.assert_close(
        set_distances(x * scale, y * scale, metric), expected.float(), rtol=1e-4, atol=0
    )
    found = SubspaceNeighbors(x * scale, labels, metric).predict(y * scale)
    assert torch.equal(found, SubspaceNeighbors(x, labels, metric).predict(y))


@pytest.mark.parametrize("metric", METRICS)
def test_gradients_are_finite_also_where_sets_are_equal(haar, metric):
    x, y = haar(3, 7, 2).requires_grad_(), haar(2, 7, 2, 1)
    if metric != "geodesic":
        assert torch.autograd.gradcheck(lambda z: set_distances(z, y, metric), x)
    same = x.detach().float().requires_grad_()
    set_distances(same, same.detach(), metric).sum().backward()
    assert same.grad.isfinite().all()


def test_many_sets_are_taken_a_few_at_a_time(haar, monkeypatch):
    x, y = haar(7, 5, 2), haar(3, 5, 2, 1)
    whole = set_distances(x, y, "procrustes")
    monkeypatch.setattr("lggkit.subspaces.neighbors.FEW", 61)
    torch.testing.assert_close(set_distances(x, y, "procrustes"), whole)
    assert set_distances(x[:0], y, "procrustes").shape == (0, 3)
