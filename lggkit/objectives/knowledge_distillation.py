"""Knowledge distillation in its first form: a student learns its teacher's softened answers."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from lggkit.graph._precision import accumulating, tensor


def hinton(student_logits: Tensor, teacher_logits: Tensor, temperature: float = 4.0) -> Tensor:
    """``1/n Σ_i KL(softmax(t_i / T) ‖ softmax(s_i / T))``, of the logits s and t of student and teacher.

    Without the factor T² by which the authors keep the size of gradients when T changes: paper 1's code has
    none and weighs with 16, which is T² at its T = 4.

    Args:
        student_logits, teacher_logits: floating point (n, classes), of the same batch and classes; no
            gradient reaches the teacher. A class whose logit is -inf in the teacher counts nothing.
        temperature: T > 0; the larger, the softer.

    Returns:
        The loss >= 0 in nats, a scalar in float32 (float64 for logits in float64).

    Raises:
        ValueError: the shapes differ or are no (n, classes), or the temperature is not positive and finite.
        TypeError: logits are no tensors or not floating point.

    Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network" (2015), section 2; paper 1,
    section 4.1.
    """
    _check(student_logits, teacher_logits, temperature)
    both = (("The student's logits", student_logits), ("The teacher's logits", teacher_logits.detach()))
    ours, theirs = (F.log_softmax(accumulating(x, name) / temperature, dim=-1) for name, x in both)
    never = theirs == -math.inf
    ours, theirs = ours.masked_fill(never, 0), theirs.masked_fill(never, torch.finfo(theirs.dtype).min)
    return F.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def _check(student: Tensor, teacher: Tensor, temperature: float) -> None:
    tensor(student, "The student's logits"), tensor(teacher, "The teacher's logits")
    if student.ndim != 2 or student.shape != teacher.shape:
        raise ValueError(
            f"the student's logits have shape {tuple(student.shape)} and the teacher's "
            f"{tuple(teacher.shape)}; give (n, classes) of the same batch and classes"
        )
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature is {temperature}; give a positive number, such as 4")
