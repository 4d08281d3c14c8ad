import pytest
import torch
from scipy.sparse.csgraph import minimum_spanning_tree

from lggkit.data import class_batches
from lggkit.objectives import densification
from lggkit.topology import beta_connected, component_deaths
from lggkit.topology.deaths import spanning_tree


def points(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("n", [2, 3, 16, 40])
def test_deaths_are_those_of_scipys_tree(n):
    x = points(5, n, 3, seed=n)
    for deaths, one in zip(component_deaths(x), x, strict=True):
        tree = minimum_spanning_tree(torch.cdist(one, one).numpy()).data
        assert torch.allclose(deaths, torch.from_numpy(tree).sort().values)


def test_gradients_are_those_of_differences():
    x = points(2, 7, 3).requires_grad_()
    assert torch.autograd.gradcheck(component_deaths, x)


def test_ties_duplicates_and_single_points_are_defined():
    square = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    assert component_deaths(square).tolist() == [1, 1, 1]
    same = torch.zeros(3, 2, requires_grad=True)
    component_deaths(same).sum().backward()
    assert (same.grad == 0).all() and component_deaths(torch.ones(1, 4)).shape == (0,)


def test_beta_connected_is_strict():
    x = torch.tensor([[0.0], [1.0]])
    assert beta_connected(x, 1.1) and not beta_connected(x, 1.0) and beta_connected(x[:1], 0.1)


def test_the_penalty_is_zero_at_beta_and_draws_edges_to_it():
    line = torch.tensor([[[0.0], [2.0], [4.0]]])
    assert densification(line, 2.0) == 0 and densification(line, 3.0) == 2
    x = points(1, 6, 2).requires_grad_()
    before = densification(x, 0.1)
    before.backward()
    assert densification(x - 1e-4 * x.grad, 0.1) < before


def test_batches_are_class_pure_and_once_an_epoch():
    labels = torch.arange(30) % 3
    found = list(class_batches(labels, 4, torch.Generator().manual_seed(0)))
    assert len(found) == 2 and len(torch.cat(found, 1).unique()) == 24
    assert all((labels[batch] == torch.arange(3)[:, None]).all() for batch in found)
    with pytest.raises(ValueError, match="sub-batch has 11 samples and class 0 10"):
        list(class_batches(labels, 11, torch.Generator()))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: component_deaths(torch.ones(0, 2)), "n >= 1"),
        (lambda: component_deaths(torch.ones(3, 0)), "d >= 1"),
        (lambda: spanning_tree(torch.full((1, 3, 3), torch.inf)), "distances are NaN or infinite"),
        (lambda: spanning_tree(torch.full((1, 3, 3), torch.nan)), "distances are NaN or infinite"),
        (lambda: beta_connected(torch.ones(2, 2), 0.0), "positive length"),
        (lambda: densification(torch.ones(4, 2), 1.0), "class-pure sub-batches"),
    ],
)
def test_bad_input_gets_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_distances_are_floats_of_any_width():
    square = torch.cdist(points(6, 2), points(6, 2))
    square = (square + square.T)[None].bfloat16()
    expected = spanning_tree(square.float())
    assert all(map(torch.equal, spanning_tree(square), expected))
    for given in (square.int(), square > 1):
        with pytest.raises(TypeError, match="distances must be floating point"):
            spanning_tree(given)


def test_no_sets_have_no_deaths():
    assert component_deaths(torch.ones(0, 3, 2)).shape == (0, 2)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_no_scale_of_float64_changes_deaths(scale):
    plain = points(3, 12, 3)
    torch.testing.assert_close(component_deaths(plain * scale) / scale, component_deaths(plain))


@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1e9, 1e25])
@pytest.mark.parametrize("shape", [(2, 12, 3), (1, 90, 600)])
def test_no_scale_changes_deaths(scale, shape):
    plain = points(*shape).requires_grad_()
    scaled = (scale * plain.detach()).float().requires_grad_()
    found, expected = component_deaths(scaled), component_deaths(plain)
    torch.testing.assert_close(found.double() / scale, expected, rtol=1e-5, atol=0)
    weights = points(found.shape[-1], seed=1)
    (slope,) = torch.autograd.grad((found * weights.float()).sum(), scaled)
    (right,) = torch.autograd.grad((expected * weights).sum(), plain)
    torch.testing.assert_close(slope.double(), right, rtol=1e-4, atol=1e-5)


def test_a_penalty_of_a_list_is_refused_by_its_kind():
    with pytest.raises(TypeError, match="latents must be a tensor, got list"):
        densification([[1.0]], 1.0)
