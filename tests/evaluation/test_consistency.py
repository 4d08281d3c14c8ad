import pytest
import torch

from lggkit.evaluation import agreement, consistency

LABELS = torch.tensor([0, 0, 1, 1, 2])
TEACHER = torch.tensor([0, 1, 1, 2, 2])
STUDENT = torch.tensor([0, 1, 2, 0, 2])


def test_agreement_counts_equal_classes():
    assert agreement(STUDENT, TEACHER) == pytest.approx(60)
    assert agreement(torch.eye(3)[STUDENT], TEACHER) == agreement(TEACHER, torch.eye(3)[STUDENT])


def test_consistency_on_the_teachers_errors_and_elsewhere():
    shares = consistency(torch.eye(3)[STUDENT], torch.eye(3)[TEACHER], LABELS)
    assert shares.overall == pytest.approx(60)
    assert shares.on_errors == pytest.approx(50)
    assert shares.on_correct == pytest.approx(100 * 2 / 3)


def test_a_teacher_without_errors_or_without_right_answers():
    assert consistency(STUDENT, LABELS, LABELS).on_errors is None
    assert consistency(STUDENT, (LABELS + 1) % 3, LABELS).on_correct is None


def test_logits_that_are_no_numbers_agree_with_nothing():
    logits = torch.tensor([[2.0, 1.0], [float("nan"), 1.0]])
    assert agreement(logits, logits) == 50
    assert consistency(logits, logits, torch.tensor([0, 0])).on_errors == 0


def test_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="give one answer"):
        agreement(STUDENT, TEACHER[:3])
    with pytest.raises(ValueError, match="give one answer"):
        consistency(STUDENT, TEACHER, LABELS[:2])
