"""SP against a double loop and three samples worked out by hand."""

import math

import pytest
import torch

from lggkit.objectives import similarity_preserving


def naive_rows(x):
    gram = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in x] for p in x]
    return [[g / (math.hypot(*row) or 1.0) for g in row] for row in gram]


def naive_loss(student, teacher):
    ours, theirs = (naive_rows(x.double().flatten(1).tolist()) for x in (student, teacher))
    gaps = [a - b for rows in zip(ours, theirs, strict=True) for a, b in zip(*rows, strict=True)]
    return sum(gap**2 for gap in gaps) / len(student) ** 2


def test_the_loss_is_the_double_loop():
    student, teacher = torch.randn(6, 2, 2), torch.randn(6, 5)
    ours = similarity_preserving([student], [teacher]).item()
    assert ours == pytest.approx(naive_loss(student, teacher), rel=1e-5)


def test_three_samples_worked_out_by_hand():
    apart, together = torch.eye(3), torch.ones(3, 7)
    # Rows (1, 0, 0), ... against (1, 1, 1) / √3: each gap is 2 - 2/√3.
    ours = similarity_preserving([apart], [together]).item()
    assert ours == pytest.approx(3 * (2 - 2 / math.sqrt(3)) / 9, rel=1e-5)


def test_the_lengths_within_a_batch_matter_unlike_for_cosines():
    student = torch.rand(5, 3)
    longer = student * torch.tensor([[1.0], [2.0], [1.0], [1.0], [3.0]])
    assert similarity_preserving([longer], [student]) > 1e-3


def test_gradients():
    student, teacher = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
    loss = lambda x: similarity_preserving([x], [teacher])  # noqa: E731
    assert torch.autograd.gradcheck(loss, student.requires_grad_())
    assert torch.autograd.gradgradcheck(loss, student)


def test_a_zero_row_has_no_similarity_and_no_gradient():
    student, teacher = torch.rand(4, 3), torch.rand(4, 2)
    student[1] = 0
    ours = similarity_preserving([student.requires_grad_()], [teacher])
    assert ours.item() == pytest.approx(naive_loss(student.detach(), teacher), rel=1e-5)
    (gradient,) = torch.autograd.grad(ours, student)
    assert gradient.isfinite().all() and gradient.abs().max() < 10


@pytest.mark.parametrize("scale", [1e-15, 1e-9, 1e9, 1e15])
def test_the_scale_of_a_layer_matters_neither_to_the_loss_nor_to_its_descent(scale):
    """The Gram matrix is squared: at 1e10 it would leave float32."""
    student, teacher = torch.randn(6, 4, requires_grad=True), torch.randn(6, 5)
    usual = similarity_preserving([student], [teacher])
    (slope,) = torch.autograd.grad(usual, student)
    scaled = (scale * student.detach()).requires_grad_()
    loss = similarity_preserving([scaled], [scale * teacher])
    (own,) = torch.autograd.grad(loss, scaled)
    torch.testing.assert_close(loss, usual, rtol=1e-4, atol=0)
    torch.testing.assert_close(scale * own, slope, rtol=1e-3, atol=1e-6)
