"""Scores of disentanglement: scikit-learn's information, codes that are factors, codes that are noise."""

import math

import pytest
import torch
from sklearn.metrics import mutual_info_score

from lggkit.generative import binned, dcimig, jemmig, mig, mig_sup, mutual_information_matrix

SIZES = (4, 3, 5)
FACTORS = torch.cartesian_prod(*map(torch.arange, SIZES)).repeat(6, 1)
CODES = FACTORS.double()
SCORES = (mig, mig_sup, dcimig, jemmig)


def noise(m=4, seed=0):
    return torch.randn(len(FACTORS), m, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_information_is_scikit_learns():
    codes = noise()
    found, cut = mutual_information_matrix(codes, FACTORS, 7), binned(codes, 7)
    for f in range(3):
        for m in range(4):
            expected = mutual_info_score(FACTORS[:, f], cut[:, m]) / math.log(2)
            assert found[f, m].item() == pytest.approx(expected, abs=1e-9)


def test_bins_have_equal_widths():
    codes = torch.tensor([[0.0, 5.0], [0.24, 5.0], [0.26, 5.0], [1.0, 5.0]])
    assert binned(codes, 4).tolist() == [[0, 0], [0, 0], [1, 0], [3, 0]]


@pytest.mark.parametrize("score", SCORES)
def test_codes_that_are_factors_have_the_highest_score(score):
    assert score(CODES, FACTORS, 5) == pytest.approx(1)
    assert score(CODES[:, [2, 0, 1]], FACTORS, 5) == pytest.approx(score(CODES, FACTORS, 5))
    assert score(1 - 3 * CODES, FACTORS, 5) == pytest.approx(score(CODES, FACTORS, 5))


def test_jemmig_of_a_one_to_one_code_is_one_where_bins_are_levels():
    four = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    assert jemmig(four.double(), four, 4) == pytest.approx(1)
    assert jemmig(four.double(), four, 4, normalized=False) == pytest.approx(0, abs=1e-9)


def test_readings_of_jemmig_are_one_measurement():
    codes = noise()
    entropies = torch.tensor([math.log2(n) for n in SIZES], dtype=torch.float64)
    one = FACTORS[:, :1]
    raw, share = (jemmig(codes, one, 8, normalized=n) for n in (False, True))
    assert share == pytest.approx(1 - raw / (entropies[0].item() + 3))
    assert jemmig(CODES, FACTORS, 5, False) < jemmig(codes, FACTORS, 5, False)


@pytest.mark.parametrize("score", (mig, mig_sup, dcimig))
def test_noise_has_none(score):
    many = torch.randint(4, (20_000, 3), generator=torch.Generator().manual_seed(0))
    codes = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(1))
    assert score(codes, many, 4) < 0.01


def test_a_factor_with_two_codes_has_no_gap_but_each_code_has():
    twice = torch.cat((CODES, CODES[:, :1]), 1)
    assert mig(twice, FACTORS, 5) == pytest.approx(2 / 3)
    assert mig_sup(twice, FACTORS, 5) == pytest.approx(1)
    assert dcimig(twice, FACTORS, 5) == pytest.approx(1)


def test_a_code_of_two_factors_has_no_gap_of_its_own():
    both = (FACTORS[:, 0] * 4 + FACTORS[:, 0]).double()
    mixed = torch.stack((CODES[:, 1], CODES[:, 1]), 1)
    assert mig_sup(mixed[:, :1] + 0 * both[:, None], FACTORS, 5) == pytest.approx(1)
    pair = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    code = (pair[:, 0] * 3 + pair[:, 1]).double()[:, None]
    assert mig_sup(code, pair, 9) == pytest.approx(0, abs=1e-9)


def test_factors_of_one_value_are_left_out():
    still = torch.cat((FACTORS, torch.zeros(len(FACTORS), 1, dtype=torch.int64)), 1)
    for score in SCORES:
        assert score(noise(), still) == pytest.approx(score(noise(), FACTORS))


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("n", [3, 14, 49, 97])
def test_factors_of_one_value_are_left_out_whatever_the_number_of_samples(score, n):
    source = torch.Generator().manual_seed(n)
    codes, factor = torch.randn(n, 3, generator=source), torch.randint(0, 3, (n, 1), generator=source)
    assert score(codes, torch.cat([factor * 0 + 2, factor], 1)) == pytest.approx(score(codes, factor))


@pytest.mark.parametrize("kind", [torch.uint8, torch.uint16, torch.uint32, torch.int64])
def test_factors_of_any_width_and_size_are_numbers_of_values(kind):
    largest = torch.iinfo(kind).max // 5
    for score in SCORES:
        assert score(noise(), (FACTORS * largest).to(kind)) == pytest.approx(score(noise(), FACTORS))


@pytest.mark.parametrize(
    ("kind", "scale"), [(torch.float32, 3e38), (torch.float64, 1e308), (torch.float64, 1e-300)]
)
def test_bins_are_cut_alike_at_any_scale(kind, scale):
    codes = torch.rand(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    codes[0], codes[1] = -1, 1
    assert torch.equal(binned((codes * scale).to(kind)), binned(codes))


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: mig(CODES[:5], FACTORS), ValueError, "beside 5 codes"),
        (lambda: mig(CODES, CODES), TypeError, "give integers"),
        (lambda: mig(CODES, -FACTORS), ValueError, "from 0 on"),
        (lambda: mig(CODES / 0, FACTORS), ValueError, "give finite numbers"),
        (lambda: mig(CODES[:, :0], FACTORS), ValueError, "give finite numbers"),
        (lambda: binned(CODES, 1), ValueError, "bins must be at least 2"),
        (lambda: mig(CODES, 0 * FACTORS), ValueError, "every factor has one value"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, kind, said):
    with pytest.raises(kind, match=said):
        call()
