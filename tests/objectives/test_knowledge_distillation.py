"""Hinton's loss against sums of probabilities, and two classes worked out by hand."""

import math

import pytest
import torch

from lggkit.objectives import hinton


def naive_softmax(logits, temperature):
    powers = [math.exp(z / temperature) for z in logits]
    return [p / sum(powers) for p in powers]


def naive_loss(student, teacher, temperature):
    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        p, q = naive_softmax(t, temperature), naive_softmax(s, temperature)
        total += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    return total / len(student)


@pytest.mark.parametrize("temperature", [1, 4.0, 20.0])
def test_the_loss_is_the_mean_divergence_of_the_student_from_the_teacher(temperature):
    student, teacher = 5 * torch.randn(2, 6, 4)
    expected = naive_loss(student, teacher, temperature)
    assert hinton(student, teacher, temperature).item() == pytest.approx(expected, rel=1e-4)


def test_the_temperature_is_4_and_there_is_no_factor_of_its_square():
    student, teacher = 5 * torch.randn(2, 6, 4)
    assert hinton(student, teacher).item() == pytest.approx(naive_loss(student, teacher, 4), rel=1e-4)


def test_two_classes_worked_out_by_hand():
    student, teacher = torch.zeros(1, 2), torch.tensor([[2 * math.log(3.0), 0.0]])
    # At T = 2 the teacher answers 3/4 and 1/4, the student 1/2 and 1/2.
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert hinton(student, teacher, 2.0).item() == pytest.approx(expected, rel=1e-5)


def test_gradients():
    student, teacher = torch.randn(2, 3, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: hinton(x, teacher), student.clone().requires_grad_())


def test_adding_a_constant_to_an_answer_changes_nothing():
    student, teacher = torch.randn(2, 5, 4)
    moved = hinton(student + torch.randn(5, 1), teacher - 3)
    torch.testing.assert_close(moved, hinton(student, teacher))


def test_huge_logits_stay_finite():
    student, teacher = torch.tensor([[1e4, 0.0]]), torch.tensor([[0.0, 1e4]])
    assert hinton(student, teacher, 1.0).item() == pytest.approx(1e4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (torch.rand(3, 4), torch.rand(3, 5)),
            ValueError,
            r"shape \(3, 4\) and the teacher's \(3, 5\); give",
        ),
        (
            (torch.rand(3, 4), torch.rand(2, 4)),
            ValueError,
            r"shape \(3, 4\) and the teacher's \(2, 4\); give",
        ),
        ((torch.rand(3), torch.rand(3)), ValueError, r"shape \(3,\) .* give \(n, classes\)"),
        ((torch.rand(3, 4), torch.rand(3, 4), 0), ValueError, "temperature is 0; give a positive number"),
        ((torch.rand(3, 4), torch.rand(3, 4), -4.0), ValueError, "temperature is -4.0; give a positive"),
        ((torch.rand(3, 4), torch.rand(3, 4), math.inf), ValueError, "temperature is inf; give a positive"),
        ((torch.rand(3, 4), torch.rand(3, 4), math.nan), ValueError, "temperature is nan; give a positive"),
        ((torch.ones(3, 4).int(), torch.rand(3, 4)), TypeError, "student's logits must be .*got torch.int32"),
        ((torch.rand(3, 4), torch.ones(3, 4).int()), TypeError, "teacher's logits must be .*got torch.int32"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        hinton(*arguments)


def test_a_class_that_the_teacher_rules_out_counts_nothing():
    student, teacher = torch.randn(2, 5, 4, dtype=torch.float64)
    teacher[:, 1] = -math.inf
    student.requires_grad_()
    p, q = (teacher / 4).softmax(1), (student / 4).softmax(1)
    expected = torch.special.entr(p).neg().sum() / 5 - (p * q.log()).sum() / 5
    torch.testing.assert_close(hinton(student, teacher), expected)
    gradient = torch.autograd.grad(hinton(student, teacher), student)[0]
    torch.testing.assert_close(gradient, (q - p) / 20)
