"""The two losses of article 10: known answers and what they must not depend on."""

import math

import numpy as np
import pytest
import torch

from lggkit.graph import two_sample_statistic
from lggkit.objectives import block_cosines, graph_divergence, orthonormality


def test_orthogonal_blocks_have_loss_zero_and_equal_ones_the_most():
    z = torch.eye(4)[:3].flatten()[None].repeat(2, 1)
    assert orthonormality(z, 3) == 0
    same = torch.rand(5, 1, 4).expand(5, 3, 4).flatten(1)
    assert orthonormality(same, 3).item() == pytest.approx(math.sqrt(6), rel=1e-5)
    assert orthonormality(same, 3, "spectral").item() == pytest.approx(2, rel=1e-5)


def test_lengths_and_signs_of_blocks_do_not_matter():
    z = torch.randn(6, 12, dtype=torch.float64)
    factors = torch.tensor([2.0, -0.5, 7.0], dtype=torch.float64).repeat_interleave(4)
    for norm in ("fro", "spectral"):
        torch.testing.assert_close(orthonormality(z * factors, 3, norm), orthonormality(z, 3, norm))


@pytest.mark.parametrize("size", [1e-40, 1e-13, 1.0, 1e20, 1e37])
def test_codes_of_any_size_have_the_loss_of_their_directions(size):
    z = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
    expected = orthonormality(z.double(), np.int64(3)).float()
    torch.testing.assert_close(orthonormality(z * size, 3), expected, atol=0, rtol=1e-3)


def test_each_code_has_its_loss():
    z = torch.randn(6, 12)
    each = orthonormality(z, 3, reduction="none")
    torch.testing.assert_close(each.mean(), orthonormality(z, 3))
    torch.testing.assert_close(each[2], orthonormality(z[2:3], 3))


def test_cosines_are_those_of_a_double_loop():
    z = torch.randn(2, 12, dtype=torch.float64)
    found = block_cosines(z, 3)
    blocks = z.view(2, 3, 4)
    for i in range(3):
        for j in range(3):
            expected = torch.cosine_similarity(blocks[:, i], blocks[:, j]) if i != j else torch.zeros(2)
            torch.testing.assert_close(found[:, i, j], expected.double())


def test_a_block_of_zeros_has_finite_gradients():
    z = torch.cat((torch.zeros(3, 4), torch.randn(3, 8)), 1).requires_grad_()
    orthonormality(z, 3).backward()
    assert z.grad.isfinite().all()


def test_divergence_is_the_negative_statistic_of_flat_samples():
    x, y = torch.rand(6, 3, 4, 4), torch.rand(5, 3, 4, 4)
    torch.testing.assert_close(graph_divergence(x, y), -two_sample_statistic(x.flatten(1), y.flatten(1)))
    assert graph_divergence(x, y + 2) > graph_divergence(x, y)


def test_descending_the_divergence_brings_samples_together():
    source = torch.Generator().manual_seed(0)
    x = torch.randn(30, 2, generator=source)
    y = (torch.randn(30, 2, generator=source) + 3).requires_grad_()
    first, adam = graph_divergence(x, y, temperature=0.5).item(), torch.optim.Adam([y], lr=0.1)
    for _ in range(60):
        adam.zero_grad()
        graph_divergence(x, y, temperature=0.5).backward()
        adam.step()
    assert graph_divergence(x, y, temperature=0.5).item() < first / 2


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda z: orthonormality(z, 5), ValueError, "5 blocks do not divide"),
        (lambda z: orthonormality(z, 1), ValueError, "blocks must be at least 2, got 1"),
        (lambda z: orthonormality(z, 2.0), TypeError, "blocks must be an int, got 2.0"),
        (lambda z: orthonormality(z, 3, "l1"), ValueError, "norm must be one of"),
        (lambda z: orthonormality(z, 3, reduction="sum"), ValueError, "reduction must be one of"),
        (lambda z: graph_divergence(z[:1], z[:2]), ValueError, "there are 3 vertices"),
        (lambda z: graph_divergence(z, z, temperature=None), ValueError, "no gradient"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, kind, said):
    with pytest.raises(kind, match=said):
        call(torch.randn(4, 12))


def test_autocast_does_not_round_the_cosines_of_blocks():
    z = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
    expected = orthonormality(z, 3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(orthonormality(z, 3), expected)
