"""Problems of known answer for solvers of transport, and Sinkhorn beside POT's."""

import numpy as np
import ot
import pytest
import torch

from lggkit.evaluation.transport_solvers import (
    SOLVERS,
    cost_gaps,
    drawn_layer,
    matching_problem,
    recovery,
    reordered,
)


@pytest.fixture
def source():
    return torch.Generator().manual_seed(3)


def test_layers_are_activations_of_few_causes(source):
    layer = drawn_layer(40, 12, 2, source)
    assert layer.shape == (40, 12) and layer.dtype == torch.float64 and (layer >= 0).all()
    assert drawn_layer(40, 12, 2, source).ne(layer).any()


def test_the_order_says_where_a_neuron_went(source):
    layer = drawn_layer(20, 7, 3, source)
    copy, order = reordered(layer, 0.0, source)
    assert torch.equal(copy, layer[:, order]) and sorted(order.tolist()) == list(range(7))


def test_without_noise_the_exact_plan_is_the_true_matching(source):
    cost, order = matching_problem(20, 9, 3, 0.0, source)
    assert recovery(SOLVERS["exact"](cost, 0.1, 1, 1), order) == pytest.approx(1)
    assert recovery(torch.full((9, 9), 1 / 81), order) == pytest.approx(1 / 9)


def test_gaps_are_never_below_zero_and_vanish(source):
    cost, _ = matching_problem(20, 9, 3, 1.0, source)
    first, last = cost_gaps(cost, (1, 300), beta=0.3, inner=10)
    assert first > last >= -1e-12 and last < 1e-6


def test_sinkhorn_is_that_of_pot(source):
    cost, _ = matching_problem(20, 9, 3, 1.0, source)
    unit = cost - cost.amin(1, keepdim=True)
    unit = unit - unit.amin(0)
    beta, sides = 0.3, np.full(9, 1 / 9)
    theirs = ot.sinkhorn(
        sides, sides, cost.numpy(), beta * float(unit.mean()), numItermax=5000, stopThr=1e-14
    )
    ours = SOLVERS["sinkhorn"](cost, beta, 500, 10)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-5, atol=1e-9)
