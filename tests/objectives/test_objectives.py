"""What all losses on latents have in common."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit import objectives
from lggkit.objectives import gkd, hinton, rkd_angle, rkd_distance, similarity_preserving

LOSSES = {loss.__name__: loss for loss in (gkd, rkd_distance, rkd_angle, similarity_preserving)}
every = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def latents(n=6, dtype=torch.float32):
    """Three layers of a student and of its wider teacher."""
    student = [torch.rand(n, 2, 3, 3), torch.rand(n, 4, 2, 1), torch.rand(n, 3)]
    teacher = [torch.rand(n, 4, 3, 3), torch.rand(n, 8, 2, 1), torch.rand(n, 6)]
    return [x.to(dtype) for x in student], [x.to(dtype) for x in teacher]


def test_everything_public_is_named_once():
    assert set(objectives.__all__) >= {*LOSSES, "hinton", "paired", "check_latents"}
    assert all(hasattr(objectives, name) for name in objectives.__all__)


@every
def test_a_student_equal_to_its_teacher_has_loss_zero_and_no_slope(loss):
    student, _ = latents()
    student = [x.requires_grad_() for x in student]
    value = loss(student, [x.detach().clone() for x in student])
    assert value.item() == pytest.approx(0, abs=1e-10) and value.shape == ()
    assert all(g.abs().max() < 1e-5 for g in torch.autograd.grad(value, student))


@every
def test_an_unlike_student_has_a_positive_loss_and_a_slope_that_descends(loss):
    student, teacher = latents(dtype=torch.float64)
    student = [x.requires_grad_() for x in student]
    value = loss(student, teacher)
    slopes = torch.autograd.grad(value, student)
    assert value > 1e-4 and all(slope.abs().max() > 0 for slope in slopes)
    closer = [x.detach() - 1e-3 * slope for x, slope in zip(student, slopes, strict=True)]
    assert loss(closer, teacher) < value


@every
def test_layers_are_averaged(loss):
    student, teacher = latents()
    each = [loss([s], [t]).item() for s, t in zip(student, teacher, strict=True)]
    assert loss(student, teacher).item() == pytest.approx(sum(each) / 3, rel=1e-5)
    names = ("a", "b", "c")
    named = loss(*(dict(zip(names, x, strict=True)) for x in (student, teacher)))
    assert named.item() == pytest.approx(sum(each) / 3, rel=1e-5)


@every
def test_no_gradient_reaches_the_teacher_nor_is_anything_changed(loss):
    student, teacher = latents()
    before = [x.clone() for x in (*student, *teacher)]
    for x in (*student, *teacher):
        x.requires_grad_()
    loss(student, teacher).backward()
    assert all(x.grad is None for x in teacher) and all(x.grad is not None for x in student)
    assert all(torch.equal(x, y) for x, y in zip(before, (*student, *teacher), strict=True))


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(sorted(LOSSES)), st.integers(0, 10**6), st.permutations(range(5)))
def test_the_order_of_the_batch_does_not_matter(name, seed, order):
    source = torch.Generator().manual_seed(seed)
    student, teacher = (torch.rand(5, d, generator=source, dtype=torch.float64) for d in (3, 4))
    moved = LOSSES[name]([student[order]], [teacher[order]])
    torch.testing.assert_close(moved, LOSSES[name]([student], [teacher]))


@every
def test_neither_the_scale_of_a_layer_nor_a_rotation_matters(loss):
    student, teacher = latents(dtype=torch.float64)
    moved = []
    for i, x in enumerate(student):
        x = x.flatten(1)
        turn = torch.linalg.qr(torch.randn(x.shape[1], x.shape[1], dtype=torch.float64)).Q
        moved.append(10.0**i * x @ turn)
    scaled = [x / 10.0**i for i, x in enumerate(teacher)]
    torch.testing.assert_close(loss(moved, scaled), loss(student, teacher))


@every
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_precision_is_accumulated_in_float32_also_under_autocast(loss, dtype):
    student, teacher = latents(dtype=dtype)
    student = [x.requires_grad_() for x in student]
    value = loss(student, teacher)
    assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert all(g.dtype == dtype and g.isfinite().all() for g in torch.autograd.grad(value, student))
    if dtype == torch.bfloat16:
        exact = loss(*([x.detach().float() for x in side] for side in (student, teacher)))
        with torch.autocast("cpu", torch.bfloat16):
            assert exact.item() == value.item() == loss(student, teacher).item()


def test_half_precision_of_logits():
    student, teacher = (5 * torch.randn(2, 6, 4)).bfloat16()
    value = hinton(student, teacher)
    exact = hinton(student.float(), teacher.float())
    with torch.autocast("cpu", torch.bfloat16):
        assert exact.item() == value.item() == hinton(student, teacher).item()
    assert value.dtype == torch.float32 and hinton(student.double(), teacher.double()).dtype == torch.float64


def test_no_gradient_reaches_the_teachers_logits():
    student, teacher = (torch.rand(3, 4, requires_grad=True) for _ in range(2))
    hinton(student, teacher).backward()
    assert student.grad is not None and teacher.grad is None
    assert hinton(student, student.detach()).item() == pytest.approx(0, abs=1e-7)


@every
@pytest.mark.parametrize("n", [1, 2])
def test_tiny_batches_are_finite(loss, n):
    student, teacher = latents(n)
    student = [x.requires_grad_() for x in student]
    value = loss(student, teacher)
    assert value.isfinite() and all(g.isfinite().all() for g in torch.autograd.grad(value, student))


@every
@pytest.mark.parametrize("collapsed", [torch.zeros(5, 3), torch.ones(5, 3), torch.ones(5, 3).cumsum(0)])
def test_collapsed_students_have_finite_losses_and_gradients(loss, collapsed):
    student = collapsed.clone().requires_grad_()
    value = loss([student], [torch.rand(5, 4)])
    assert value.isfinite() and torch.autograd.grad(value, student)[0].isfinite().all()


@every
def test_nan_is_not_hidden(loss):
    student, teacher = latents()
    student[1][0, 0] = torch.nan
    assert loss(student, teacher).isnan()


@every
def test_integers_are_refused(loss):
    with pytest.raises(TypeError, match=r"must be floating point, got torch\.int64"):
        loss([torch.arange(6).reshape(3, 2)], [torch.rand(3, 2)])


@every
def test_batches_of_different_size_are_refused(loss):
    with pytest.raises(
        ValueError, match="4 samples of the student and 3 of the teacher; pass the same batch"
    ):
        loss([torch.rand(4, 2)], [torch.rand(3, 2)])


def step(student, teacher, labels):
    """All losses, as one compiled region would have them."""
    total = sum(loss([student], [teacher]) for loss in LOSSES.values())
    total = total + gkd([student], [teacher], k=2, order="normalize-first")
    total = total + gkd([student], [teacher], edges="inter", labels=labels, similarity="rbf")
    return total + hinton(student, teacher[:, :3])


@pytest.mark.filterwarnings("default")
def test_a_step_compiles_as_one_graph_and_computes_the_same(backend):
    student, teacher, labels = torch.rand(6, 3, requires_grad=True), torch.rand(6, 5), torch.arange(6) % 3
    compiled = torch.compile(step, fullgraph=True, dynamic=False, backend=backend)
    values = [f(student, teacher, labels) for f in (compiled, step)]
    torch.testing.assert_close(*values)
    slopes = [torch.autograd.grad(value, student)[0] for value in values]
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-6)


@every
def test_the_layout_in_memory_does_not_matter(loss):
    student, teacher = latents(dtype=torch.float64)
    swapped = [
        [x.to(memory_format=torch.channels_last) if x.ndim == 4 else x for x in side]
        for side in (student, teacher)
    ]
    torch.testing.assert_close(loss(*swapped), loss(student, teacher))
