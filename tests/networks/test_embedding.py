"""Networks that end in a normalised embedding."""

import pytest
import torch

from lggkit.latents import latents
from lggkit.networks import Bottleneck, build, with_embedding, with_normalization


def small(d=3):
    return build("small_net", seed=0, classes=d, width=2)


def test_l2_gives_unit_vectors_in_the_network_s_directions():
    inner, images = small().eval(), torch.rand(4, 1, 8, 8)
    ours, plain = with_embedding(inner)(images), inner(images)
    torch.testing.assert_close(ours.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(ours * plain.norm(dim=1, keepdim=True), plain)


@pytest.mark.parametrize("size", [1e-40, 1e-14, 1e20, 1e38])
def test_l2_gives_unit_vectors_of_outputs_of_any_size(size):
    plain = torch.tensor([[3.0, 4.0], [0.0, 0.0], [-1.0, 0.0]])
    ours = with_embedding(torch.nn.Identity())(plain / 4 * size)
    torch.testing.assert_close(ours, torch.tensor([[0.6, 0.8], [0.0, 0.0], [-1.0, 0.0]]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [1e-10, 0.01, 1.0, 37.0, 1e15])
def test_l2_of_ordinary_outputs_is_pytorch_s_to_the_bit(size):
    plain = size * torch.randn(33, 10, generator=torch.Generator().manual_seed(0))
    ours, theirs = (plain.clone().requires_grad_() for _ in range(2))
    made, expected = with_embedding(torch.nn.Identity())(ours), torch.nn.functional.normalize(theirs)
    for one in (made, expected):
        one[:, 0].sum().backward()
    assert torch.equal(made, expected) and torch.equal(ours.grad, theirs.grad)


def test_l2_is_computed_in_float32_under_autocast():
    network = with_embedding(small().eval())
    with torch.autocast("cpu", torch.bfloat16):
        ours = network(torch.rand(4, 1, 8, 8))
    assert ours.dtype is torch.float32
    torch.testing.assert_close(ours.norm(dim=1), torch.ones(4))


def test_batch_norm_gives_every_dimension_mean_0_and_variance_1_and_learns_no_scale():
    inner = small()
    network = with_embedding(inner, "batch_norm", 3).train()
    ours = network(torch.rand(16, 1, 8, 8))
    torch.testing.assert_close(ours.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    variance = ours.var(0, unbiased=False)
    assert ((variance > 0.5) & (variance < 1.001)).all(), "1 but for the epsilon beside small variances"
    assert len(list(network.parameters())) == len(list(inner.parameters()))


def test_no_normalisation_leaves_the_output_alone():
    inner, images = small().eval(), torch.rand(4, 1, 8, 8)
    torch.testing.assert_close(with_embedding(inner, None)(images), inner(images))


def test_depths_are_the_inner_network_s_through_both_wrappers():
    network = with_normalization(with_embedding(small().eval()), [0.5], [0.2])
    images, names = torch.rand(4, 1, 8, 8), ["middle", "penultimate", "output"]
    tapped = latents(network, images, names)
    assert [tuple(tapped[name].shape[:1]) for name in names] == [(4,)] * 3
    assert tapped["penultimate"].shape == (4, 8)
    torch.testing.assert_close(tapped["output"], network(images))
    relu = with_embedding(build("preact_resnet18", width=2, classes=3)).relu_depths
    assert len(relu) == 17 and relu["relu17"] == "inner.relu"


def test_the_normalisation_is_on_the_network_s_device():
    assert with_embedding(small().to("meta"), "batch_norm", 3).batch_norm.running_mean.is_meta


@pytest.mark.parametrize(
    ("normalization", "d", "message"),
    [
        ("l1", None, "normalization is 'l1'; choose None or one of l2, batch_norm"),
        ("batch_norm", None, "d is None, but batch_norm needs the embedding's dimension"),
        ("batch_norm", 0, "d is 0"),
    ],
)
def test_what_cannot_be_is_told(normalization, d, message):
    with pytest.raises(ValueError, match=message):
        with_embedding(small(), normalization, d)


def test_a_bottleneck_starts_from_its_seed_alone():
    inner = build("small_net", seed=0, classes=3, channels=1, width=4)
    state = torch.get_rng_state()
    first, again, other = (Bottleneck(inner, 3, 10, seed).classifier for seed in (0, 0, 1))
    assert torch.equal(first.weight, again.weight) and not torch.equal(first.weight, other.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_bottleneck_classifies_what_its_network_embeds():
    inner = build("small_net", seed=0, classes=3, channels=1, width=4).eval()
    network = Bottleneck(with_embedding(inner), 3, 10, seed=0).eval()
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    tapped = latents(network, images, ["penultimate", "bottleneck", "output"], detach=True)
    assert tapped["bottleneck"].shape == (5, 3) and tapped["output"].shape == (5, 10)
    torch.testing.assert_close(tapped["bottleneck"].norm(dim=1), torch.ones(5))
    torch.testing.assert_close(tapped["output"], network.classifier(tapped["bottleneck"]).detach())
    assert list(network.depths)[-1] == "bottleneck" and list(network.depths)[:-1] == list(inner.depths)
