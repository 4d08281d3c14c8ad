"""RKD-D against a double loop and three points on a line."""

import math

import pytest
import torch

from lggkit.objectives import rkd_angle, rkd_distance
from lggkit.objectives.rkd import relative_distance


def huber(e):
    return e * e / 2 if abs(e) < 1 else abs(e) - 0.5


def naive_relative(x, over):
    n = range(len(x))
    distance = [[math.dist(x[i], x[j]) for j in n] for i in n]
    counted = [d for i in n for j, d in enumerate(distance[i]) if (i != j if over == "all" else d > 0)]
    mean = sum(counted) / len(counted) if any(counted) else 1.0
    return [[d / mean for d in row] for row in distance]


def naive_loss(student, teacher, over="all"):
    ours, theirs = (naive_relative(x.flatten(1).tolist(), over) for x in (student.double(), teacher.double()))
    gaps = [a - b for rows in zip(ours, theirs, strict=True) for a, b in zip(*rows, strict=True)]
    return sum(huber(gap) for gap in gaps) / len(gaps), max(map(abs, gaps))


@pytest.mark.parametrize("outlier", [1.0, 30.0])
def test_the_loss_is_the_double_loop(outlier):
    student, teacher = torch.rand(7, 2, 2), torch.rand(7, 5)
    student[2] *= outlier
    expected, largest = naive_loss(student, teacher)
    assert (largest > 1) == (outlier > 1)  # both branches of the smooth L1
    assert rkd_distance([student], [teacher]).item() == pytest.approx(expected, rel=1e-5)


def test_points_that_coincide_count_in_the_mean_or_not():
    student, teacher = torch.rand(4, 3)[[0, 1, 1, 2, 3]], torch.rand(5, 2)
    losses = []
    for over in ("all", "positive"):
        expected, _ = naive_loss(student, teacher, over)
        losses.append(rkd_distance([student], [teacher], mean_over=over).item())
        assert losses[-1] == pytest.approx(expected, rel=1e-5)
    assert losses[0] != pytest.approx(losses[1], rel=1e-2)
    assert rkd_distance([student], [teacher]).item() == losses[0]


@pytest.mark.parametrize("over", ["all", "positive"])
def test_near_points_count_as_in_double_precision(over):
    teacher = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    student = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1e-4, 0.0]])
    for gap in (1e-4, 1e-6, 1e-12, 1e-30):
        student[3, 0] = gap
        expected, _ = naive_loss(student, teacher)
        assert expected == pytest.approx(0.0849, abs=1e-4)
        assert rkd_distance([student], [teacher], mean_over=over).item() == pytest.approx(expected, rel=1e-5)
    student[3, 0] = 0  # Park's mean does not jump
    assert rkd_distance([student], [teacher]).item() == pytest.approx(expected, rel=1e-4)


def test_another_mean_is_refused():
    with pytest.raises(ValueError, match="mean_over is 'some'; choose one of all, positive"):
        rkd_distance([torch.rand(3, 2)], [torch.rand(3, 2)], mean_over="some")


def test_three_points_on_a_line():
    student, teacher = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [1.0], [3.0]])
    # In units of the mean: 3/4, 3/4, 3/2 and 1/2, 1, 3/2.
    assert relative_distance(teacher)[0].tolist() == pytest.approx([0, 0.5, 1.5])
    assert rkd_distance([student], [teacher]).item() == pytest.approx(4 * 0.25**2 / 2 / 9, rel=1e-5)


def test_the_mean_distance_is_differentiated_too():
    student, teacher = torch.rand(5, 3, dtype=torch.float64, requires_grad=True), torch.rand(5, 2)
    assert torch.autograd.gradcheck(lambda x: rkd_distance([x], [teacher.double()]), student)
    gradient = torch.autograd.grad(rkd_distance([student], [teacher.double()]), student)[0]
    assert abs((gradient * student).sum()) < 1e-10  # scaling changes nothing


@pytest.mark.parametrize("size", [1e-200, 1e-160, 1e160, 1e300])
def test_latents_in_float64_have_no_unit(size):
    student, teacher = torch.rand(2, 5, 3, dtype=torch.float64)
    for loss in (rkd_distance, rkd_angle):
        expected = loss([student], [teacher])
        assert expected > 0
        torch.testing.assert_close(loss([size * student], [teacher]), expected)
        torch.testing.assert_close(loss([student], [size * teacher]), expected)
