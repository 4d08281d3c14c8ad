"""CKA and shared neighbours: the formulas as loops, what they ignore, and what chance gives."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lggkit.similarity import (
    BatchedCKA,
    cka,
    cka_with_null,
    neighbor_overlap,
    overlap_of_depths,
    overlap_with_null,
)


def draw(seed, n=20, d=6, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def songs_hsic(x, y):
    """Song's estimate as it is printed."""
    n = len(x)
    k, m = x @ x.T, y @ y.T
    k.fill_diagonal_(0), m.fill_diagonal_(0)
    middle = k.sum() * m.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k.sum(0) @ m.sum(1))
    return ((k @ m).trace() + middle) / (n * (n - 3))


def test_the_estimate_is_songs_and_the_usual_one_is_the_usual():
    x, y = draw(0) + 2, draw(1, d=9)
    expected = songs_hsic(x, y) / (songs_hsic(x, x) * songs_hsic(y, y)).sqrt()
    torch.testing.assert_close(cka(x, y), expected)
    a, b = x - x.mean(0), y - y.mean(0)
    usual = (a.T @ b).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm())
    torch.testing.assert_close(cka(x, y, unbiased=False), usual)


@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_rotations_scale_and_level_do_not_matter(seed, scale):
    x, y = draw(seed), draw(seed + 1)
    turn = torch.linalg.qr(draw(seed + 2, 6)).Q
    torch.testing.assert_close(cka(scale * x @ turn + 3, y), cka(x, y))
    assert cka(x, scale * x @ turn).item() == pytest.approx(1)
    order = torch.randperm(20)
    torch.testing.assert_close(cka(x[order], y[order]), cka(x, y))


def test_chance_is_zero_where_the_usual_estimate_is_far_above():
    pairs = [(draw(2 * i, 32, 64), draw(2 * i + 1, 32, 64)) for i in range(60)]
    fair = np.array([cka(x, y).item() for x, y in pairs])
    usual = np.array([cka(x, y, unbiased=False).item() for x, y in pairs])
    assert abs(fair.mean()) < 4 * fair.std() / 60**0.5 and usual.mean() > 0.5


def test_gradients_are_right_and_single_precision_stays():
    x, y = draw(0, 6, 3).requires_grad_(), draw(1, 6, 2)
    assert torch.autograd.gradcheck(lambda x: cka(x, y), x)
    single = cka(draw(0).float(), draw(1).float())
    assert single.dtype == torch.float32 and single.item() == pytest.approx(
        cka(draw(0), draw(1)).item(), abs=1e-5
    )


def test_a_side_that_does_not_vary_has_none():
    assert cka(torch.ones(8, 3), draw(0, 8).float()) == 0


@pytest.mark.parametrize("sizes", [(20,), (7, 13), (10, 10)])
def test_batches_give_the_mean_of_their_estimates(sizes):
    first, second = [draw(i) for i in range(3)], [draw(9 + i, d=4 + i) for i in range(2)]
    found = BatchedCKA()
    parts = [[x.split(sizes) for x in side] for side in (first, second)]
    for place in range(len(sizes)):
        found.update(*([x[place] for x in side] for side in parts))

    def mean(x, y):
        pieces = zip(x.split(sizes), y.split(sizes), sizes, strict=True)
        return sum(n * songs_hsic(p, q) for p, q, n in pieces)

    expected = [[mean(x, y) / (mean(x, x) * mean(y, y)).sqrt() for y in second] for x in first]
    torch.testing.assert_close(found.value(), torch.tensor(expected).double())
    assert found.shape == (3, 2)


def test_maps_are_flattened():
    found = BatchedCKA()
    found.update([torch.rand(8, 2, 3, 3)], [torch.rand(8, 5)])
    assert found.value().shape == (1, 1)


def double_loop(x, y, k):
    def near(z, i):
        cosine = torch.nn.functional.cosine_similarity(z[i : i + 1], z)
        cosine[i] = -2
        return set(cosine.topk(k).indices.tolist())

    return sum(len(near(x, i) & near(y, i)) for i in range(len(x))) / (k * len(x))


@pytest.mark.parametrize("k", [1, 5])
def test_overlap_is_that_of_the_double_loop(k):
    x, y = draw(0), draw(0) + draw(1)
    assert neighbor_overlap(x, y, k).item() == pytest.approx(double_loop(x, y, k))
    assert neighbor_overlap(x, x, k) == 1 == neighbor_overlap(x, 3 * x + 1, k, "euclidean")


