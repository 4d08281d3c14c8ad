"""How far two networks give the same answers (paper 1, section 4.1, "consistency")."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lggkit.evaluation import _given
from lggkit.evaluation.accuracy import answered, classes_of


@dataclass(frozen=True)
class Consistency:
    """Agreement of a student with its teacher, in percent.

    ``overall``: same class, over all images; ``on_errors``: same (wrong) class, over the images that the
    teacher gets wrong, None where it gets none wrong; ``on_correct``: likewise over those that it gets right.
    """

    overall: float
    on_errors: float | None
    on_correct: float | None


def agreement(answers_a: Tensor, answers_b: Tensor) -> float:
    """Percent of images on which both give the same class; logits (n, c) or classes (n,) each.

    Logits of which one is no number agree with nothing.

    Raises:
        TypeError: answers are no tensors, or classes are no integers.
        ValueError: the numbers of answers differ, or are 0.
    """
    return _percent(_same(answers_a, answers_b))


def consistency(student: Tensor, teacher: Tensor, labels: Tensor) -> Consistency:
    """Agreement of a student's answers with its teacher's, overall and on the teacher's errors.

    Args:
        student, teacher: logits (n, c) or classes (n,).
        labels: the true classes (n,).

    Raises:
        TypeError: answers are no tensors, or classes or labels are no integers.
        ValueError: the numbers of answers and labels differ, or are 0.
    """
    same = _same(student, teacher)
    labels = _given.classes(labels, device=same.device)
    wrong = classes_of(teacher.to(same.device), labels) != labels
    on_errors, on_correct = (_percent(same[part]) if part.any() else None for part in (wrong, ~wrong))
    return Consistency(_percent(same), on_errors, on_correct)


def _same(answers_a: Tensor, answers_b: Tensor) -> Tensor:
    first = answered(answers_a)
    return (first == classes_of(answers_b, first).to(first.device)) & (first >= 0)


def _percent(hits: Tensor) -> float:
    return 100 * float(hits.double().mean())
