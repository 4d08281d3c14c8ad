"""The graph smoothness loss against a double loop, its trace form, and samples worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from lggkit.graph import class_indicators, knn_mask, label_variation, laplacian, symmetrize
from lggkit.objectives import graph_smoothness

LABELS = torch.tensor([0, 0, 1, 1, 2, 2, 2])


def naive(outputs, labels, alpha=2.0, k=None):
    points, n = outputs.double().tolist(), len(outputs)
    distance = [[math.dist(p, q) for q in points] for p in points]
    near = [sorted((j for j in range(n) if j != i), key=lambda j: distance[i][j])[:k] for i in range(n)]
    total, pairs = 0.0, 0
    for i in range(n):
        for j in range(n):
            joined = j in near[i] or i in near[j]
            if i != j and labels[i] != labels[j]:
                pairs += 1
                total += math.exp(-alpha * distance[i][j]) if joined else 0.0
    return total, pairs


@pytest.mark.parametrize("k", [None, 1, 2, 4, 6, 100])
@pytest.mark.parametrize("alpha", [0.5, 2.0, 10.0])
def test_the_loss_is_the_double_loop(alpha, k):
    outputs = F.normalize(torch.randn(7, 3))
    total, pairs = naive(outputs, LABELS, alpha, k)
    assert graph_smoothness(outputs, LABELS, alpha=alpha, k=k).item() == pytest.approx(total, rel=1e-4)
    mean = graph_smoothness(outputs, LABELS, alpha=alpha, k=k, reduction="mean").item()
    assert mean == pytest.approx(total / max(pairs, 1), rel=1e-4)


def test_three_samples_worked_out_by_hand():
    outputs, labels = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), torch.tensor([0, 1, 0])
    # Distances to the second: 5 and √18; each pair counts twice, the pair of class 0 not at all.
    both = 2 * (math.exp(-0.5 * 5) + math.exp(-0.5 * math.sqrt(18)))
    assert graph_smoothness(outputs, labels, alpha=0.5).item() == pytest.approx(both, rel=1e-5)
    # With one neighbour the first and the third name each other, and the second names the third.
    one = 2 * math.exp(-0.5 * math.sqrt(18))
    assert graph_smoothness(outputs, labels, alpha=0.5, k=1).item() == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize("k", [None, 2])
def test_it_is_the_sum_over_classes_of_the_laplacian_form(k):
    outputs = torch.randn(7, 4, dtype=torch.float64)
    distances = torch.cdist(outputs, outputs)
    weights = torch.exp(-2 * distances) * symmetrize(knn_mask(-distances, k))
    ours, signals = graph_smoothness(outputs, LABELS, k=k), class_indicators(LABELS, 3, torch.float64)
    trace = sum(s @ laplacian(weights) @ s for s in signals.T)
    torch.testing.assert_close(ours, trace, rtol=1e-12, atol=0)
    torch.testing.assert_close(ours, label_variation(weights, LABELS), rtol=1e-12, atol=0)


@pytest.mark.parametrize("options", [{}, {"k": 2}, {"reduction": "mean"}, {"alpha": 0.3}])
def test_gradients(options):
    outputs = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: graph_smoothness(x, LABELS, **options), outputs)


def test_coinciding_samples_have_weight_one_and_finite_gradients():
    outputs = torch.zeros(7, 3, requires_grad=True)
    loss = graph_smoothness(outputs, LABELS)
    loss.backward()
    assert loss.item() == 2 * 16 and torch.equal(outputs.grad, torch.zeros(7, 3))


@pytest.mark.parametrize("spread", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("k", [None, 4])
def test_classes_that_share_a_tight_cluster_are_pushed_apart_as_exactly_as_others(spread, k):
    centers = F.normalize(torch.randn(3, 4))[torch.arange(12) % 3]
    outputs = (centers + spread * torch.randn(12, 4)).requires_grad_()
    exact = outputs.detach().double().requires_grad_()
    labels = torch.arange(12) // 3
    graph_smoothness(outputs, labels, k=k).backward()
    graph_smoothness(exact, labels, k=k).backward()
    torch.testing.assert_close(outputs.grad.double(), exact.grad, rtol=1e-4, atol=1e-4)
    distances = (exact.unsqueeze(1) - exact).detach().norm(dim=-1)
    joined = symmetrize(knn_mask(-distances, k)) & (labels != labels.unsqueeze(1))
    total = torch.where(joined, torch.exp(-2 * distances), 0.0).sum().item()
    assert graph_smoothness(outputs, labels, k=k).item() == pytest.approx(total, rel=1e-5)


def test_coinciding_samples_do_not_disturb_the_gradient_of_the_others():
    points, labels = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0]]), torch.tensor([0, 1, 2])
    outputs = points.requires_grad_()
    graph_smoothness(outputs, labels, alpha=0.5).backward()
    push = 2 * 0.5 * math.exp(-2.5) * torch.tensor([0.6, 0.8])
    torch.testing.assert_close(outputs.grad, torch.stack([push, push, -2 * push]))


@pytest.mark.parametrize("k", [None, 1])
def test_one_nan_is_not_hidden(k):
    outputs = torch.randn(7, 3)
    outputs[4, 1] = math.nan
    assert graph_smoothness(outputs, LABELS, k=k).isnan()


def test_a_step_downhill_moves_classes_apart_and_no_class_together():
    outputs = torch.tensor([[0.0, 0.0], [0.2, 0.0], [1.0, 0.0]], requires_grad=True)
    graph_smoothness(outputs, torch.tensor([0, 0, 1])).backward()
    away = -outputs.grad[:, 0]
    assert away[0] < 0 and away[1] < 0 and away[2] > 0
    assert away[1] < away[0], "the sample that is nearer to the other class is pushed harder"


def test_one_class_alone_has_no_loss_in_either_reduction():
    outputs, labels = torch.randn(5, 3, requires_grad=True), torch.zeros(5, dtype=torch.int64)
    for reduction in ("sum", "mean"):
        loss = graph_smoothness(outputs, labels, reduction=reduction)
        loss.backward()
        assert loss.item() == 0 and not outputs.grad.any()


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_on_the_sphere_the_mean_is_least_for_classes_at_the_corners_of_a_simplex(classes):
    labels, least = torch.arange(4 * classes) % classes, math.exp(-2 * math.sqrt(2 * classes / (classes - 1)))
    corners = F.normalize(torch.eye(classes) - 1 / classes)
    mean = lambda x: graph_smoothness(x, labels, reduction="mean").item()  # noqa: E731
    assert mean(corners[labels]) == pytest.approx(least, rel=1e-4)
    for noise in (0.01, 0.1, 10.0):
        assert (
            mean(F.normalize(corners[labels] + noise * torch.randn(4 * classes, classes))) > least * 1.00001
        )


def test_batches_are_independent():
    outputs, labels = torch.randn(2, 7, 3), torch.stack([LABELS, LABELS.flip(0)])
    together = graph_smoothness(outputs, labels, k=2)
    alone = [graph_smoothness(x, y, k=2) for x, y in zip(outputs, labels, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_accumulated_in_float32(dtype):
    outputs = F.normalize(torch.randn(60, 10)).to(dtype)
    labels = torch.arange(60) % 5
    ours = graph_smoothness(outputs, labels)
    assert ours.dtype is torch.float32
    torch.testing.assert_close(ours, graph_smoothness(outputs.float(), labels))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(graph_smoothness(outputs.float(), labels), ours, rtol=1e-3, atol=0)


def test_it_traces_as_one_graph():
    outputs = torch.randn(7, 3)
    traced = torch.compile(lambda x: graph_smoothness(x, LABELS, k=2), backend="eager", fullgraph=True)
    torch.testing.assert_close(traced(outputs), graph_smoothness(outputs, LABELS, k=2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha is 0.0; give a positive number"),
        ({"alpha": -1.0}, "alpha is -1.0"),
        ({"alpha": math.inf}, "alpha is inf"),
        ({"alpha": math.nan}, "alpha is nan"),
        ({"reduction": "max"}, "reduction is 'max'; choose one of sum, mean"),
        ({"k": 0}, "k must be"),
    ],
)
def test_bad_options_are_told(options, message):
    with pytest.raises(ValueError, match=message):
        graph_smoothness(torch.randn(7, 3), LABELS, **options)


def test_bad_tensors_are_told():
    with pytest.raises(ValueError, match="one label a vertex"):
        graph_smoothness(torch.randn(6, 3), LABELS)
    with pytest.raises(TypeError, match="labels must be integers"):
        graph_smoothness(torch.randn(7, 3), LABELS.float())
    with pytest.raises(TypeError):
        graph_smoothness(torch.ones(7, 3, dtype=torch.int64), LABELS)
