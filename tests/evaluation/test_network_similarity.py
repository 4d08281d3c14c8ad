import pytest
import torch
from torch import nn

from lggkit.evaluation.network_similarity import batched, compare_networks, pooled
from lggkit.similarity import cka, fit_linear_map, neighbor_overlap, r2_score


def network(seed, width=6):
    torch.manual_seed(seed)
    layers = nn.Conv2d(1, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(width * 36, 4)
    return nn.Sequential(*layers).double().eval()


@pytest.fixture
def inputs():
    return torch.randn(60, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_each_entry_is_what_its_measure_says(inputs):
    first, second = network(0), network(1, 3)
    result = compare_networks(first, second, [inputs], k=5)
    mine, theirs = ([net[0](inputs).detach(), net(inputs).detach()] for net in (first, second))
    assert (result.first, result.second, result.samples) == (("0", "3"), ("0", "3"), 60)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        x, y = pooled(mine[i]), pooled(theirs[j])
        assert result.cka[i, j] == pytest.approx(cka(mine[i], theirs[j]).item(), abs=1e-9)
        assert result.overlap[i, j] == neighbor_overlap(x, y, 5)
        centred = x[::2] - x[::2].mean(0)
        linear = fit_linear_map(x[::2], y[::2], 0.01 * float(centred.square().sum()) / x.shape[1], True)
        assert result.r2[i, j] == pytest.approx(r2_score(linear(x[1::2]), y[1::2]).item(), abs=1e-9)


def test_a_network_is_like_itself_and_chance_is_not(inputs):
    same = network(0)
    result = compare_networks(same, same, batched(inputs, 20), ["3", "input"], ["3", "input"])
    assert torch.allclose(result.cka.diagonal(), torch.ones(2, dtype=torch.float64))
    assert result.overlap[0, 0] == 1
    assert result.overlap_chance[1, 1] < result.overlap[1, 1] < 1, "a mean over pixels has a sign alone: ties"
    assert result.r2[0, 0] > 0.97
    assert result.cka_chance.abs().max() < 0.1 and result.r2_chance.max() < 0.1
    assert result.overlap_chance[0, 0] == pytest.approx(10 / 59, abs=0.03)


def test_only_the_first_samples_are_ranked(inputs):
    pair = network(0), network(1)
    ranked = compare_networks(*pair, batched(inputs, 20), k=5, ranked=30)
    assert torch.equal(ranked.overlap, compare_networks(*pair, [inputs[:30]], k=5).overlap)
    assert ranked.samples == 60


def test_a_depth_that_does_not_vary_explains_nothing(inputs):
    constant = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).double()
    nn.init.zeros_(constant[1].weight)
    result = compare_networks(constant, network(0), [inputs])
    assert not result.cka.any()
    assert result.r2.abs().max() < 0.2
    assert not compare_networks(network(0), constant, [inputs]).r2.any()


def test_too_few_samples_are_said(inputs):
    with pytest.raises(ValueError, match="there are 20 samples for 10 neighbours; give at least 24"):
        compare_networks(network(0), network(1), [inputs[:20]])


@pytest.mark.parametrize(("n", "sizes"), [(40, [20, 20]), (43, [20, 23]), (44, [20, 20, 4]), (7, [7])])
def test_the_last_batch_is_not_too_small(n, sizes):
    assert [len(part) for part in batched(torch.zeros(n, 2), 20)] == sizes


def test_tokens_and_maps_are_averaged_over_places():
    maps = torch.arange(24.0).view(1, 2, 3, 4)
    assert torch.equal(pooled(maps), maps.mean((2, 3)))
    assert torch.equal(pooled(maps[0]), maps[0].mean(1)) and pooled(maps[0, 0]) is not None
