"""GKD against double loops and graphs that can be worked out by hand, in every option."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.objectives import gkd

LABELS = [0, 0, 1]
TOGETHER = torch.tensor([[1.0, 2.0]] * 3)  # every cosine 1, so that all weights of its graph are 1/2
APART = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])  # one edge, of weight 1


def vectors(x):
    return [row.flatten().tolist() for row in x.double()]


def naive_cosines(x):
    def cosine(a, b):
        return sum(p * q for p, q in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b)

    n = len(x)
    return [[0.0 if i == j else cosine(x[i], x[j]) for j in range(n)] for i in range(n)]


def naive_rbf(x, width):
    n = len(x)
    square = [[math.dist(x[i], x[j]) ** 2 for j in range(n)] for i in range(n)]
    return [[(i != j) * math.exp(-square[i][j] / (2 * width**2)) for j in range(n)] for i in range(n)]


def naive_normalized(w):
    d = [sum(row) for row in w]
    return [[w[i][j] and w[i][j] / math.sqrt(d[i] * d[j]) for j in range(len(w))] for i in range(len(w))]


def naive_power(w, exponent):
    result, n = w, range(len(w))
    for _ in range(exponent - 1):
        result = [[sum(result[i][m] * w[m][j] for m in n) for j in n] for i in n]
    return result


def naive_edges(w, k):
    """Whether i is one of j's nearest neighbours or j one of i's."""
    n = range(len(w))
    chosen = [sorted((j for j in n if j != i), key=lambda j: -w[i][j])[:k] for i in n]
    return [[j in chosen[i] or i in chosen[j] for j in n] for i in n]


def naive_kept(w, edges):
    return [[a if e else 0.0 for a, e in zip(*rows, strict=True)] for rows in zip(w, edges, strict=True)]


def naive_sum_of_squares(a, b):
    return sum((p - q) ** 2 for rows in zip(a, b, strict=True) for p, q in zip(*rows, strict=True))


def naive_mask_first(student, teacher, k, similarity=naive_cosines):
    """The paper's order: each network has its own neighbours."""
    weights = [similarity(vectors(x)) for x in (student, teacher)]
    return naive_sum_of_squares(*(naive_normalized(naive_kept(w, naive_edges(w, k))) for w in weights))


def naive_normalize_first(student, teacher, k):
    """The authors' order: the teacher's neighbours, on its normalised graph, for both."""
    ours, theirs = (naive_normalized(naive_cosines(vectors(x))) for x in (student, teacher))
    edges = naive_edges(theirs, k)
    return naive_sum_of_squares(naive_kept(ours, edges), naive_kept(theirs, edges))


NAIVE = {"mask-first": naive_mask_first, "normalize-first": naive_normalize_first}


def pair(n=7, dtype=torch.float32):
    return torch.rand(n, 2, 3, dtype=dtype), torch.rand(n, 5, dtype=dtype)


@pytest.mark.parametrize("order", NAIVE)
@pytest.mark.parametrize("k", [1, 2, 4, 6, 99])
def test_the_loss_is_the_double_loops(order, k):
    student, teacher = pair()
    expected = NAIVE[order](student, teacher, k)
    assert expected > 1e-3
    assert gkd([student], [teacher], k=k, order=order).item() == pytest.approx(expected, rel=1e-5)


def test_the_two_orders_differ_except_on_the_full_graph():
    student, teacher = pair()
    both = [[gkd([student], [teacher], k=k, order=order).item() for order in NAIVE] for k in (2, None)]
    assert both[0][0] != pytest.approx(both[0][1], rel=1e-2)
    assert both[1][0] == pytest.approx(both[1][1], rel=1e-5)


def test_the_teachers_neighbours_are_the_students_in_the_authors_order():
    student, teacher = pair()
    one, other = (
        gkd([a], [b], k=2, order="normalize-first") for a, b in ((student, teacher), (teacher, student))
    )
    assert one.item() != pytest.approx(other.item(), rel=1e-2)


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_the_exponent_is_a_matrix_power(exponent):
    student, teacher = pair()
    graphs = [naive_power(naive_normalized(naive_cosines(vectors(x))), exponent) for x in (student, teacher)]
    ours = gkd([student], [teacher], exponent=exponent).item()
    assert ours == pytest.approx(naive_sum_of_squares(*graphs), rel=1e-5)


