"""Responses of blocks to factors on a full grid, matching, and the roughness of paths."""

import pytest
import torch

from lggkit.generative import factor_response_matrix, matched_share, path_roughness

FACTORS = torch.cartesian_prod(torch.arange(4), torch.arange(3))
A, B = FACTORS.double().unbind(1)


def test_shares_of_variance_are_sobols():
    own, sum_, product = A[:, None], (A + B)[:, None], ((A - A.mean()) * (B - B.mean()))[:, None]
    found = factor_response_matrix([own, sum_, product, 0 * own], FACTORS)
    a, b = A.var(correction=0), B.var(correction=0)
    expected = torch.stack([torch.tensor([1.0, 0.0]), torch.stack((a, b)) / (a + b), *torch.zeros(2, 2)])
    torch.testing.assert_close(found, expected.double())


def test_a_block_of_several_numbers_sums_their_variances():
    block = torch.stack((3 * A, B), 1)
    found = factor_response_matrix([block], FACTORS)[0]
    assert found.sum().item() == pytest.approx(1) and found[0] > found[1]


def test_matching_is_one_to_one():
    assert matched_share(torch.eye(3)) == 1
    assert matched_share(torch.eye(3)[[2, 0, 1]] * 7) == 1
    assert matched_share(torch.ones(3, 3)) == pytest.approx(1 / 3)
    assert matched_share(torch.tensor([[1.0, 0.0], [1.0, 0.0]])) == pytest.approx(0.5)
    assert matched_share(torch.zeros(2, 2)) == 0


def test_straight_paths_are_smooth_and_zigzags_are_not():
    start, step = torch.rand(3, 4, 4), torch.rand(3, 4, 4)
    line = torch.stack([start + i * step for i in range(6)])
    assert path_roughness(line).item() == pytest.approx(0, abs=1e-5)
    zigzag = torch.stack([start + (i % 2) * step for i in range(100)])
    assert path_roughness(zigzag).item() == pytest.approx(2, abs=0.03)
    assert path_roughness(line[:1].expand(5, 3, 4, 4)) == 0
    both = path_roughness(torch.stack((line, zigzag[:6])))
    assert both.shape == (2,) and both[0] < both[1]


@pytest.mark.parametrize("number", [0.1, 1e9 + 0.1, 1e-300])
@pytest.mark.parametrize("count", [3, 12, 1000])
def test_a_block_that_does_not_vary_has_no_response(number, count):
    block = torch.full((count, 2), number, dtype=torch.float64)
    assert factor_response_matrix([block], torch.arange(count)[:, None] % 3).tolist() == [[0.0]]


def test_responses_and_roughness_are_those_at_any_scale():
    block = torch.stack((3 * A, B * A), 1)
    expected = factor_response_matrix([block], FACTORS)
    torch.testing.assert_close(factor_response_matrix([block * 1e-200], FACTORS), expected)
    torch.testing.assert_close(factor_response_matrix([block * 1e200], FACTORS), expected)
    path = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for scale in (1e-30, 1e-20, 1e20, 3e38):
        torch.testing.assert_close(path_roughness((2 * path - 1) * scale), path_roughness(2 * path - 1))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: factor_response_matrix(A[:, None], FACTORS), "give a list"),
        (lambda: factor_response_matrix([A[:, None], A[:5, None]], FACTORS), r"give \(12, m\)"),
        (lambda: matched_share(-torch.ones(2, 2)), "no finite matrix"),
        (lambda: matched_share(torch.zeros(0, 3)), "no finite matrix"),
        (lambda: path_roughness(torch.rand(2, 3, 4, 4)), "three images or more"),
        (lambda: path_roughness(torch.full((3, 1, 2, 2), torch.nan)), "a path has images with entries"),
        (lambda: path_roughness(torch.full((3, 1, 2, 2), torch.inf)), "a path has images with entries"),
        (lambda: factor_response_matrix([A[:, None] * torch.nan], FACTORS), "a block has codes that are NaN"),
        (lambda: factor_response_matrix([B[:, None] / 0.0], FACTORS), "a block has codes that are NaN"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
