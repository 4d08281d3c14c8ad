import math

import pytest
import torch
import torch.nn.functional as F

from lggkit.objectives import graph_smoothness
from lggkit.objectives.pair_losses import _trace, least_pair_loss, pair_sum_violation, random_pair_loss


@pytest.mark.parametrize(("d", "alpha"), [(2, 2.0), (3, 0.5), (10, 2.0), (200, 2.0), (50, 20.0)])
def test_random_points_have_the_loss_that_is_drawn(d, alpha):
    points = torch.randn(2, 50_000, d, generator=torch.Generator().manual_seed(d))
    u, v = F.normalize(points.double(), dim=2)
    drawn = torch.exp(-alpha * (u - v).norm(dim=1))
    error = drawn.std().item() / math.sqrt(len(drawn))
    assert random_pair_loss(d, alpha) == pytest.approx(drawn.mean().item(), abs=5 * error)


def test_in_three_dimensions_the_mean_has_a_closed_form():
    """In three dimensions t = cos θ is uniform, so the mean is an integral of r exp(-a r) over [0, 2]."""
    a = 1.5
    expected = 0.5 * (1 - math.exp(-2 * a) * (1 + 2 * a)) / a**2
    assert random_pair_loss(3, a) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_corners_of_a_simplex_have_the_least_loss(classes):
    corners = F.normalize(torch.eye(classes, dtype=torch.float64) - 1 / classes).repeat(3, 1)
    labels = torch.arange(classes).repeat(3)
    loss = graph_smoothness(corners, labels, alpha=2.0, reduction="mean").item()
    assert least_pair_loss(classes) == pytest.approx(loss)
    assert least_pair_loss(classes) < random_pair_loss(classes)


def test_fewer_than_two_dimensions_or_classes_are_refused():
    with pytest.raises(ValueError, match="d is 1"):
        random_pair_loss(1)
    with pytest.raises(ValueError, match="classes is 1"):
        least_pair_loss(1)


def test_a_pair_sum_needs_pairs_of_two_classes():
    with pytest.raises(ValueError, match="the 5 samples of 1 classes make no pair"):
        pair_sum_violation(torch.Generator().manual_seed(0), n=5, classes=1)


@pytest.mark.parametrize(("k", "alpha"), [(None, 2.0), (4, 0.5)])
def test_the_trace_is_the_sum_over_joined_pairs_of_two_classes(k, alpha):
    source = torch.Generator().manual_seed(0)
    outputs = torch.randn(15, 3, generator=source, dtype=torch.float64)
    labels = torch.arange(15) % 3
    distances = (outputs[:, None] - outputs).norm(dim=2)
    near = distances.argsort(dim=1)[:, 1 : 1 + (k or 14)].tolist()
    expected = 0.0
    for i in range(15):
        for j in range(15):
            if labels[i] != labels[j] and (j in near[i] or i in near[j]):
                expected += math.exp(-alpha * distances[i, j])
    assert float(_trace(outputs, labels, 3, k, alpha)) == pytest.approx(expected)
    assert float(graph_smoothness(outputs, labels, alpha=alpha, k=k)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_both_forms_of_the_loss_are_one(seed):
    assert pair_sum_violation(torch.Generator().manual_seed(seed)) < 1e-12
