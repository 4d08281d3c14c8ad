"""The autoencoder of blocks: shapes, independence of blocks, its size as in the article."""

import pytest
import torch

from lggkit.generative import BlockAutoencoder
from lggkit.generative.patches import PatchConv, PatchDeconv
from lggkit.networks import parameter_count

MODEL = BlockAutoencoder(16, (5, 4, 2), 12, hidden=(8, 6))
X = torch.rand(3, 3, 16, 16)


def test_shapes_go_round():
    z = MODEL.encode(X)
    assert z.shape == (3, 12) and MODEL(X).shape == X.shape
    assert [tuple(b.shape) for b in MODEL.bottleneck(z)] == [(3, 5), (3, 4), (3, 2)]
    assert [tuple(b.shape) for b in MODEL.split(z)] == [(3, 4)] * 3
    made = MODEL.sample(2, torch.Generator().manual_seed(0))
    assert made.shape == (2, 3, 16, 16) and made.min() >= 0 and made.max() <= 1


def test_products_of_patches_are_convolutions():
    x = torch.rand(2, 3, 8, 12)
    for layer in (PatchConv(3, 5, 4, 4), PatchDeconv(3, 5, 2, 2)):
        torch.testing.assert_close(layer(x), type(layer).__base__.forward(layer, x))


def test_a_block_moves_nothing_but_its_own_attribute():
    z = torch.randn(4, 12)
    moved = z.clone()
    moved[:, 4:8] += 1
    before, after = MODEL.attributes(z), MODEL.attributes(moved)
    assert torch.equal(before[:, :4], after[:, :4]) and torch.equal(before[:, 8:], after[:, 8:])
    assert not torch.equal(before[:, 4:8], after[:, 4:8])


def test_attributes_are_those_of_plain_layers():
    """Each block by itself, with the weights of its own widths."""
    z = torch.randn(4, 12)
    for j, n in enumerate((5, 4, 2)):
        x = z[:, 4 * j : 4 * j + 4]
        for stage in (MODEL.attribute_encoder, MODEL.attribute_decoder):
            for layer in stage:
                x = (
                    x @ layer.weight[j][: x.shape[1]] + layer.bias[j]
                    if hasattr(layer, "weight")
                    else layer(x)
                )
            x = x[:, :n] if stage is MODEL.attribute_encoder else x
        torch.testing.assert_close(MODEL.attributes(z)[:, 4 * j : 4 * j + 4], x)


def test_what_lies_beyond_a_narrow_bottleneck_stays_zero():
    model = BlockAutoencoder(8, (4, 1), 6, hidden=(5,))
    adam = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(3):
        adam.zero_grad()
        model(torch.rand(2, 3, 8, 8)).square().sum().backward()
        adam.step()
    last, first = model.attribute_encoder[-1], model.attribute_decoder[0]
    assert (last.weight[1, :, 1:] == 0).all() and (first.weight[1, 1:] == 0).all()
    assert (last.weight[1, :, :1] != 0).any() and (first.weight[1, :1] != 0).any()


def test_the_articles_network_has_its_size():
    model = BlockAutoencoder(64, (15, 8, 10, 10, 2), 105)
    padded = sum(15 - n for n in (15, 8, 10, 10, 2)) * (32 + 1 + 32)
    assert (parameter_count(model) - padded) / 1e6 == pytest.approx(0.69, abs=0.02)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: BlockAutoencoder(16, (5, 4), 13), "width is 13, which 2 blocks do not divide"),
        (lambda: BlockAutoencoder(16, (5,), 12), "two bottlenecks or more"),
        (lambda: BlockAutoencoder(28, (5, 4), 12), "size is 28, no multiple of 8"),
        (lambda: MODEL.encode(torch.rand(2, 3, 8, 8)), r"give \(n, 3, 16, 16\)"),
        (lambda: MODEL.encode(torch.rand(2, 1, 16, 16)), r"give \(n, 3, 16, 16\)"),
        (lambda: BlockAutoencoder(16, (5, 4), 12, hidden=()), "hidden is empty"),
        (lambda: MODEL.generate(torch.rand(2, 13)), r"give \(n, 12\)"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