def test_rbf_with_a_bandwidth_and_with_the_median():
    student, teacher = pair()
    expected = naive_mask_first(student, teacher, 3, lambda x: naive_rbf(x, 0.7))
    ours = gkd([student], [teacher], k=3, similarity="rbf", bandwidth=0.7).item()
    assert ours == pytest.approx(expected, rel=1e-5)

    def with_median(x):
        distances = sorted(math.dist(a, b) for i, a in enumerate(x) for b in x[:i])
        assert len(distances) % 2
        return naive_rbf(x, distances[len(distances) // 2])

    expected = naive_mask_first(student, teacher, 3, with_median)
    assert gkd([student], [teacher], k=3, similarity="rbf").item() == pytest.approx(expected, rel=1e-5)


def test_without_normalisation():
    student, teacher = pair()
    expected = naive_sum_of_squares(naive_cosines(vectors(student)), naive_cosines(vectors(teacher)))
    assert gkd([student], [teacher], normalized=False).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("order", NAIVE)
@pytest.mark.parametrize("kind", ["inter", "intra"])
def test_edges_of_one_kind(order, kind):
    student, teacher = pair()
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    edges = [[(a != b) == (kind == "inter") for b in labels.tolist()] for a in labels.tolist()]
    graphs = [naive_cosines(vectors(x)) for x in (student, teacher)]
    if order == "mask-first":
        graphs = [naive_normalized(naive_kept(w, edges)) for w in graphs]
    else:
        graphs = [naive_kept(naive_normalized(w), edges) for w in graphs]
    ours = gkd([student], [teacher], edges=kind, labels=labels, order=order).item()
    assert ours == pytest.approx(naive_sum_of_squares(*graphs), rel=1e-5)


HAND = [
    ({}, 1.5),  # two entries differ by 1/2, four by 1/2
    ({"reduction": "mean"}, 1.5 / 9),
    ({"normalized": False}, 4.0),
    ({"exponent": 2}, 1.125),  # the squares are (J + I) / 4 and diag(1, 1, 0)
    ({"edges": "inter"}, 2.0),  # two edges of 1/√2 against none
    ({"edges": "intra"}, 0.0),  # the one edge is all there is, so both weigh 1
    ({"edges": "inter", "order": "normalize-first"}, 1.0),
    ({"edges": "intra", "order": "normalize-first"}, 0.5),
]


@pytest.mark.parametrize(("options", "expected"), HAND)
def test_three_points_worked_out_by_hand(options, expected):
    labels = torch.tensor(LABELS) if "edges" in options else None
    ours = gkd([APART], [TOGETHER], labels=labels, **options)
    assert ours.item() == pytest.approx(expected, abs=1e-6)


def test_layers_are_averaged():
    layers = [pair() for _ in range(3)]
    each = [gkd([s], [t]).item() for s, t in layers]
    together = gkd([s for s, _ in layers], [t for _, t in layers]).item()
    assert together == pytest.approx(sum(each) / 3, rel=1e-5)
    named = gkd({"a": layers[0][0], "b": layers[1][0]}, {"a": layers[0][1], "b": layers[1][1]})
    assert named.item() == pytest.approx(sum(each[:2]) / 2, rel=1e-5)


def test_the_mean_is_the_sum_by_the_number_of_entries():
    layers = [pair(9) for _ in range(2)]
    student, teacher = ([layer[side] for layer in layers] for side in (0, 1))
    total, mean = (gkd(student, teacher, reduction=reduction).item() for reduction in ("sum", "mean"))
    assert total == pytest.approx(81 * mean, rel=1e-5)


def test_the_power_comes_after_the_teachers_mask_in_the_authors_order():
    student, teacher = (torch.rand(7, d, dtype=torch.float64) for d in (3, 5))
    graphs = [naive_normalized(naive_cosines(vectors(x))) for x in (student, teacher)]
    edges = naive_edges(graphs[1], 2)
    expected = naive_sum_of_squares(*(naive_power(naive_kept(w, edges), 2) for w in graphs))
    loss = gkd([student], [teacher], k=2, order="normalize-first", exponent=2)
    assert loss.item() == pytest.approx(expected)


@pytest.mark.parametrize("order", NAIVE)
@pytest.mark.parametrize("exponent", [1, 2])
def test_as_many_neighbours_as_vertices_are_the_full_graph_also_in_a_short_batch(order, exponent):
    student, teacher = torch.rand(80, 6), torch.rand(80, 9)
    options = {"order": order, "exponent": exponent}
    full = gkd([student], [teacher], **options).item()
    assert all(gkd([student], [teacher], k=k, **options).item() == full for k in (80, 81, 128))
    assert gkd([student], [teacher], k=20, **options).item() != pytest.approx(full, rel=1e-2)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 10**6),
    st.floats(1e-3, 1e3),
    st.sampled_from(["cosine", "rbf"]),
    st.sampled_from(["mask-first", "normalize-first"]),
    st.sampled_from([None, 3]),
)
def test_what_the_loss_does_not_see(seed, scale, similarity, order, k):
    source = torch.Generator().manual_seed(seed)
    student, teacher = (torch.rand(6, d, generator=source, dtype=torch.float64) for d in (4, 3))
    turn = torch.linalg.qr(torch.randn(4, 4, generator=source, dtype=torch.float64)).Q
    shuffle = torch.randperm(6, generator=source)
    changed = [
        ([student * scale], [teacher]),
        ([student], [teacher * scale]),
        ([student @ turn], [teacher]),
        ([torch.nn.functional.pad(student, (1, 2))], [torch.nn.functional.pad(teacher, (0, 4))]),
        ([student[shuffle]], [teacher[shuffle]]),
    ]
    options = {"similarity": similarity, "order": order, "k": k}
    expected = gkd([student], [teacher], **options).item()
    for ours, theirs in changed:
        assert gkd(ours, theirs, **options).item() == pytest.approx(expected, rel=1e-6, abs=1e-9)
    if similarity == "rbf":
        assert gkd([student + 5], [teacher], **options).item() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.permutations(range(6)))
