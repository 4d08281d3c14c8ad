"""Eq. 8 against double loops, the graph package's own functions, and graphs worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lggkit.graph import flatten, label_variation, latent_geometry_graph
from lggkit.graph._precision import in_memory_order
from lggkit.objectives import depth_variations, variation_smoothness

LABELS = torch.tensor([0, 2, 2, 0, 1, 2, 0])
ALONE = torch.tensor([0, 1, 1])
TOGETHER = torch.tensor([[1.0, 2.0]] * 3)  # the complete graph on three vertices, all weights 1: L² = 3 L
APART = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])  # one edge, of weight 1: L² = 2 L
OPTIONS = [
    {"k": 2},
    {"k": 99},
    {"similarity": "rbf"},
    {"normalized": True},
    {"normalized_laplacian": True},
    {"k": 3, "similarity": "rbf", "normalized": True, "normalized_laplacian": True},
]


def maps(signs=False, dtype=torch.float64):
    """Four depths, behind ReLUs or not."""
    draw = torch.randn if signs else torch.rand
    shapes = [(2, 3, 3), (4, 2, 2), (5,), (3, 1, 2)]
    return [draw(len(LABELS), *shape, dtype=dtype) for shape in shapes]


def naive_variation(x, labels, power):
    """The sum over classes of vᵀ L (L (… v)), entry by entry."""
    rows, n = [row.flatten().tolist() for row in x], range(len(x))
    cosine = [
        [sum(p * q for p, q in zip(a, b, strict=True)) / math.hypot(*a) / math.hypot(*b) for b in rows]
        for a in rows
    ]
    weight = [[cosine[i][j] * (i != j) for j in n] for i in n]
    total = 0.0
    for label in set(labels.tolist()):
        v = signal = [float(y == label) for y in labels.tolist()]
        for _ in range(power):
            signal = [sum(weight[i][j] * (signal[i] - signal[j]) for j in n) for i in n]
        total += sum(p * q for p, q in zip(v, signal, strict=True))
    return total


@pytest.mark.parametrize("signs", [False, True], ids=["relu", "both signs"])
@pytest.mark.parametrize("power", [1, 2, 3, 4])
def test_each_depth_is_the_double_loop(power, signs):
    depths = maps(signs)
    expected = [naive_variation(x, LABELS, power) for x in depths]
    variations = depth_variations(depths, LABELS, power=power, negative="keep")
    assert variations.shape == (4,) and variations.tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("classes", [None, 3, 5])
@pytest.mark.parametrize("power", [1, 2, 3])
@pytest.mark.parametrize("options", [{}, *OPTIONS], ids=str)
def test_every_option_is_that_of_the_graph_package(options, power, classes):
    depths = [x.requires_grad_() for x in maps()]
    graph = {"k": None, "similarity": "cosine", "normalized": False} | options
    normalized = graph.pop("normalized_laplacian", False)
    graphs = [latent_geometry_graph(flatten(x), **graph) for x in depths]
    expected = torch.stack([label_variation(a, LABELS, power, normalized) for a in graphs])
    variations = depth_variations(depths, LABELS, power=power, classes=classes, **options)
    torch.testing.assert_close(variations, expected, rtol=1e-9, atol=1e-9)
    steps, options = (expected[1:] - expected[:-1]).abs(), options | {"power": power, "classes": classes}
    for reduction, value in (("mean", steps.mean()), ("sum", steps.sum())):
        loss = variation_smoothness(depths, LABELS, reduction=reduction, **options)
        torch.testing.assert_close(loss, value, rtol=1e-9, atol=1e-9)
    slopes = [torch.autograd.grad(result, depths) for result in (loss, value)]
    torch.testing.assert_close(*slopes, rtol=1e-9, atol=1e-9)


def test_options_change_the_value():
    depths = maps()
    values = [variation_smoothness(depths, LABELS, **o).item() for o in ({}, *OPTIONS) if o != {"k": 99}]
    assert len({round(value, 6) for value in values}) == len(values)


@pytest.mark.parametrize(("power", "apart", "together"), [(1, 2, 4), (2, 4, 12), (3, 8, 36)])
def test_three_points_worked_out_by_hand(power, apart, together):
    depths = [APART, TOGETHER, TOGETHER, APART]
    variations = depth_variations(depths, ALONE, power=power)
    assert variations.tolist() == pytest.approx([apart, together, together, apart], rel=1e-6)
    total = variation_smoothness(depths, ALONE, power=power, reduction="sum").item()
    assert total == pytest.approx(2 * (together - apart), rel=1e-6)
    mean = variation_smoothness(depths, ALONE, power=power).item()
    assert mean == pytest.approx(2 * (together - apart) / 3, rel=1e-6)


def test_the_defaults_are_those_of_the_authors_code():
    assert variation_smoothness([APART, TOGETHER, APART], ALONE).item() == pytest.approx(8)


def test_only_neighbouring_depths_are_compared_and_their_order_counts():
    ordered = [APART, APART, TOGETHER, TOGETHER]
    mixed = [APART, TOGETHER, APART, TOGETHER]
    assert variation_smoothness(ordered, ALONE, reduction="sum").item() == pytest.approx(8)
    assert variation_smoothness(mixed, ALONE, reduction="sum").item() == pytest.approx(24)
    named = dict(zip("badc", mixed, strict=True))
    assert variation_smoothness(named, ALONE, reduction="sum").item() == pytest.approx(24)


def test_steady_depths_have_no_loss_and_no_slope():
    x = maps()[0].requires_grad_()
    loss = variation_smoothness([x, 3 * x, x], LABELS)
    assert loss.item() == pytest.approx(0, abs=1e-9)
    assert variation_smoothness([x, x], LABELS).item() == 0
    assert not torch.autograd.grad(variation_smoothness([x, x], LABELS), x)[0].any()


def test_one_class_alone_varies_nowhere():
    variations = depth_variations(maps(), torch.zeros(7, dtype=torch.int64))
    assert variations.abs().max() < 1e-9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3]), st.sampled_from([None, 3]))
def test_what_the_loss_does_not_see(seed, power, k):
    source = torch.Generator().manual_seed(seed)
    first, second = (torch.rand(7, d, generator=source, dtype=torch.float64) for d in (4, 6))
    turn = torch.linalg.qr(torch.randn(4, 4, generator=source, dtype=torch.float64)).Q
    shuffle, names = torch.randperm(7, generator=source), torch.randperm(9, generator=source)
    expected = variation_smoothness([first, second], LABELS, power=power, k=k)
    lengths = torch.rand(7, 1, generator=source, dtype=torch.float64) + 0.1
    changed = [
        ([first @ turn, second], LABELS),
        ([lengths * first, 1e4 * second], LABELS),
        ([first[shuffle], second[shuffle]], LABELS[shuffle]),
        ([second, first], LABELS),
        ([first, second], names[LABELS]),
    ]
    for depths, labels in changed:
        loss = variation_smoothness(depths, labels, power=power, k=k)
        torch.testing.assert_close(loss, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("power", [1, 2, 3])
@pytest.mark.parametrize(
    "options", [{}, {"k": 3, "normalized": True}, {"normalized_laplacian": True}], ids=str
)
def test_gradients(options, power):
    depths = [x[:5].requires_grad_() for x in maps()[1:3]]
    loss = lambda *x: variation_smoothness(x, LABELS[:5], power=power, classes=3, **options)  # noqa: E731
    assert torch.autograd.gradcheck(loss, depths)


def test_second_derivatives():
    depths = [x[:4].requires_grad_() for x in maps()[2:]]
    assert torch.autograd.gradgradcheck(lambda *x: variation_smoothness(x, LABELS[:4]), depths)


def test_a_step_downhill_makes_the_depths_steadier():
    depths = [x.requires_grad_() for x in maps()]
    loss = variation_smoothness(depths, LABELS)
    slopes = torch.autograd.grad(loss, depths)
    lower = [x.detach() - 1e-4 * slope for x, slope in zip(depths, slopes, strict=True)]
    assert variation_smoothness(lower, LABELS) < loss - 1e-3


@pytest.mark.parametrize("similarity", ["cosine", "rbf"])
def test_maps_in_channels_last_are_neither_copied_nor_read_differently(similarity):
    plain = [torch.rand(7, 3, 4, 5, dtype=torch.float64) for _ in range(2)]
    swapped = [x.to(memory_format=torch.channels_last).requires_grad_() for x in plain]
    assert flatten(in_memory_order(swapped[0])).data_ptr() == swapped[0].data_ptr()
    plain = [x.requires_grad_() for x in plain]
    losses = [variation_smoothness(x, LABELS, similarity=similarity) for x in (plain, swapped)]
    torch.testing.assert_close(*losses)
    slopes = [torch.autograd.grad(loss, x)[0] for loss, x in zip(losses, (plain[0], swapped[0]), strict=True)]
    torch.testing.assert_close(*slopes)
    assert slopes[1].is_contiguous(memory_format=torch.channels_last)


def test_a_similarity_of_ones_own_gets_features_in_their_order():
    x = torch.rand(7, 3, 4, 5).to(memory_format=torch.channels_last)
    of_second = lambda rows: rows[:, 1:2] @ rows[:, 1:2].mT  # noqa: E731
    weights = x[:, 0, 0, 1].outer(x[:, 0, 0, 1])
    variations = depth_variations([x], LABELS, similarity=of_second)
    torch.testing.assert_close(variations[0], label_variation(weights - weights.diag().diag(), LABELS, 2))


@pytest.mark.parametrize("value", [0.0, 1e-14])
@pytest.mark.parametrize("power", [1, 2, 3])
def test_samples_without_features_have_no_edges_and_no_slope(power, value):
    depths = [x.requires_grad_() for x in maps()]
    with torch.no_grad():
        depths[1][3] = value
    loss = variation_smoothness(depths, LABELS, power=power)
    slopes = torch.autograd.grad(loss, depths)
    assert all(slope.isfinite().all() for slope in slopes) and not slopes[1][3].any() and slopes[1].any()
    others = [i for i in range(7) if i != 3]
    variation = depth_variations(depths, LABELS, power=power)[1]
    assert variation.item() == pytest.approx(naive_variation(depths[1][others], LABELS[others], power))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_accumulated_in_float32_also_under_autocast(dtype):
    depths = [x.to(dtype).requires_grad_() for x in maps()]
    exact = variation_smoothness([x.detach().float() for x in depths], LABELS)
    loss = variation_smoothness(depths, LABELS)
    with torch.autocast("cpu", torch.bfloat16):
        assert loss.item() == exact.item() == variation_smoothness(depths, LABELS).item()
    assert loss.dtype == torch.float32
    assert all(g.dtype == dtype and g.isfinite().all() for g in torch.autograd.grad(loss, depths))


def test_a_large_batch_is_near_its_value_in_float64():
    depths = [torch.rand(300, 3, 4, 4).mul_(0.1).add_(1) for _ in range(3)]
    labels = torch.arange(300) % 10
    variations = depth_variations(depths, labels)
    torch.testing.assert_close(
        variations.double(), depth_variations([x.double() for x in depths], labels), rtol=1e-5, atol=0
    )


@pytest.mark.parametrize("options", [{}, {"k": 2, "normalized": True}])
def test_nan_is_not_hidden(options):
    depths = maps()
    depths[2][0] = torch.nan
    assert variation_smoothness(depths, LABELS, **options).isnan()


@pytest.mark.parametrize("n", [1, 2])
def test_tiny_batches_are_finite(n):
    depths = [x[:n].requires_grad_() for x in maps()]
    loss = variation_smoothness(depths, LABELS[:n])
    assert loss.isfinite() and all(g.isfinite().all() for g in torch.autograd.grad(loss, depths))


WRONG = [
    ({"reduction": "none"}, ValueError, "reduction is 'none'; choose one of mean, sum"),
    ({"latents": maps()[:1]}, ValueError, "the latents have one depth; give at least two"),
    ({"latents": []}, ValueError, r"the depths have \[\] samples; give the same batch at one depth or more"),
    (
        {"latents": [torch.rand(7, 2), torch.rand(6, 2)]},
        ValueError,
        r"have \[7, 6\] samples; give the same batch",
    ),
    ({"latents": torch.rand(2, 7, 3)}, TypeError, r"one tensor \(2, 7, 3\); give a list with one a depth"),
    ({"latents": [torch.ones(7, 2).long()] * 2}, TypeError, r"must be floating point, got torch\.int64"),
    ({"labels": LABELS[:6]}, ValueError, r"one label a vertex: 7, got labels \(6,\)"),
    ({"labels": LABELS.float()}, TypeError, "labels must be integers"),
    ({"power": 0}, ValueError, "power must be at least 1, got 0"),
    ({"power": 2.0}, TypeError, r"power must be an int, got 2\.0"),
    ({"k": 0}, ValueError, "k must be at least 1, got 0"),
    ({"similarity": "dot"}, ValueError, "'cosine', 'rbf' or a function, got 'dot'"),
]


@pytest.mark.parametrize(("changes", "error", "message"), WRONG)
def test_wrong_arguments_are_named(changes, error, message):
    given = {"latents": maps(), "labels": LABELS} | changes
    with pytest.raises(error, match=message):
        variation_smoothness(**given)


def test_variations_can_be_had_of_one_depth_alone():
    (variation,) = depth_variations({"only": APART}, ALONE)
    assert variation.item() == pytest.approx(4)


@pytest.mark.filterwarnings("default")
def test_it_compiles_as_one_graph_and_computes_the_same(backend):
    def step(depths):
        values = [variation_smoothness(depths, LABELS, power=power) for power in (1, 2, 3)]
        return sum(values) + variation_smoothness(depths, LABELS, classes=3, k=2, similarity="rbf")

    depths = [x.requires_grad_() for x in maps()]
    depths[0] = depths[0].detach().to(memory_format=torch.channels_last).requires_grad_()
    compiled = torch.compile(step, fullgraph=True, dynamic=False, backend=backend)
    values = [f(depths) for f in (compiled, step)]
    torch.testing.assert_close(*values)
    for ours, expected in zip(*(torch.autograd.grad(value, depths) for value in values), strict=True):
        torch.testing.assert_close(ours, expected)


def test_maps_go_through_vmap():
    maps, labels = torch.rand(3, 7, 2, 3, 3), torch.stack([LABELS, LABELS.flip(0), LABELS])
    losses = torch.vmap(lambda x, y: variation_smoothness([x, x.square()], y, classes=3))(maps, labels)
    alone = [variation_smoothness([x, x.square()], y) for x, y in zip(maps, labels, strict=True)]
    torch.testing.assert_close(losses, torch.stack(alone))
