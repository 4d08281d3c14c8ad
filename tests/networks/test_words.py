"""Padding has no influence; order has none on a mean, and some on attention with positions."""

import pytest
import torch

from lggkit.data import TokenSet, invented, word_vocabulary
from lggkit.latents import default_depths, latents
from lggkit.networks import WordNetwork
from lggkit.training import TrainConfig, train

IDS = torch.tensor([[3, 5, 2, 0], [4, 1, 0, 0]])
MIXINGS = ("mean", "attention")


def network(mixing="mean", **settings):
    return WordNetwork(9, 3, **{"width": 8, "mixing": mixing, "length": 7, "seed": 0, **settings})


@pytest.mark.parametrize("mixing", MIXINGS)
def test_padding_has_no_influence(mixing):
    longer = torch.nn.functional.pad(IDS, (0, 3))
    assert torch.allclose(network(mixing)(IDS), network(mixing)(longer), atol=1e-6)
    model = network(mixing)
    with torch.no_grad():
        model.embedding.weight[0] = 5.0
    assert torch.allclose(model(IDS), network(mixing)(IDS), atol=1e-6)


def test_order_matters_with_positions_only():
    turned = IDS.clone()
    turned[0, :3] = IDS[0, [2, 0, 1]]
    (mean, other), (attended, moved) = ([network(m)(x)[0] for x in (IDS, turned)] for m in MIXINGS)
    assert torch.allclose(mean, other, atol=1e-6) and (attended - moved).abs().max() > 1e-4


@pytest.mark.parametrize("mixing", MIXINGS)
def test_depths_are_read_by_name(mixing):
    model = network(mixing)
    assert default_depths(model) == ["words", "text", "penultimate"]
    seen = latents(model, IDS, ["words", "text", "penultimate", "output"])
    assert [tuple(x.shape) for x in seen.values()] == [(2, 4, 8), (2, 8), (2, 8), (2, 3)]
    known = (IDS != 0).unsqueeze(-1)
    mean = (seen["words"] * known).sum(1) / known.sum(1)
    assert torch.allclose(seen["text"], mean, atol=1e-6)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_no_word_at_all_is_still_a_number(mixing):
    assert network(mixing)(torch.zeros(2, 4, dtype=torch.int64)).isfinite().all()


def test_seeds_say_all_of_the_weights():
    state = torch.get_rng_state()
    first, second, other = network(), network(), network(seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.embedding.weight, second.embedding.weight)
    assert not torch.equal(first.classifier.weight, other.classifier.weight)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="mixing is 'sum'; choose one of mean, attention"):
        network("sum")
    with pytest.raises(ValueError, match="width is 6; give a multiple of the 4 heads"):
        network("attention", width=6)
    with pytest.raises(ValueError, match=r"ids have shape \(1, 8\); give \(n, t\), t at most 7"):
        network("attention")(torch.ones(1, 8, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"ids have shape \(4,\); give \(n, t\)"):
        network()(torch.ones(4, dtype=torch.int64))


@pytest.mark.parametrize("mixing", MIXINGS)
def test_a_training_on_generated_text_learns(mixing):
    text = invented(400)
    words = word_vocabulary(text.texts["left"], 300, 12)
    data = TokenSet(words(text.texts["left"]), text.labels, len(words), text.classes)
    model = WordNetwork(len(words), 5, 16, mixing, 12, seed=0)
    plan = TrainConfig(10, 50, "adam", 1e-2, weight_decay=0.0, compile=False)
    curve = train(model, data, plan).curves["train_loss"]
    assert curve[-1] < 0.6 * curve[0]
