import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.similarity import (
    RelativeSpace,
    Statistics,
    choose_anchors,
    intertwiner_residual,
    mean_reciprocal_rank,
    neighbour_jaccard,
    paired_cosine,
    permutation_diagonal,
    random_rotation,
    relative_map,
    robust_relative_map,
    stitch,
)

seeds = st.integers(0, 10_000)


def drawn(seed, n=30, d=6, k=5):
    source = torch.Generator().manual_seed(seed)
    x, anchors = (torch.randn(m, d, generator=source, dtype=torch.float64) + 0.5 for m in (n, k))
    return x, anchors, source


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_plain_map_keeps_isometries_and_scales_and_the_robust_one_does_not(seed):
    x, anchors, source = drawn(seed)
    turn = 3.0 * random_rotation(6, source, torch.float64)
    change = relative_map(x @ turn, anchors @ turn) - relative_map(x, anchors)
    assert change.abs().max() < 1e-12
    robust = robust_relative_map(x @ turn, anchors @ turn) - robust_relative_map(x, anchors)
    assert robust.abs().max() > 1e-3


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_robust_map_keeps_shifts_and_permuted_diagonals_with_negative_entries(seed):
    x, anchors, source = drawn(seed)
    scales = torch.randn(6, generator=source, dtype=torch.float64).sign() * torch.arange(1, 7)
    matrix = permutation_diagonal(scales, source)
    bare = [Statistics.of(p, epsilon=0.0) for p in (x, x @ matrix - 2)]
    one = robust_relative_map(x, anchors, bare[0])
    other = robust_relative_map(x @ matrix - 2, anchors @ matrix - 2, bare[1])
    assert (one - other).abs().max() < 1e-10


def test_the_map_is_that_of_the_double_loop_and_scales_by_the_root():
    x, anchors, _ = drawn(0)
    naive = torch.tensor([[torch.cosine_similarity(p, a, dim=0) for a in anchors] for p in x])
    assert torch.allclose(relative_map(x, anchors), naive.double())
    assert torch.allclose(relative_map(x, anchors, root_scaled=True) * 5**0.5, naive.double())
    assert torch.allclose(relative_map(x, anchors, "euclidean"), -torch.cdist(x, anchors))
    assert torch.allclose(relative_map(x, anchors, "inner"), x @ anchors.T)


def test_zero_vectors_have_cosine_zero_and_no_gradient():
    x = torch.zeros(2, 3, requires_grad=True)
    relative_map(x, torch.eye(3)).sum().backward()
    assert (x.grad == 0).all()


def test_a_decoder_reads_a_turned_space():
    x, anchors, source = drawn(1)
    turn = random_rotation(6, source, torch.float64)
    encode = lambda z: z @ turn  # noqa: E731
    stitched = stitch(encode, RelativeSpace(encode(anchors)), lambda t: t.sum(1))
    assert torch.allclose(stitched(x), RelativeSpace(anchors)(x).sum(1))
    assert RelativeSpace(anchors, Statistics.of(x))(x).shape == (30, 5)


@pytest.mark.parametrize("how", ["random", "far", "kmeans"])
def test_anchors_are_distinct_and_follow_their_generator(how):
    x, _, _ = drawn(2)
    found = [choose_anchors(x, 12, how, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(*found) and len(found[0].unique()) == 12
    with pytest.raises(ValueError, match="31 anchors were asked for among 30"):
        choose_anchors(x, 31, how)


def test_far_anchors_are_farther_apart_than_neighbours():
    x = torch.cat([torch.zeros(20, 2), torch.tensor([[10.0, 0.0], [0.0, 10.0]])])
    chosen = choose_anchors(x, 3, "far", torch.Generator().manual_seed(0))
    assert {20, 21} <= set(chosen.tolist())


def test_equal_spaces_find_themselves_and_shuffled_ones_do_not():
    x, _, _ = drawn(4)
    assert mean_reciprocal_rank(x, x) == 1 and neighbour_jaccard(x, x, 4) == 1
    assert paired_cosine(x, 2 * x).item() == pytest.approx(1)
    assert mean_reciprocal_rank(x, x.roll(1, 0)) < 0.6


def test_running_statistics_move_by_their_momentum():
    old, new = Statistics.of(torch.zeros(2, 1)), Statistics.of(torch.tensor([[1.0], [3.0]]))
    moved = old.moved(new, 0.25)
    assert moved.mean.item() == 0.5 and moved.variance.item() == 0.25


def test_only_members_of_the_group_intertwine():
    source = torch.Generator().manual_seed(0)
    x = torch.randn(200, 6, generator=source, dtype=torch.float64)
    member = permutation_diagonal(torch.arange(1.0, 7, dtype=torch.float64), source)
    assert intertwiner_residual(member, torch.relu, x) < 1e-12
    assert intertwiner_residual(-member, torch.relu, x) > 0.1


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: relative_map(torch.ones(3, 2), torch.ones(1, 3)), "width 2 and anchors 3"),
        (lambda: relative_map(torch.ones(3, 2), torch.ones(0, 2)), "anchors has shape"),
        (lambda: relative_map(torch.ones(3, 2), torch.ones(1, 2), "dot"), "kind must be one of"),
        (lambda: Statistics.of(torch.ones(1, 2)), "n >= 2"),
        (lambda: Statistics.of(torch.ones(2, 2)).normalize(torch.ones(2, 3)), "width 3"),
        (lambda: Statistics.of(torch.ones(2, 2)).moved(Statistics.of(torch.ones(2, 2)), 2), "momentum"),
        (lambda: neighbour_jaccard(torch.ones(3, 2), torch.ones(3, 2), 3), "fewer neighbours"),
        (lambda: mean_reciprocal_rank(torch.ones(3, 2), torch.ones(2, 2)), "same samples"),
        (lambda: permutation_diagonal(torch.zeros(2)), "none of them 0"),
        (lambda: intertwiner_residual(torch.eye(3), torch.relu, torch.ones(2, 3)), "n >= d"),
    ],
)
def test_bad_input_gets_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
