"""RKD-A against a triple loop, triangles, the n × n × d form, near and coinciding points."""

import math
import sys
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from lggkit.objectives import rkd_angle

MODULE = sys.modules[rkd_angle.__module__]


def huber(e):
    return e * e / 2 if abs(e) < 1 else abs(e) - 0.5


def naive_cosine(x, i, j, k):
    to_i, to_k = ([a - b for a, b in zip(x[end], x[j], strict=True)] for end in (i, k))
    lengths = math.hypot(*to_i) * math.hypot(*to_k)
    return sum(a * b for a, b in zip(to_i, to_k, strict=True)) / lengths if lengths else 0.0


def naive_loss(student, teacher):
    x, y = (z.double().flatten(1).tolist() for z in (student, teacher))
    triplets = list(product(range(len(x)), repeat=3))
    return sum(huber(naive_cosine(x, *t) - naive_cosine(y, *t)) for t in triplets) / len(triplets)


def by_differences(student, teacher):
    """With all n × n × d differences, lengths floored at 1e-12."""

    def cosines(x):
        unit = F.normalize(x.unsqueeze(0) - x.unsqueeze(1), dim=2)
        return unit @ unit.mT

    return F.smooth_l1_loss(cosines(student), cosines(teacher))


def slope(loss, student, teacher):
    student = student.detach().requires_grad_()
    return torch.autograd.grad(loss(student, teacher), student)[0]


def ours(student, teacher):
    return rkd_angle([student], [teacher])


def test_the_loss_is_the_triple_loop():
    student, teacher = torch.rand(6, 2, 2), torch.rand(6, 5)
    assert ours(student, teacher).item() == pytest.approx(naive_loss(student, teacher), rel=1e-5)


@pytest.mark.parametrize("triplets", [1, 3 * 49, 4 * 49 + 1, 7 * 49])
def test_blocks_change_neither_loss_nor_gradient(triplets, monkeypatch):
    student, teacher = (torch.randn(7, d, dtype=torch.float64) for d in (4, 3))
    monkeypatch.setitem(MODULE.BLOCK, "cpu", triplets)
    torch.testing.assert_close(ours(student, teacher), by_differences(student, teacher))
    expected = slope(by_differences, student, teacher)
    torch.testing.assert_close(slope(ours, student, teacher), expected)


def test_an_equilateral_and_a_right_triangle():
    student = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, math.sqrt(0.75)]])
    teacher = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    gaps = [0.5, math.sqrt(0.5) - 0.5, math.sqrt(0.5) - 0.5]  # of the cosines, each angle read both ways
    assert ours(student, teacher).item() == pytest.approx(2 * sum(g * g / 2 for g in gaps) / 27, rel=1e-5)


def test_three_points_on_a_line_whose_middle_is_another():
    teacher, student = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [0.0], [2.0]])
    assert ours(student, teacher).item() == pytest.approx(2 * (1.5 + 1.5) / 27, rel=1e-6)


@pytest.mark.parametrize("n", [2, 5])
def test_gradients(n):
    student, teacher = (torch.randn(n, d, dtype=torch.float64) for d in (3, 4))
    assert torch.autograd.gradcheck(lambda x: 7 * ours(x, teacher), student.requires_grad_())


def test_there_is_no_second_derivative_and_it_says_so():
    student, teacher = torch.rand(4, 3, requires_grad=True), torch.rand(4, 2)
    (gradient,) = torch.autograd.grad(ours(student, teacher), student, create_graph=True)
    with pytest.raises(RuntimeError, match="no second derivative; take the first without create_graph"):
        gradient.sum().backward()


def test_moving_turning_and_stretching_change_nothing():
    student, teacher = (torch.rand(6, 4, dtype=torch.float64) for _ in range(2))
    turn = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64)).Q
    torch.testing.assert_close(ours(3 * student @ turn - 7, teacher / 9 + 1), ours(student, teacher))


@pytest.mark.parametrize("far", [0.0, 1e3])
def test_tight_clusters_keep_their_angles_in_single_precision(far):
    """Points 1e-2 of the batch's width apart, and that batch far from the origin."""
    places = torch.randn(4, 8).repeat_interleave(3, 0)
    student = places + 1e-2 * torch.randn(12, 8) + far
    teacher = torch.randn(12, 5)
    expected = by_differences(student.double(), teacher.double())
    torch.testing.assert_close(ours(student, teacher).double(), expected, rtol=1e-4, atol=0)
    steep = slope(by_differences, student.double(), teacher.double())
    off = (slope(ours, student, teacher) - steep).norm() / steep.norm()
    assert off < 1e-2


@pytest.mark.parametrize(("spread", "far"), [(1e-3, 0.0), (1e-6, 0.0), (1e-3, 1e3)])
def test_the_gradient_of_tight_clusters_is_right(spread, far):
    student = far + torch.randn(4, 64).repeat_interleave(3, 0)
    student, teacher = student + spread * torch.randn(12, 64), torch.randn(12, 5)
    expected = by_differences(student.double(), teacher.double())
    torch.testing.assert_close(ours(student, teacher).double(), expected, rtol=1e-5, atol=0)
    steep = slope(by_differences, student.double(), teacher.double())
    assert (slope(ours, student, teacher) - steep).norm() / steep.norm() < 1e-4


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e15, 1e30])
def test_the_scale_matters_neither_to_the_loss_nor_to_its_descent(scale):
    student, teacher = torch.randn(7, 4), torch.randn(7, 5)
    usual, steep = ours(student, teacher), slope(ours, student, teacher)
    torch.testing.assert_close(ours(scale * student, scale * teacher), usual, rtol=1e-5, atol=0)
    torch.testing.assert_close(scale * slope(ours, scale * student, teacher), steep, rtol=1e-4, atol=1e-7)


def test_points_that_coincide_have_no_angles_and_finite_gradients():
    student, teacher = torch.rand(4, 3)[[0, 1, 1, 2, 3]], torch.rand(5, 2)
    assert ours(student, teacher).item() == pytest.approx(naive_loss(student, teacher), rel=1e-5)
    assert slope(ours, student, teacher).isfinite().all()
    nowhere = torch.ones(5, 3)
    assert ours(nowhere, nowhere) == 0 and (slope(ours, nowhere, teacher) == 0).all()


class Largest(TorchDispatchMode):
    """The number of entries of the largest tensor that an operation makes."""

    def __init__(self):
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        tensors = [made] if isinstance(made, torch.Tensor) else made if isinstance(made, tuple | list) else []
        self.entries = max(self.entries, *(t.numel() for t in tensors if isinstance(t, torch.Tensor)), 0)
        return made


@pytest.mark.parametrize(("n", "d"), [(9, 200), (20, 3)])
def test_neither_differences_nor_all_angles_are_held(n, d, monkeypatch):
    monkeypatch.setitem(MODULE.BLOCK, "cpu", 2 * n * n)
    student, teacher = torch.rand(n, d), torch.rand(n, d)
    with Largest() as largest:
        slope(ours, student, teacher)
    assert largest.entries == max(n * d, 2 * n * n)


def test_measuring_only_makes_no_gradient():
    student, teacher = torch.rand(6, 3), torch.rand(6, 4)
    assert not ours(student, teacher).requires_grad
    torch.testing.assert_close(ours(student, teacher), ours(student.requires_grad_(), teacher).detach())