def test_permuted_samples_share_what_chance_gives():
    x, y = draw(0, 60), draw(0, 60) + draw(1, 60)
    found = overlap_with_null(x, y, 5, draws=100, generator=torch.Generator().manual_seed(0))
    assert found.mean == pytest.approx(5 / 59, abs=0.02) and found.p_value == pytest.approx(1 / 101)
    assert found.value == neighbor_overlap(x, y, 5).item() and 0 < found.calibrated < found.value


def test_permuted_samples_have_no_cka():
    x, y = draw(0), draw(0) + 0.3 * draw(1)
    found = cka_with_null(x, y, 100, torch.Generator().manual_seed(0))
    assert found.value == pytest.approx(cka(x, y).item()) and found.p_value < 0.02
    assert abs(found.mean) < 0.1
    order = torch.randperm(20, generator=torch.Generator().manual_seed(0))
    assert found.permuted[0].item() == pytest.approx(cka(x, y[order]).item())


def twice(first, second):
    found = BatchedCKA()
    found.update(*first), found.update(*second)


ONE, TWO = [torch.rand(5, 2)], [torch.rand(5, 2), torch.rand(5, 3)]
BAD = {
    "other samples": (lambda: cka(torch.rand(5, 2), torch.rand(6, 2)), "x has 5 samples and y 6"),
    "few": (lambda: cka(torch.rand(3, 2), torch.rand(3, 2)), r"give samples \(n, d\), at least 4"),
    "nan": (lambda: cka(torch.full((5, 2), torch.nan), torch.rand(5, 2)), "not finite; leave those"),
    "no batch": (lambda: BatchedCKA().value(), "no batch was added; call update"),
    "no depth": (lambda: BatchedCKA().update([], ONE), "there are no depths"),
    "other batch": (lambda: BatchedCKA().update(ONE, [torch.rand(6, 2)]), "batches of other sizes"),
    "other depths": (lambda: twice((ONE, ONE), (ONE, TWO)), r"depths \(1, 2\), the first \(1, 1\)"),
    "k": (lambda: neighbor_overlap(*ONE, *ONE, 4), "k is 4 of 5 samples; give fewer than 4"),
    "metric": (lambda: neighbor_overlap(*ONE, *ONE, 2, "l3"), "must be one of cosine, euclidean"),
    "lengths": (lambda: neighbor_overlap(torch.rand(5, 2), torch.rand(6, 2), 2), "x has 5 samples and y 6"),
    "vector": (lambda: neighbor_overlap(torch.rand(5), torch.rand(5), 2), r"x has shape \(5,\)"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_overlaps_of_all_depths_are_those_of_each_pair():
    first, second = [draw(0), draw(1, d=3)], [draw(2), draw(0) + 0.3 * draw(3), draw(4, d=2)]
    value, chance = overlap_of_depths(first, second, 4, draws=50, generator=torch.Generator().manual_seed(0))
    pairs = [[neighbor_overlap(x, y, 4).item() for y in second] for x in first]
    torch.testing.assert_close(value, torch.tensor(pairs, dtype=torch.float64))
    assert chance.shape == (50, 2, 3) and chance.mean().item() == pytest.approx(4 / 19, abs=0.03)
    with pytest.raises(ValueError, match="there are no depths"):
        overlap_of_depths([], second)


def test_chance_of_batches_is_about_zero_and_that_of_one_batch_is_the_permuted_cka():
    x, y = draw(0, 40), draw(1, 40)
    batches = BatchedCKA(30, torch.Generator().manual_seed(0))
    for part in (slice(0, 20), slice(20, 40)):
        batches.update([x[part]], [y[part], x[part]])
    assert batches.null().shape == (30, 1, 2) and batches.null().mean(0).abs().max() < 0.1
    once = BatchedCKA(1, torch.Generator().manual_seed(7))
    once.update([x], [y])
    order = torch.randperm(40, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(once.null()[0, 0, 0], cka(x, y[order]))


def test_no_chance_without_draws():
    batches = BatchedCKA()
    batches.update([draw(0)], [draw(1)])
    with pytest.raises(ValueError, match="draws is 0 and nothing was permuted"):
        batches.null()
