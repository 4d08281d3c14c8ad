"""Variations: the convention of eq. 4 and 5, loops, formed powers, invariances, degenerate classes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import (
    class_indicators,
    class_mask,
    inter_class_edges,
    label_variation,
    laplacian,
    normalized_label_variation,
    signal_variation,
)


def random_graph(seed=0, n=6, batch=(), density=0.6):
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(*batch, n, n, generator=generator, dtype=torch.float64)
    a = (a * (a < density)).triu(1)
    return a + a.mT


def ordered_double_sum(a, signals):
    n = len(a)
    return sum(a[i, j] * (signals[i] - signals[j]).square().sum() for i in range(n) for j in range(n))


LABELS = torch.tensor([0, 2, 2, 5, 0, 5])


def test_signal_variation_is_half_the_ordered_double_sum_of_eq_4():
    a, signals = random_graph(), torch.rand(6, 3, dtype=torch.float64)
    torch.testing.assert_close(signal_variation(a, signals), ordered_double_sum(a, signals) / 2)


def test_label_variation_is_half_the_ordered_double_sum_of_eq_5():
    a = random_graph()
    double_sum = sum(
        a[i, j] for c in (0, 2, 5) for i in range(6) for j in range(6) if (LABELS[i] == c) != (LABELS[j] == c)
    )
    torch.testing.assert_close(label_variation(a, LABELS), double_sum / 2)


def test_label_variation_is_twice_the_weight_of_the_edges_between_classes():
    a = torch.tensor([[0.0, 0.5, 0.25], [0.5, 0.0, 0.0], [0.25, 0.0, 0.0]])
    assert label_variation(a, torch.tensor([0, 1, 0])) == 1.0
    assert label_variation(a, torch.tensor([0, 1, 2])) == 1.5


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("power", [1, 2, 3, 4])
@pytest.mark.parametrize("classes", [None, 6])
def test_powers_are_the_trace_with_everything_formed(power, normalized, classes):
    a = random_graph(3, batch=(2,))
    v = torch.nn.functional.one_hot(LABELS).double()
    formed = v.T @ torch.linalg.matrix_power(laplacian(a, normalized), power) @ v
    expected = formed.diagonal(dim1=-2, dim2=-1).sum(-1)
    torch.testing.assert_close(label_variation(a, LABELS, power, normalized, classes), expected)
    torch.testing.assert_close(signal_variation(a, v, power, normalized), expected)


def test_signal_variation_keeps_its_digits_far_from_zero():
    a, signals = random_graph(5), torch.rand(6, 2, dtype=torch.float64)
    shifted = signal_variation(a.float(), signals.float() + 1000)
    torch.testing.assert_close(shifted.double(), signal_variation(a, signals), atol=0, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 8), st.floats(0, 1), st.integers(1, 3), st.sampled_from([1, 2, 3])
)
def test_zero_variation_means_no_edge_between_classes(seed, n, density, classes, power):
    a = random_graph(seed, n, density=density)
    labels = torch.randint(classes, (n,), generator=torch.Generator().manual_seed(seed))
    edges = sum(a[i, j] > 0 and labels[i] != labels[j] for i in range(n) for j in range(i))
    assert inter_class_edges(a, labels) == edges
    assert (label_variation(a, labels, power) > 1e-12) == (edges > 0)
    assert (normalized_label_variation(a, labels, 2) == 0) == (edges == 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 7), st.sampled_from([1, 2, 3]), st.booleans())
def test_the_order_of_the_vertices_and_the_names_of_the_classes_do_not_matter(seed, n, power, normalized):
    a = random_graph(seed, n)
    generator = torch.Generator().manual_seed(seed)
    labels, order = torch.randint(3, (n,), generator=generator), torch.randperm(n, generator=generator)
    permuted = label_variation(a[order][:, order], 7 - 2 * labels[order], power, normalized)
    torch.testing.assert_close(permuted, label_variation(a, labels, power, normalized))


@pytest.mark.parametrize("power", [1, 2, 3])
def test_one_class_or_one_vertex_varies_nowhere(power):
    assert label_variation(random_graph(), torch.zeros(6, dtype=torch.long), power) < 1e-12
    assert label_variation(torch.zeros(1, 1), torch.tensor([4]), power) == 0


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("normalized", [False, True])
def test_gradients_reach_the_weights(power, normalized):
    a = random_graph(4, 5).requires_grad_()
    labels = torch.tensor([0, 1, 1, 0, 2])
    assert torch.autograd.gradcheck(lambda a: label_variation(a, labels, power, normalized), a)


def test_each_graph_of_a_batch_may_have_its_own_labels():
    a = random_graph(6, batch=(2, 3))
    labels = torch.randint(3, (3, 6), generator=torch.Generator().manual_seed(0))
    for power in (1, 2):
        batched = label_variation(a, labels, power)
        for i in range(2):
            for j in range(3):
                torch.testing.assert_close(batched[i, j], label_variation(a[i, j], labels[j], power))
        assert normalized_label_variation(a, labels, 2).shape == (2, 3)


@pytest.mark.parametrize("power", [1, 2])
def test_nan_is_not_hidden(power):
    a = random_graph()
    a[1, 2] = a[2, 1] = torch.nan  # an edge inside class 2
    assert label_variation(a, LABELS, power).isnan()


@pytest.mark.parametrize("power", [1, 2])
def test_half_precision_is_accumulated_in_float32(power):
    a = torch.full((300, 300), 0.1, dtype=torch.float16)
    labels = torch.arange(300) % 2
    expected = label_variation(a.double(), labels, power)
    ours = label_variation(a, labels, power)
    assert ours.dtype == torch.float32 and label_variation(a.double(), labels).dtype == torch.float64
    torch.testing.assert_close(ours.double(), expected, rtol=1e-5, atol=0)


def test_normalised_variation_has_three_denominators():
    # Two classes of two; three edges, two of them between classes with weights 1 and 0.5.
    a = torch.zeros(4, 4)
    for i, j, weight in ((0, 1, 0.9), (0, 2, 1.0), (1, 3, 0.5)):
        a[i, j] = a[j, i] = weight
    labels = torch.tensor([0, 0, 1, 1])
    assert normalized_label_variation(a, labels, 1) == 1.5 / 4
    assert normalized_label_variation(a, labels, 2) == 1.5 / 6  # 6 pairs are fewer than 4 · 2
    assert normalized_label_variation(a, labels) == 1.5 / 6
    assert normalized_label_variation(a, labels, 1, "inter-pairs") == 1.5 / 4
    assert normalized_label_variation(a, labels, 1, "edges-present") == 1.5 / 2


@pytest.mark.parametrize("denominator", ["edges-possible", "inter-pairs", "edges-present"])
def test_a_share_of_nothing_is_zero_and_all_connections_are_one(denominator):
    assert normalized_label_variation(torch.zeros(1, 1), torch.tensor([0]), 1, denominator) == 0
    assert normalized_label_variation(random_graph(), torch.zeros(6).long(), 2, denominator) == 0
    assert normalized_label_variation(torch.ones(4, 4), torch.arange(4), None, denominator) == 1


def test_class_masks_by_hand():
    labels = torch.tensor([0, 1, 0])
    assert class_mask(labels).int().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert class_mask(labels, "intra").int().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_indicators_are_one_hot_columns():
    assert torch.equal(class_indicators(LABELS, 6), torch.nn.functional.one_hot(LABELS, 6).float())
    unnamed = class_indicators(LABELS)
    assert unnamed.shape == (6, 6) and (unnamed.sum(-1) == 1).all()
    assert torch.equal(unnamed @ unnamed.T, (LABELS[:, None] == LABELS).float())
    assert (unnamed.sum(0) > 0).sum() == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a: label_variation(a, LABELS[:3]), ValueError, r"one label a vertex: 6, got labels \(3,\)"),
        (lambda a: label_variation(a, LABELS.float()), TypeError, "labels must be integers"),
        (lambda a: label_variation(a, LABELS, 0), ValueError, "power must be at least 1, got 0"),
        (lambda a: class_indicators(LABELS, 2), ValueError, r"labels run from 0 to 5, outside \[0, 2\)"),
        (lambda a: class_indicators(LABELS - 1, 4), ValueError, "labels run from -1 to 4"),
        (lambda a: class_indicators(LABELS, 0), ValueError, "classes must be at least 1, got 0"),
        (lambda a: class_indicators(LABELS, 4.0), TypeError, "classes must be an int"),
        (lambda a: label_variation(a, LABELS, 2, classes=1), ValueError, r"outside \[0, 1\)"),
        (
            lambda a: label_variation(a.expand(2, 6, 6), LABELS[:4]),
            ValueError,
            "did feature maps miss `flatten`",
        ),
        (lambda a: signal_variation(a, torch.rand(6)), ValueError, r"signals must have shape .* got \(6,\)"),
        (lambda a: signal_variation(a, torch.rand(5, 2)), ValueError, r"\(\.\.\., 6, s\), a row a vertex"),
        (lambda a: signal_variation(a, torch.eye(6).long()), TypeError, "signals must be floating point"),
        (lambda a: class_mask(LABELS, "both"), ValueError, "inter, intra, got 'both'"),
        (lambda a: normalized_label_variation(a, LABELS, 2, "edges"), ValueError, "got 'edges'"),
    ],
)
def test_wrong_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(random_graph())


def test_variations_of_higher_power_go_through_vmap():
    a, labels = random_graph(batch=(3,)), torch.stack([LABELS, LABELS.flip(0), 5 - LABELS])
    mapped = torch.vmap(lambda a, y: label_variation(a, y, 2, classes=6))(a, labels)
    torch.testing.assert_close(mapped, label_variation(a, labels, 2, classes=6))
