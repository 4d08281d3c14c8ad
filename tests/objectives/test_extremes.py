"""Losses and gradients in float32 against float64 on batches that are hard for it, and on signed ones."""

import numpy as np
import pytest
import torch

from lggkit.objectives import (
    depth_variations,
    gkd,
    graph_smoothness,
    hinton,
    paired,
    relative_distance,
    rkd_angle,
    rkd_distance,
    similarity_preserving,
    spectral_norms,
    variation_smoothness,
)

LABELS = torch.arange(12) % 3


def clusters(spread, far=0.0):
    return far + torch.randn(4, 64).repeat_interleave(3, 0) + spread * torch.randn(12, 64)


def outlier(size):
    x = torch.randn(12, 64)
    x[0] = size
    return x


def zero_rows():
    x = torch.rand(12, 64)
    x[::4] = 0
    return x


BATCHES = {
    "clusters 1e-3": lambda: clusters(1e-3),
    "clusters 1e-5": lambda: clusters(1e-5),
    "clusters far from 0": lambda: clusters(1e-3, 100.0),
    "outlier 1e5": lambda: outlier(1e5),
    "outlier 1e8": lambda: outlier(1e8),
    "zero rows": zero_rows,
    "all equal": lambda: torch.ones(12, 64),
    "all zero": lambda: torch.zeros(12, 64),
    "one sample": lambda: torch.randn(1, 64),
    "two samples": lambda: torch.randn(2, 64),
}
LOSSES = {
    "gkd, rbf": lambda x, t: gkd([x], [t], similarity="rbf"),
    "gkd": lambda x, t: gkd([x], [t]),
    "rkd_distance": lambda x, t: rkd_distance([x], [t]),
    "rkd_angle": lambda x, t: rkd_angle([x], [t]),
    "similarity_preserving": lambda x, t: similarity_preserving([x], [t]),
    "graph_smoothness": lambda x, t: graph_smoothness(x, LABELS[: len(x)], k=5),
    "depth_variations": lambda x, t: depth_variations([x], LABELS[: len(x)], similarity="rbf").sum(),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_single_precision_is_double_precision_to_four_digits(loss, batch):
    x = batch().requires_grad_()
    teacher, exact = torch.rand(len(x), 5), x.detach().double().requires_grad_()
    ours, expected = loss(x, teacher), loss(exact, teacher.double())
    torch.testing.assert_close(ours.double(), expected, rtol=1e-4, atol=1e-6)
    slopes = [
        torch.autograd.grad(value, given)[0].double() for value, given in ((ours, x), (expected, exact))
    ]
    assert slopes[0].isfinite().all()
    assert (slopes[0] - slopes[1]).norm() <= 1e-4 * slopes[1].norm() + 1e-7


@pytest.mark.parametrize("order", ["mask-first", "normalize-first"])
@pytest.mark.parametrize("k", [None, 5])
def test_gkd_of_signed_latents_is_bounded_with_modest_gradients(order, k):
    for seed in range(5):
        source = torch.Generator().manual_seed(seed)
        student, teacher = (torch.randn(128, 64, generator=source) for _ in range(2))
        student.requires_grad_()
        loss = gkd([student], [teacher], k=k, order=order)
        (slope,) = torch.autograd.grad(loss, student)
        assert loss < 2 * 128 and slope.norm() < 100


def test_the_raw_cosines_of_the_authors_can_be_had():
    source = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(128, 64, generator=source) for _ in range(2))
    assert gkd([student], [teacher], negative="keep") > 100 * gkd([student], [teacher])
    signed = [torch.randn(12, 5), torch.randn(12, 4)]
    for function in (depth_variations, variation_smoothness):
        raw, clipped = (function(signed, LABELS, negative=rule) for rule in ("keep", "zero"))
        assert not torch.allclose(raw, clipped) and torch.equal(clipped, function(signed, LABELS))
        with pytest.raises(ValueError, match="negative must be one of zero, keep, got 'none'"):
            function(signed, LABELS, negative="none")


