"""Deformation between depths and margins, against loops and networks whose geometry is known."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from lggkit.evaluation.deformation import (
    distance_expansion,
    input_margins,
    largest_variation_step,
    margins,
)
from lggkit.networks import build, with_normalization


def draw(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# The largest step


def test_the_largest_step_is_taken_in_each_batch_then_averaged():
    variations = torch.tensor([[1.0, 2.0, 9.0, 8.0], [10.0, 4.0, 3.0, 3.0]])
    assert largest_variation_step(variations) == pytest.approx((7 + 6) / 2)
    assert largest_variation_step(variations.flip(1)) == pytest.approx((7 + 6) / 2)


def test_equal_depths_have_no_step_and_nan_is_not_hidden():
    assert largest_variation_step(torch.ones(3, 5)) == 0
    assert math.isnan(largest_variation_step(torch.tensor([[1.0, math.nan], [1.0, 2.0]])))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (0, 3), (2, 2, 2)])
def test_steps_need_batches_and_two_depths(shape):
    with pytest.raises(ValueError, match=r"variations have shape"):
        largest_variation_step(torch.ones(shape))


# Expansion


def expansion(latents, labels):
    """Plain loops over pairs."""
    n, scaled, partner = len(labels), [], {}
    for i in range(n):
        others = [j for j in range(n) if labels[j] != labels[i]]
        partner[i] = min(
            others, key=lambda j, i=i: math.dist(latents[0][i].flatten(), latents[0][j].flatten())
        )
    for x in latents:
        pairs = [math.dist(x[i].flatten(), x[j].flatten()) for i in range(n) for j in range(n) if i < j]
        close = [math.dist(x[i].flatten(), x[partner[i]].flatten()) for i in range(n)]
        scaled.append((sum(close) / n) / (sum(pairs) / len(pairs)))
    return max(after / before for before, after in pairwise(scaled))


@pytest.mark.parametrize("seed", range(5))
def test_expansion_is_that_of_loops(seed):
    latents = [draw(9, *shape, seed=seed + i) for i, shape in enumerate([(2, 3, 3), (4, 2, 2), (7,), (3,)])]
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0, 0, 1])
    assert distance_expansion(latents, labels) == pytest.approx(expansion(latents, labels.tolist()), rel=1e-5)


def test_scaling_moving_and_turning_the_space_is_no_deformation():
    x, labels = draw(12, 6), torch.arange(12) % 3
    turn = torch.linalg.qr(draw(6, 6, seed=1)).Q
    assert distance_expansion([x, 100 * x, x @ turn + 5], labels) == pytest.approx(1, rel=1e-4)


def test_two_tight_pairs_that_are_torn_apart_by_hand():
    labels = torch.tensor([0, 1, 0, 1])
    before = torch.tensor([[0.0], [1.0], [10.0], [11.0]])
    after = torch.tensor([[0.0], [10.0], [1.0], [11.0]])
    mean = (1 + 1 + 10 + 10 + 11 + 9) / 6
    assert distance_expansion([before, after], labels) == pytest.approx((10 / mean) / (1 / mean), rel=1e-6)
    back = (1 + 9 + 9 + 1) / (10 + 9 + 9 + 10)
    assert distance_expansion([after, before], labels) == pytest.approx(back, rel=1e-6)


def test_the_largest_growth_counts_wherever_it_is_and_shrinking_does_not():
    labels = torch.tensor([0, 1, 0, 1])
    near, far = torch.tensor([[0.0], [1.0], [10.0], [11.0]]), torch.tensor([[0.0], [10.0], [1.0], [11.0]])
    alone, together = [near, far], [near, near, far, near]
    assert distance_expansion(alone, labels) == distance_expansion(together, labels) == pytest.approx(10)


def test_small_distances_far_from_the_origin_are_not_lost():
    x = torch.tensor([[0.0], [1e-3], [1.0], [1.001]]) + torch.tensor([[100.0]])
    labels = torch.tensor([0, 1, 0, 1])
    assert distance_expansion([x.double(), x], labels) == pytest.approx(1, rel=1e-6)
    assert distance_expansion([x, x.double()], labels) == pytest.approx(1, rel=1e-6)


def test_the_nearest_of_several_close_images_is_found():
    x = torch.cat([1000 + 0.1 * draw(8, 1), -1000 + 0.1 * draw(8, 1, seed=1)])
    torn, labels = draw(16, 1, seed=2), torch.arange(16) % 4
    exact = expansion([x.double(), torn.double()], labels.tolist())
    assert distance_expansion([x, torn], labels) == pytest.approx(exact, rel=1e-3)


def test_low_precision_is_accumulated_and_a_collapsed_depth_is_survived():
    x, labels = draw(8, 50), torch.arange(8) % 2
    low = distance_expansion([x.bfloat16(), (3 * x).bfloat16()], labels)
    assert low == pytest.approx(1, rel=0.02)
    assert distance_expansion([x, torch.ones(8, 4), torch.zeros(8, 2)], labels) == 1
    assert math.isnan(distance_expansion([x, x * math.nan], labels))


def test_expansion_needs_two_depths_and_two_classes():
    x = draw(4, 3)
    with pytest.raises(ValueError, match="1 depths"):
        distance_expansion([x], torch.arange(4))
    with pytest.raises(ValueError, match="one class"):
        distance_expansion([x, x], torch.zeros(4, dtype=torch.int64))


# Margins


def test_margins_by_hand_and_by_sorting():
    logits = torch.tensor([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [-1.0, -1.0, -4.0]])
    assert margins(logits, torch.tensor([0, 1, 1])).tolist() == [1.0, -2.0, 0.0]
    logits, labels = draw(40, 6), torch.arange(40) % 6
    expected = [row[y] - max(v for j, v in enumerate(row) if j != y) for row, y in _rows(logits, labels)]
    assert margins(logits, labels).tolist() == pytest.approx(expected)
    assert torch.equal(margins(logits, labels) < 0, logits.argmax(1) != labels)


def _rows(logits, labels):
    return zip(logits.tolist(), labels.tolist(), strict=True)


@pytest.mark.parametrize("shapes", [((4, 1), (4,)), ((4,), (4,)), ((4, 3), (3,)), ((4, 3), (4, 1))])
def test_margins_of_what_does_not_fit(shapes):
    with pytest.raises(ValueError, match="logits"):
        margins(torch.zeros(shapes[0]), torch.zeros(shapes[1], dtype=torch.int64))


def linear(d=12, classes=2):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(d, classes))


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_input_margins_of_two_linear_classes_are_distances_to_the_boundary(batch_size):
    model, x, labels = linear(), draw(7, 3, 2, 2), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    distances = input_margins(model, x, labels, batch_size)
    normal = (model[1].weight[0] - model[1].weight[1]).detach()
    moved = x.flatten(1) - torch.outer(
        distances * torch.where(labels == 0, 1.0, -1.0), normal / normal.norm()
    )
    logits = model[1](moved)
    torch.testing.assert_close(logits[:, 0], logits[:, 1])
    assert torch.equal(distances < 0, model(x).argmax(1) != labels)


def test_input_margins_do_not_depend_on_the_size_of_logits_but_on_that_of_inputs():
    model, x, labels = linear(classes=4), draw(5, 12), torch.tensor([0, 1, 2, 3, 0])
    distances = input_margins(model, x, labels)
    louder = nn.Sequential(model, Times(1000.0))
    torch.testing.assert_close(input_margins(louder, x, labels), distances)
    torch.testing.assert_close(
        input_margins(nn.Sequential(Times(10.0), model), x / 10, labels), distances / 10
    )


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def test_input_margins_are_the_slope_of_the_margin_image_by_image():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3)
    ).double()
    model[2].running_var.fill_(2.0)
    x, labels = draw(5, 6, dtype=torch.float64), torch.tensor([0, 1, 2, 1, 0])
    distances = input_margins(model.train(), x, labels, batch_size=2)
    model.eval()
    for i in range(5):

        def margin(row, i=i):
            return margins(model(row.unsqueeze(0)), labels[i : i + 1]).item()

        steps = 1e-6 * torch.eye(6, dtype=torch.float64)
        slope = [(margin(x[i] + step) - margin(x[i] - step)) / 2e-6 for step in steps]
        assert distances[i].item() == pytest.approx(margin(x[i]) / math.hypot(*slope), rel=1e-5)


def test_the_network_is_as_before_even_under_no_grad():
    model = with_normalization(build("small_net", seed=0, channels=1), [0.5], [0.25]).train()
    for p in list(model.parameters())[:2]:
        p.requires_grad_(False)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        x = draw(4, 1, 8, 8).sigmoid()
    with torch.no_grad():
        distances = input_margins(model, x, torch.tensor([0, 1, 2, 3]))
    assert distances.shape == (4,) and distances.isfinite().all() and not distances.requires_grad
    assert model.training and all(p.grad is None for p in model.parameters()) and not x.requires_grad
    assert [p.requires_grad for p in model.parameters()][:3] == [False, False, True]
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def test_input_margins_where_nothing_depends_on_the_input():
    model = linear()
    model[1].weight.data.zero_()
    distances = input_margins(model, draw(2, 12), torch.tensor([0, 1]))
    assert distances.isfinite().all() and distances.abs().max() > 1e6 and distances[0] == -distances[1]


@pytest.mark.parametrize("labels", [torch.tensor([0, 1, 0]), torch.tensor([], dtype=torch.int64)])
def test_input_margins_need_a_label_for_each_image(labels):
    with pytest.raises(ValueError, match="labels"):
        input_margins(linear(), draw(2 if len(labels) else 0, 12), labels)
