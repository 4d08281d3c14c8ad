"""Latents of two networks side by side: what fits, what is refused, and what the messages say."""

import pytest
import torch

from lggkit.objectives import check_latents, gkd, omega_i, omega_u, paired, rkd_distance


def layers(*shapes):
    return [torch.rand(*shape) for shape in shapes]


def test_layers_are_paired_in_order_and_flattened():
    student, teacher = layers((4, 2, 3, 3), (4, 5)), layers((4, 3, 2, 2), (4, 7))
    pairs = paired(student, teacher)
    assert [(tuple(s.shape), tuple(t.shape)) for s, t in pairs] == [((4, 18), (4, 12)), ((4, 5), (4, 7))]
    assert torch.equal(pairs[0][0][1], student[0][1].reshape(-1))
    assert torch.equal(pairs[0][1][3], teacher[0][3].reshape(-1))


def test_maps_in_channels_last_are_not_copied_where_the_order_does_not_matter():
    student, teacher = (torch.rand(4, 3, 2, 2).to(memory_format=torch.channels_last) for _ in range(2))
    ((ours, theirs),) = paired([student], [teacher], in_order=False)
    assert (ours.data_ptr(), theirs.data_ptr()) == (student.data_ptr(), teacher.data_ptr())
    assert torch.equal(ours[1], student[1].permute(1, 2, 0).reshape(-1))
    ((ours, _),) = paired([student], [teacher])
    assert torch.equal(ours[1], student[1].reshape(-1))


def test_mappings_are_paired_by_name():
    (stage, pool), (big, small) = layers((4, 2), (4, 3)), layers((4, 5), (4, 6))
    pairs = paired({"stage": stage, "pool": pool}, {"stage": big, "pool": small})
    expected = ((stage, big), (pool, small))
    for pair, tensors in zip(pairs, expected, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(pair, tensors, strict=True))


def test_only_the_student_is_differentiated():
    student, teacher = layers((4, 2)), layers((4, 2))
    for x in (*student, *teacher):
        x.requires_grad_()
    ((ours, theirs),) = paired(student, teacher)
    assert ours.requires_grad and not theirs.requires_grad


def test_what_fits_passes_the_check_and_is_left_alone():
    student, teacher = layers((4, 2, 1)), layers((4, 3))
    before = [x.clone() for x in (*student, *teacher)]
    check_latents(student, teacher)
    assert all(torch.equal(x, y) for x, y in zip(before, (*student, *teacher), strict=True))


MISFITS = [
    (torch.rand(4, 2), [torch.rand(4, 2)], TypeError, r"the student's latents are one tensor \(4, 2\); give"),
    ([torch.rand(4, 2)], torch.rand(4, 2), TypeError, r"the teacher's latents are one tensor \(4, 2\); give"),
    ({"a": torch.rand(4, 2)}, [torch.rand(4, 2)], TypeError, "give two mappings or two sequences"),
    ([], [], ValueError, r"\[\] and the teacher's \[\]; .* at least one"),
    (layers((4, 2)), layers((4, 2), (4, 2)), ValueError, r"\[0\] and the teacher's \[0, 1\]; give the same"),
    (
        {"a": torch.rand(4, 2), "b": torch.rand(4, 2)},
        {"b": torch.rand(4, 2), "a": torch.rand(4, 2)},
        ValueError,
        r"\['a', 'b'\] and the teacher's \['b', 'a'\]; give the same layers in the same order",
    ),
    (
        layers((4, 2), (4, 2)),
        layers((4, 3), (5, 3)),
        ValueError,
        "layer 1 has 4 samples of the student and 5 of the teacher; pass the same batch",
    ),
    (layers((4,)), layers((4, 2)), ValueError, r"layer 0 is \(4,\) in the student and \(4, 2\) in"),
]


@pytest.mark.parametrize(("student", "teacher", "error", "message"), MISFITS)
@pytest.mark.parametrize("function", [paired, check_latents])
def test_what_does_not_fit_is_named(function, student, teacher, error, message):
    with pytest.raises(error, match=message):
        function(student, teacher)


@pytest.mark.parametrize("side", ["student", "teacher"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_counted_and_placed(side, value):
    latents = {"student": layers((3, 2), (3, 4)), "teacher": layers((3, 2), (3, 5))}
    latents[side][1][2, :2] = value
    with pytest.raises(
        ValueError, match=rf"2 of 1[25] entries of the {side}'s layer 1 are not finite; lower"
    ):
        check_latents(**latents)


def test_a_layer_that_is_not_finite_is_called_by_its_name():
    student = {"stage": torch.rand(3, 2), "pool": torch.full((3, 2), torch.nan)}
    with pytest.raises(ValueError, match="student's layer 'pool' are not finite"):
        check_latents(student, {"stage": torch.rand(3, 2), "pool": torch.rand(3, 2)})


def test_negative_entries_are_refused_where_asked():
    signed = {"stage": torch.rand(4, 3), "pool": torch.rand(4, 2) - 0.5}
    check_latents(signed, signed)
    with pytest.raises(ValueError, match="the student's layer 'pool' has entries that are negative"):
        check_latents(signed, {name: x.abs() for name, x in signed.items()}, nonnegative=True)
    check_latents(*[{name: x.abs() for name, x in signed.items()}] * 2, nonnegative=True)


@pytest.mark.parametrize("loss", [paired, check_latents, gkd, omega_u, rkd_distance])
def test_layers_of_other_batches_are_refused(loss):
    both = layers((4, 2), (5, 3))
    with pytest.raises(ValueError, match=r"layer 1 has 5 samples and layer 0 4; give one batch's layers"):
        loss(both, both)


@pytest.mark.parametrize("loss", [gkd, omega_i, omega_u, rkd_distance])
def test_an_iterator_gives_what_its_list_does(loss):
    ours, theirs = layers((4, 2), (4, 3)), layers((4, 2), (4, 3))
    check_latents(iter(ours), iter(theirs))
    assert torch.equal(loss(iter(ours), iter(theirs)), loss(ours, theirs))
