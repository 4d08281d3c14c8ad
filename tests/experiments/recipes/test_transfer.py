"""Penalties of fine-tuning against their formulas, on networks of a few weights."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.experiments.recipes.transfer import METHODS, Penalty, Regularised
from lggkit.objectives import omega_i, omega_p, omega_u


@pytest.fixture
def model():
    torch.manual_seed(0)
    inner = nn.ModuleDict({"body": nn.Linear(4, 6), "classifier": nn.Linear(6, 3)})
    return nn.ModuleDict({"model": inner}).double()


@pytest.fixture
def given(model):
    """Latents of the model and of another network, outputs, and a batch."""
    source = torch.Generator().manual_seed(1)
    x, theirs = (torch.randn(10, width, generator=source, dtype=torch.float64) for width in (4, 6))
    ours = model["model"]["body"](x).relu()
    batch = SimpleNamespace(labels=torch.arange(10) % 3)
    return {"a": ours}, model["model"]["classifier"](ours), batch, {"a": theirs.relu()}


def loss_of(penalty, model, given):
    latents, outputs, batch, guide = given
    layers = ("a",) if penalty.method.startswith("omega") else ()
    recipe = Regularised(penalty=penalty, layers=layers)
    return recipe.objective_of(model)(latents, outputs, batch, guide)


def test_none_is_the_cross_entropy(model, given):
    assert torch.equal(loss_of(Penalty(), model, given), F.cross_entropy(given[1], given[2].labels))


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_penalty_is_added_by_its_weight(model, given, method):
    plain = loss_of(Penalty(), model, given)
    one, two = (loss_of(Penalty(method, alpha, head_decay=0.0), model, given) - plain for alpha in (0.1, 0.2))
    torch.testing.assert_close(2 * one, two, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("method", "function"), [("omega_i", omega_i), ("omega_u", omega_u)])
def test_fixed_plans_are_those_of_the_library(model, given, method, function):
    extra = loss_of(Penalty(method, 0.5), model, given) - loss_of(Penalty(), model, given)
    torch.testing.assert_close(extra, 0.5 * function([given[0]["a"]], [given[3]["a"]]))


@pytest.mark.parametrize("at_identity", [False, True])
def test_the_learned_plan_has_the_settings_of_the_penalty(model, given, at_identity):
    own = Penalty("omega_p", 0.5, beta=0.2, iterations=7, inner=3, at_identity=at_identity)
    extra = loss_of(own, model, given) - loss_of(Penalty(), model, given)
    start = [torch.eye(6, dtype=torch.float64) / 6] if at_identity else None
    sides = [given[0]["a"]], [given[3]["a"]]
    expected, _ = omega_p(*sides, beta=0.2, iterations=7, inner=3, start=start)
    torch.testing.assert_close(extra, 0.5 * expected)


def test_l2_sp_holds_on_to_the_weights_that_the_training_begins_with(model, given):
    recipe = Regularised(penalty=Penalty("l2_sp", 0.1, head_decay=0.02))
    objective, body = recipe.objective_of(model), model["model"]["body"]
    head = sum(float(w.detach().square().sum()) for w in model["model"]["classifier"].parameters())
    plain = F.cross_entropy(given[1], given[2].labels)
    assert (objective(*given) - plain).item() == pytest.approx(0.02 * head / 2)
    with torch.no_grad():
        body.bias += 2.0
    assert (objective(*given) - plain).item() == pytest.approx(0.02 * head / 2 + 0.1 * 6 * 4 / 2)


def test_only_penalties_of_neurons_tap(model):
    assert Regularised(penalty=Penalty("l2", 0.1)).taps(model) == ()
    assert Regularised(penalty=Penalty("omega_u", 0.1), layers=("a",)).taps(model) == ("a",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "l1"}, "method is 'l1'; choose one of none, l2"),
        ({"method": "l2"}, "alpha is 0.0 with method 'l2'"),
        ({"alpha": 0.1}, "alpha is 0.1 with method 'none'"),
        ({"method": "l2", "alpha": -1.0}, "alpha is -1.0"),
        ({"method": "l2", "alpha": float("nan")}, "alpha is nan"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Penalty(**options)