def test_labels_are_shuffled_with_the_batch(seed, order):
    source = torch.Generator().manual_seed(seed)
    student, teacher = (torch.rand(6, 3, generator=source, dtype=torch.float64) for _ in range(2))
    labels = torch.randint(3, (6,), generator=source)
    one = gkd([student], [teacher], edges="inter", labels=labels)
    other = gkd([student[order]], [teacher[order]], edges="inter", labels=labels[order])
    assert other.item() == pytest.approx(one.item(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("order", NAIVE)
@pytest.mark.parametrize(
    "options",
    [{}, {"k": 2}, {"k": 2, "similarity": "rbf", "bandwidth": 0.8}, {"exponent": 2}, {"normalized": False}],
)
def test_gradients(order, options):
    student, teacher = pair(5, torch.float64)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: gkd([x], [teacher], order=order, **options), student)


def test_second_derivatives():
    student, teacher = pair(4, torch.float64)
    student.requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: gkd([x], [teacher]), student)


@pytest.mark.parametrize("order", NAIVE)
def test_inter_and_intra_are_masks_of_the_graph_and_not_of_the_loss_alone(order):
    student, teacher = pair()
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 0])
    inter, intra = (
        gkd([student], [teacher], edges=e, labels=labels, order=order) for e in ("inter", "intra")
    )
    full = gkd([student], [teacher], order=order).item()
    additive = (inter + intra).item() == pytest.approx(full, rel=1e-5)
    assert additive == (order == "normalize-first")


WRONG = [
    ({"k": 0}, ValueError, "k must be at least 1, got 0"),
    ({"k": -3}, ValueError, "k must be at least 1, got -3"),
    ({"k": 99.0}, TypeError, "k must be an int, got 99.0"),
    ({"reduction": "none"}, ValueError, "reduction is 'none'; choose one of sum, mean"),
    ({"order": "paper"}, ValueError, "mask-first, normalize-first, got 'paper'"),
    ({"similarity": "dot"}, ValueError, "'cosine', 'rbf' or a function, got 'dot'"),
    ({"bandwidth": 1.0}, ValueError, "bandwidth=1.0 only means something with the similarity 'rbf'"),
    ({"exponent": 0}, ValueError, "exponent must be at least 1, got 0"),
    ({"edges": "inter"}, ValueError, "edges is 'inter' and labels None; give both or neither"),
    ({"labels": torch.arange(4)}, ValueError, r"edges is None and labels of shape \(4,\); give both"),
    (
        {"edges": "inter", "labels": torch.arange(4), "k": 2},
        ValueError,
        "edges is 'inter' and k is 2; give one",
    ),
    ({"edges": "all", "labels": torch.arange(4)}, ValueError, "inter, intra, got 'all'"),
    ({"edges": "inter", "labels": torch.arange(5)}, ValueError, r"4 vertices .* got \(5, 5\)"),
    ({"edges": "inter", "labels": torch.rand(4)}, TypeError, "labels must be integers"),
]


@pytest.mark.parametrize(("options", "error", "message"), WRONG)
def test_wrong_options_are_named(options, error, message):
    for order in [options] if "order" in options else [{"order": order} for order in NAIVE]:
        with pytest.raises(error, match=message):
            gkd([torch.rand(4, 2)], [torch.rand(4, 3)], **options | order)