@pytest.mark.parametrize("size", [1e19, 1e25])
def test_long_latents_have_the_variations_of_short_ones(size):
    maps = [torch.rand(12, 7), torch.rand(12, 3)]
    variations = depth_variations([size * x for x in maps], LABELS)
    torch.testing.assert_close(variations, depth_variations(maps, LABELS), rtol=1e-4, atol=0)
    torch.testing.assert_close(gkd(maps[:1], maps[1:]), gkd([size * maps[0]], [size * maps[1]]))


@pytest.mark.parametrize("size", [1e-30, 1e-22, 1e19, 1e25])
@pytest.mark.parametrize("loss", ["graph_smoothness", "rkd_distance", "rkd_angle", "similarity_preserving"])
def test_no_scale_leaves_the_range_of_single_precision(loss, size):
    call = LOSSES | {"graph_smoothness": lambda x, _: graph_smoothness(x, LABELS, alpha=1 / size)}
    x, teacher = (size * torch.randn(12, 8)).requires_grad_(), torch.rand(12, 5)
    exact = x.detach().double().requires_grad_()
    values = [call[loss](x, teacher), call[loss](exact, teacher.double())]
    slopes = [torch.autograd.grad(v, g)[0].double() for v, g in zip(values, (x, exact), strict=True)]
    torch.testing.assert_close(values[0].double(), values[1], rtol=1e-5, atol=0)
    assert (slopes[0] - slopes[1]).norm() <= 1e-4 * slopes[1].norm()


@pytest.mark.parametrize("size", [0.0, 1e-30, 1e-12, 1.0, 1e25])
def test_spectral_norms_at_every_scale(size):
    model = torch.nn.Linear(5, 3, bias=False)
    model.weight.data = size * torch.randn(3, 5)
    expected = torch.linalg.matrix_norm(model.weight.detach().double(), 2).item()
    assert spectral_norms(model)["weight"].item() == pytest.approx(expected, rel=1e-5, abs=0)
    model.weight.data[0, 0] = torch.inf
    assert spectral_norms(model)["weight"].isnan()


@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_integers_may_be_numpys(kind):
    x, teacher = torch.rand(12, 4), torch.rand(12, 5)
    for order in ("mask-first", "normalize-first"):
        loss = gkd([x], [teacher], k=kind(3), exponent=kind(2), order=order)
        assert torch.equal(loss, gkd([x], [teacher], k=3, exponent=2, order=order))
    loss = variation_smoothness([x, teacher], LABELS, power=kind(2), k=kind(3), classes=kind(3))
    assert torch.equal(loss, variation_smoothness([x, teacher], LABELS, power=2, k=3, classes=3))
    assert torch.equal(graph_smoothness(x, LABELS, k=kind(3)), graph_smoothness(x, LABELS, k=3))


ARRAY, ROWS, X = np.ones((12, 4), dtype=np.float32), [[1.0, 2.0]] * 12, torch.rand(12, 4)
CALLS = {
    "a layer": lambda given: gkd([given], [X]),
    "a teacher's layer": lambda given: rkd_distance([X], [given]),
    "a named layer": lambda given: paired({"a": given}, {"a": X}),
    "an angle's layer": lambda given: rkd_angle([given], [X]),
    "an inner product's layer": lambda given: similarity_preserving([X], [given]),
    "distances": relative_distance,
    "logits": lambda given: hinton(given, X),
    "a teacher's logits": lambda given: hinton(X, given),
    "outputs": lambda given: graph_smoothness(given, LABELS),
    "labels of outputs": lambda given: graph_smoothness(X, given),
    "a depth": lambda given: depth_variations([given, X], LABELS),
    "labels of depths": lambda given: variation_smoothness([X, X], given),
    "labels of edges": lambda given: gkd([X], [X], edges="inter", labels=given),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("given", [ARRAY, ROWS], ids=["array", "list"])
def test_what_is_no_tensor_is_told_with_the_remedy(call, given):
    with pytest.raises(TypeError, match=r"must be a tensor, got \w+: convert it by torch\.as_tensor"):
        call(given)
