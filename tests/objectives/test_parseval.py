"""Parseval's step against the singular value decomposition, on every shape and layout of weights."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lggkit.objectives import parseval_step, spectral_norms

SHAPES = [(3, 7), (7, 3), (5, 5), (4, 3, 3, 3), (20, 2, 3, 3), (3, 2, 5), (1, 4), (4, 1)]


class Holder(nn.Module):
    def __init__(self, *weights):
        super().__init__()
        self.weights = nn.ParameterList(weights)


def drawn(shape, largest=1.7):
    """A weight in float64 whose singular values go from 0.2 to ``largest``."""
    rows, columns = shape[0], torch.Size(shape[1:]).numel()
    u, s, vh = torch.linalg.svd(torch.randn(rows, columns, dtype=torch.float64), full_matrices=False)
    s = torch.linspace(0.2, largest, len(s), dtype=torch.float64)
    return (u * s @ vh).view(shape)


def in_channels_last(w):
    return w.to(memory_format=torch.channels_last) if w.ndim == 4 else w


@pytest.mark.parametrize("layout", [torch.clone, in_channels_last])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_singular_vectors_stay_and_values_follow_the_polynomial(shape, layout):
    before, beta = drawn(shape), 0.07
    u, s, vh = torch.linalg.svd(before.flatten(1), full_matrices=False)
    model = Holder(layout(before))
    strides = model.weights[0].stride()
    assert parseval_step(model, beta) is None
    expected = u * ((1 + beta) * s - beta * s**3) @ vh
    torch.testing.assert_close(model.weights[0].flatten(1), expected, rtol=1e-12, atol=1e-12)
    assert model.weights[0].stride() == strides


def test_a_matrix_worked_out_by_hand():
    model = Holder(torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.5]]))
    parseval_step(model, 0.1)
    # 1.1 · 2 - 0.1 · 8 and 1.1 · 0.5 - 0.1 · 0.125
    torch.testing.assert_close(model.weights[0], torch.tensor([[1.4, 0.0, 0.0], [0.0, 0.0, 0.5375]]))


def test_the_default_is_the_authors_beta():
    w = drawn((3, 7))
    default, given = Holder(w.clone()), Holder(w.clone())
    parseval_step(default)
    parseval_step(given, 0.01)
    assert torch.equal(default.weights[0], given.weights[0]) and not torch.equal(default.weights[0], w)


@pytest.mark.parametrize("beta", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (5, 5), (4, 3, 3, 3)], ids=str)
def test_rows_of_wide_and_columns_of_tall_matrices_become_orthonormal(shape, beta):
    model = Holder(drawn(shape, largest=0.9 * (1 + 1 / beta) ** 0.5))
    for _ in range(800):
        parseval_step(model, beta)
    w = model.weights[0].flatten(1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    torch.testing.assert_close(gram, torch.eye(len(gram), dtype=torch.float64), rtol=0, atol=1e-6)


def test_it_goes_to_one_or_away_where_the_docstring_says():
    largest = [(1 + 1 / 0.01) ** 0.5 - 1e-3, (1 + 2 / 0.01) ** 0.5 + 1e-3]
    near, far = (Holder(torch.full((1, 1), s, dtype=torch.float64)) for s in largest)
    parseval_step(near)
    assert near.weights[0] > 0
    for _ in range(3000):
        parseval_step(near)
    assert near.weights[0].item() == pytest.approx(1)
    for _ in range(5):
        parseval_step(far)
    assert far.weights[0].abs() > largest[1] + 2e-3


def test_only_trained_matrices_change_and_each_once():
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(4, 4), nn.Linear(4, 4))
    model[3].weight = model[2].weight
    model.append(nn.Linear(4, 2).requires_grad_(False))
    model.register_buffer("table", torch.rand(3, 3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    places = {name: p.data_ptr() for name, p in model.named_parameters()}
    parseval_step(model)
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"0.weight", "2.weight", "3.weight"}
    assert places == {name: p.data_ptr() for name, p in model.named_parameters()}
    w = before["2.weight"]
    torch.testing.assert_close(model[2].weight, 1.01 * w - 0.01 * w @ w.T @ w)
    assert model[2].weight.grad is None and model[2].weight.is_leaf


def test_gradients_wait_for_the_optimiser_untouched():
    model = nn.Linear(3, 2)
    model(torch.rand(4, 3)).sum().backward()
    before = model.weight.grad.clone()
    parseval_step(model)
    assert torch.equal(model.weight.grad, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_accumulated_in_float32_also_under_autocast(dtype):
    w = drawn((4, 6)).to(dtype)
    half, single, cast = Holder(w.clone()), Holder(w.float()), Holder(w.float())
    parseval_step(half)
    parseval_step(single)
    with torch.autocast("cpu", torch.bfloat16):
        parseval_step(cast)
        norms = spectral_norms(cast)
    assert torch.equal(half.weights[0], single.weights[0].to(dtype))
    assert torch.equal(cast.weights[0], single.weights[0])
    assert norms == spectral_norms(single) and norms["weights.0"].dtype == torch.float32
    assert spectral_norms(half)["weights.0"].dtype == torch.float32


@pytest.mark.parametrize(("rows", "columns"), [(4, 50), (50, 4)])
def test_the_smaller_gram_matrix_is_taken(rows, columns):
    model = Holder(torch.rand(rows, columns))
    with FlopCounterMode(display=False) as step:
        parseval_step(model)
    with FlopCounterMode(display=False) as norm:
        spectral_norms(model)
    assert (step.get_total_flops(), norm.get_total_flops()) == (4 * 4 * 4 * 50, 2 * 4 * 4 * 50)


@pytest.mark.parametrize("layout", [torch.clone, in_channels_last])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_spectral_norms_are_the_largest_singular_values(shape, layout):
    w = drawn(shape)
    (norm,) = spectral_norms(Holder(layout(w))).values()
    torch.testing.assert_close(norm, torch.linalg.matrix_norm(w.flatten(1), 2))
    assert not norm.requires_grad and norm.shape == ()


def test_spectral_norms_have_names_and_come_towards_one():
    model = nn.Sequential(nn.Conv2d(2, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 3))
    model[3].weight.requires_grad_(False)
    before = spectral_norms(model)
    assert list(before) == ["0.weight", "3.weight"]
    for _ in range(100):
        parseval_step(model, 0.1)
    after = spectral_norms(model)
    assert after["0.weight"].item() == pytest.approx(1, abs=1e-3)
    assert after["3.weight"] == before["3.weight"] != pytest.approx(1, abs=1e-3)
    assert spectral_norms(nn.BatchNorm2d(3)) == {}


def test_zero_weights_stay_and_have_norm_zero():
    model = Holder(torch.zeros(3, 4))
    parseval_step(model)
    assert not model.weights[0].any() and spectral_norms(model)["weights.0"] == 0


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.01, float("nan")])
def test_a_beta_outside_is_refused(beta):
    model = Holder(drawn((3, 4)))
    before = model.weights[0].clone()
    with pytest.raises(ValueError, match=f"beta is {beta!r}; give a number between 0 and 1"):
        parseval_step(model, beta)
    assert torch.equal(model.weights[0], before)


@pytest.mark.filterwarnings("default")
def test_the_step_compiles_as_one_graph():
    model = nn.Sequential(nn.Conv2d(2, 8, 3), nn.Linear(8, 3)).to(memory_format=torch.channels_last)
    twin = copy.deepcopy(model)
    torch.compile(parseval_step, fullgraph=True, backend="eager")(model)
    parseval_step(twin)
    for ours, expected in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)
