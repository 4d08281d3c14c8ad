import torch

from lggkit.networks.autoencoders import dense


def test_a_seed_decides_the_weights_and_leaves_the_global_state_alone():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    one, same, other = (dense((6, 4, 3), seed) for seed in (5, 5, 6))
    assert torch.equal(torch.rand(2), expected)
    x = torch.rand(2, 6)
    assert one(x).shape == (2, 3) and torch.equal(one(x), same(x)) and not torch.equal(one(x), other(x))
