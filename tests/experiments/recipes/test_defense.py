"""What each defence adds to the loss, against its formula written out."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from lggkit.data import DataSet
from lggkit.evaluation import fgsm
from lggkit.experiments.networks import Recipe
from lggkit.experiments.recipes.defense import Defended, Defense
from lggkit.graph import label_variation, latent_geometry_graph
from lggkit.latents import Taps
from lggkit.networks import build, with_normalization
from lggkit.training import TrainConfig, train


@pytest.fixture
def model():
    inner = build("preact_resnet18", seed=0, classes=4, width=2, channels=1)
    return with_normalization(inner, [0.4], [0.3])


@pytest.fixture
def batch():
    source = torch.Generator().manual_seed(1)
    images = torch.rand(12, 1, 8, 8, generator=source)
    return images, torch.arange(12) % 4


def run(defense, model, images, labels):
    """The objective's value and the latents it was given."""
    recipe, batch = Defended(defense=defense), SimpleNamespace(images=images, labels=labels)
    if not recipe.taps(model):
        return recipe.objective(model, {}, model(images), batch, {}), {}
    with Taps(model, recipe.taps(model)) as taps:
        logits = model(images)
        latents = dict(taps.latents)
        return recipe.objective(model, latents, logits, batch, {}), latents


def steps(latents, labels, power=2, k=None, normalized=False):
    """|σ_{l+1} - σ_l| of consecutive depths, by the graphs themselves."""
    graphs = [latent_geometry_graph(x.flatten(1).double(), k=k, normalized=False) for x in latents.values()]
    values = torch.stack([label_variation(a, labels, power, normalized) for a in graphs])
    return values.diff().abs()


def test_without_a_defense_it_is_plain_training(model, batch):
    plain, (images, labels) = Defended(), batch
    assert plain.taps(model) == () and plain.after_step() is None
    loss, _ = run(Defense(), model.eval(), images, labels)
    batch = SimpleNamespace(labels=labels)
    assert torch.equal(loss, Recipe().objective(model, {}, model(images), batch, {}))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, lambda x, y: steps(x, y).mean()),
        ({"reduction": "sum"}, lambda x, y: steps(x, y).sum()),
        ({"power": 1}, lambda x, y: steps(x, y, power=1).mean()),
        ({"power": 3}, lambda x, y: steps(x, y, power=3).mean()),
        ({"k": 3}, lambda x, y: steps(x, y, k=3).mean()),
        ({"normalized_laplacian": True}, lambda x, y: steps(x, y, normalized=True).mean()),
    ],
)
def test_the_regulariser_is_equation_8_over_all_17_maps(model, batch, options, expected):
    images, labels = batch
    model.eval()
    loss, latents = run(Defense(regularizer=0.01, **options), model, images, labels)
    assert len(latents) == 17
    penalty = 0.01 * expected(latents, labels)
    assert penalty > 1e-3
    assert loss.item() == pytest.approx((F.cross_entropy(model(images), labels) + penalty).item(), rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.01])
def test_adversarial_training_is_the_mean_of_clean_and_attacked(model, batch, weight):
    images, labels = batch
    model.eval()
    loss, latents = run(Defense(regularizer=weight, adversarial_snr=20.0), model, images, labels)
    attacked = fgsm(model, images, labels, 20.0)
    assert not torch.equal(attacked, images)
    both = F.cross_entropy(model(images), labels), F.cross_entropy(model(attacked), labels)
    penalty = weight * steps(latents, labels).mean() if weight else 0.0
    assert loss.item() == pytest.approx((sum(both) / 2 + penalty).item(), rel=1e-3)


def test_the_parseval_step_follows_every_update(batch):
    images, labels = batch
    inner = build("preact_resnet18", seed=0, classes=4, width=2, channels=1, parseval=True)
    model = with_normalization(inner, [0.4], [0.3])
    one = torch.ones(1)
    data = DataSet((images * 255).byte(), labels, tuple("abcd"), one, one, "digits", "train")
    defense = Defense(parseval=0.1)
    config = TrainConfig(epochs=80, batch_size=12, learning_rate=1e-6, weight_decay=0.0, augment=False)
    train(model, data, config, after_step=Defended(defense=defense).after_step())
    for weight in (p.detach().flatten(1) for p in model.parameters() if p.dim() > 1):
        assert torch.linalg.svdvals(weight) == pytest.approx(torch.ones(min(weight.shape)), abs=0.02)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"regularizer": -1.0}, "regularizer is -1.0"),
        ({"parseval": -0.1}, "parseval is -0.1"),
        ({"power": 1}, "weight is 0"),
        ({"k": 5, "parseval": 0.01}, "weight is 0"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(options, word):
    with pytest.raises(ValueError, match=word):
        Defense(**options)
