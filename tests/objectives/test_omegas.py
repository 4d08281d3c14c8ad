"""The transport penalty and its fixed plans, against loops over neurons and an exact solver."""

import pytest
import torch

from lggkit.objectives import omega_i, omega_p, omega_u
from lggkit.transport import exact_transport

FIXED = {"omega_i": omega_i, "omega_u": omega_u}
EVERY = FIXED | {"omega_p": lambda *given, **options: omega_p(*given, **options)[0]}
every = pytest.mark.parametrize("loss", EVERY.values(), ids=EVERY)


def layers(widths=(5, 3), n=6):
    return [
        torch.rand(n, widths[0], 2, 2, dtype=torch.float64),
        torch.rand(n, widths[1], dtype=torch.float64),
    ]


def naive_costs(trained, reference):
    """Distances between the neurons of every layer, a pair at a time."""
    for a, t in zip(trained, reference, strict=True):
        a, t = (x.flatten(2).mean(2) if x.ndim > 2 else x for x in (a, t))
        yield torch.stack([torch.stack([(p - q).norm() for q in t.T]) for p in a.T])


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def test_the_learned_plan_is_the_best_one():
    trained, reference = layers(), layers((4, 7))
    loss, plans = omega_p(trained, reference, iterations=300)
    exact = mean(exact_transport(cost).cost for cost in naive_costs(trained, reference))
    assert exact - 1e-9 <= loss <= 1.01 * exact
    assert [tuple(plan.shape) for plan in plans] == [(5, 4), (3, 7)]
    assert not any(plan.requires_grad for plan in plans)


def test_the_identity_is_the_mean_of_the_diagonal():
    trained, reference = layers(), layers()
    expected = mean(cost.diagonal().mean() for cost in naive_costs(trained, reference))
    torch.testing.assert_close(omega_i(trained, reference), expected)


def test_the_uniform_plan_is_the_mean_of_all():
    trained, reference = layers(), layers((4, 7))
    expected = mean(cost.mean() for cost in naive_costs(trained, reference))
    torch.testing.assert_close(omega_u(trained, reference), expected)


def test_no_fixed_plan_is_better_than_the_learned_one():
    trained, reference = layers(), layers()
    learned = omega_p(trained, reference, iterations=200)[0]
    assert learned <= omega_i(trained, reference) and learned <= omega_u(trained, reference)


def test_only_the_identity_sees_that_neurons_change_places():
    trained, reference = [torch.rand(6, 5)], [torch.rand(6, 5)]
    swapped = [trained[0][:, [1, 0, 2, 4, 3]]]
    torch.testing.assert_close(omega_p(swapped, reference)[0], omega_p(trained, reference)[0])
    torch.testing.assert_close(omega_u(swapped, reference), omega_u(trained, reference))
    assert (omega_i(swapped, reference) - omega_i(trained, reference)).abs() > 1e-3
    loss, (plan,) = omega_p(swapped, trained)
    assert loss < 1e-4 and plan.trace().item() == pytest.approx(1 / 5, abs=1e-4)


def test_copies_of_the_reference_cost_nothing_but_under_the_uniform_plan():
    trained = [x.requires_grad_() for x in layers()]
    copies = [x.detach().clone() for x in trained]
    for loss in (omega_i(trained, copies), omega_p(trained, copies)[0]):
        assert loss.item() == pytest.approx(0, abs=1e-6)
        assert all(g.isfinite().all() for g in torch.autograd.grad(loss, trained))
    assert omega_u(trained, copies) > 0.1


@every
def test_layers_are_averaged_and_may_have_names(loss):
    trained, reference = layers(), layers()
    each = [loss([a], [t]) for a, t in zip(trained, reference, strict=True)]
    torch.testing.assert_close(loss(trained, reference), mean(each))
    named = (dict(zip("ab", side, strict=True)) for side in (trained, reference))
    torch.testing.assert_close(loss(*named), mean(each))


@every
def test_no_gradient_reaches_the_reference_and_a_step_descends(loss):
    trained, reference = ([x.requires_grad_() for x in layers()] for _ in range(2))
    value = loss(trained, reference)
    value.backward()
    assert all(x.grad is None for x in reference)
    closer = [(x - 1e-2 * x.grad).detach() for x in trained]
    assert loss(closer, reference) < value


@every
def test_gradients_are_those_of_the_plan_held_fixed(loss):
    trained, reference = torch.rand(2, 4, 3, dtype=torch.float64).unbind()
    spread = torch.tensor([0.0, 3.0, 6.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: loss([x], [reference + spread], pool="mean"), (trained + spread).requires_grad_(), atol=1e-4
    )


@every
def test_half_precision_is_accumulated_in_float32_also_under_autocast(loss):
    trained, reference = ([x.bfloat16() for x in layers()] for _ in range(2))
    expected = loss([x.float() for x in trained], [x.float() for x in reference])
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(trained, reference)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, expected, rtol=1e-3, atol=0)


@every
def test_positions_are_told_apart_where_they_are_asked_for(loss):
    maps = torch.rand(4, 3, 2, 2)
    turned = maps.flip(-1)
    assert loss([maps], [turned], pool="positions") > loss([maps], [turned]) + 1e-3


@every
def test_latents_that_do_not_fit(loss):
    with pytest.raises(ValueError, match="6 samples of the student and 5 of the teacher; pass the same"):
        loss([torch.rand(6, 2)], [torch.rand(5, 2)])
    with pytest.raises(ValueError, match="pool is 'max'"):
        loss([torch.rand(6, 2)], [torch.rand(6, 2)], pool="max")


def test_the_identity_wants_equal_widths_and_a_start_one_plan_a_layer():
    a, t = [torch.rand(6, 2)], [torch.rand(6, 3)]
    with pytest.raises(ValueError, match=r"the identity plan joins 2 neurons to 3 .*; give equal layers"):
        omega_i(a, t)
    with pytest.raises(ValueError, match="start has 2 plans and there are 1 layers; give one a layer"):
        omega_p(a, t, start=[None, None])


def test_the_plans_of_a_step_begin_the_next():
    trained, reference = layers(), layers()
    _, plans = omega_p(trained, reference, iterations=200)
    again, _ = omega_p(trained, reference, start=plans, iterations=2)
    cold, _ = omega_p(trained, reference, iterations=2)
    assert again < cold
