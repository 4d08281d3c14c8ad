"""What the wing of similarity refuses: one sentence, with what was seen and what to do."""

import numpy as np
import pytest
import torch

from lggkit.similarity import (
    Statistics,
    bootstrap_stimuli,
    choose_anchors,
    compare_resampled,
    compute_rdm,
    fit_linear_map,
    fit_weighted_rdm,
    intertwiner_residual,
    mapping_mse,
    permutation_diagonal,
    random_rotation,
    relative_map,
    subsample_stimuli,
)

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
RDM = compute_rdm(X)
HOLED = RDM.clone().index_put((torch.tensor([0, 1]), torch.tensor([1, 0])), torch.tensor(torch.nan))
OF = Statistics.of(X)
REFUSED = {
    "nan far": (lambda: choose_anchors(X * torch.nan, 2, "far"), "x has entries that are not finite; leave"),
    "spaces": (lambda: relative_map(torch.rand(2, 3, 4), torch.rand(3, 3, 4)), "leading dimensions differ"),
    "no features": (lambda: fit_linear_map(X[:, :0], X), r"x has shape \(12, 0\); give samples"),
    "no mean": (lambda: mapping_mse(X[:, :0], X[:, :0]), r"x has shape \(12, 0\); give samples"),
    "basis": (lambda: fit_weighted_rdm(torch.stack([HOLED, RDM]), RDM), "the basis has entries that are not"),
    "targets": (lambda: fit_weighted_rdm(RDM[None], RDM / 0, False), "or the target infinite ones; leave"),
    "nan": (lambda: intertwiner_residual(torch.eye(4), torch.relu, X * torch.nan), "not finite; leave those"),
    "inf scale": (lambda: permutation_diagonal(torch.tensor([1.0, torch.inf])), "give .d,., finite, none"),
    "no width": (lambda: random_rotation(0), "d must be at least 1, got 0"),
    "epsilon": (lambda: Statistics.of(X, -1.0), "epsilon is -1.0; give a number from 0 on"),
    "momentum": (lambda: OF.moved(Statistics.of(X[:, :3]), 0.3), "new statistics have width 3 and these 4"),
    "scalar": (lambda: OF.normalize(torch.tensor(1.0)), "x has width 0 and the statistics 4"),
    "one value": (lambda: bootstrap_stimuli(lambda p: p.float().mean(), 5, 20), "give one value a draw"),
    "values": (lambda: subsample_stimuli(lambda p: p.float(), 5, 3, 20), "give one value a draw"),
}
MISTAKEN = {
    "function": (lambda: intertwiner_residual(torch.eye(4), "relu", X), "activation is 'relu'; give a func"),
    "width": (lambda: random_rotation("3"), "d must be an int, got '3'"),
    "dtype": (lambda: random_rotation(3, dtype=torch.int64), "dtype must be floating point, got torch.int64"),
    "level": (lambda: bootstrap_stimuli(lambda p: p, 5, 20, level="a"), "level must be a number, got 'a'"),
    "momentum": (lambda: OF.moved(OF, "a"), "momentum must be a number, got 'a'"),
    "statistic": (lambda: subsample_stimuli(lambda p: p.numpy(), 5, 3, 20), "what the statistic gives must"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("call", "message"), MISTAKEN.values(), ids=MISTAKEN)
def test_mistaken(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize("method", ["pearson", "kendall"])
def test_rdms_with_gradients_are_resampled(method):
    found = compare_resampled(RDM.clone().requires_grad_(), compute_rdm(X**2), 20, method)
    expected = compare_resampled(RDM, compute_rdm(X**2), 20, method)
    assert found.low == expected.low and np.array_equal(found.values, expected.values)


def test_statistics_in_half_precision_are_taken():
    values = subsample_stimuli(lambda p: p.bfloat16().mean(1).requires_grad_(), 5, 3, 20)
    assert values.dtype == np.float32 and values.shape == (20,)
    assert random_rotation(3, dtype=torch.bfloat16).dtype == torch.float32


@pytest.mark.parametrize("value", [torch.ones(2), 10**400])
def test_what_is_no_single_number_is_told(value):
    with pytest.raises(TypeError, match="momentum must be a number"):
        Statistics.of(torch.randn(4, 2)).moved(Statistics.of(torch.randn(4, 2)), value)
