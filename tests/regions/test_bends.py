"""Networks that bend where nobody looks are refused; those of known parts, and empty containers, are not."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lggkit.networks import digit_mlp, resnet18, small_net
from lggkit.regions import (
    Cells,
    Plane,
    activation_patterns,
    bisection_crossings,
    enumerate_cells,
    local_affine_maps,
    planar_partition,
    segment_crossings,
    square,
)

BENDS = {
    "clamp": lambda h: h.clamp(min=0),
    "clamp_min": lambda h: h.clamp_min(0),
    "clip": lambda h: torch.clip(h, 0, 6),
    "maximum": lambda h: torch.maximum(h, torch.zeros_like(h)),
    "threshold": lambda h: F.threshold(h, 0.0, 0.0),
    "where": lambda h: torch.where(h > 0, h, 0.1 * h),
    "product": lambda h: h * (h > 0),
    "square": lambda h: h * h,
    "norm": lambda h: h / h.norm(dim=1, keepdim=True),
    "glu": F.glu,
    "erf": torch.erf,
    "rms_norm": lambda h: F.rms_norm(h, (h.shape[1],)),
    "amax": lambda h: h.amax(1, keepdim=True),
    "logsumexp": lambda h: h.logsumexp(1, keepdim=True),
    "sort": lambda h: h.sort(dim=1).values,
}


class Bent(nn.Module):
    """Two layers, the first behind a ReLU: the bend is before it, behind it, or beside a residual."""

    def __init__(self, bend, place):
        super().__init__()
        self.first, self.second, self.bend, self.place = nn.Linear(2, 6), nn.Linear(6, 6), bend, place

    def forward(self, x):
        h = self.first(x)
        if self.place == "before":
            return self.bend(h).relu()
        h = self.second(h.relu())
        return self.bend(h) if self.place == "behind" else h[:, :1] + 0.1 * self.bend(h)[:, :1]


@pytest.mark.parametrize("place", ["before", "behind", "beside"])
@pytest.mark.parametrize("bend", BENDS)
def test_what_bends_and_is_no_relu_is_refused(bend, place):
    torch.manual_seed(3)
    network, said = Bent(BENDS[bend], place), "with the bits of its ReLUs held, the .* it is off by .* parts"
    x = torch.randn(5, 2)
    for use in (
        lambda: Cells(network, (2,)),
        lambda: activation_patterns(network, x),
        lambda: local_affine_maps(network, x),
    ):
        with pytest.raises(TypeError, match=said):
            use()


def test_a_network_that_draws_at_random_is_not_its_own():
    network = Bent(lambda h: h + torch.rand_like(h), "behind")
    with pytest.raises(TypeError, match="the output is not"):
        Cells(network, (2,))


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_networks_of_known_parts_pass_whatever_their_size(mlp, dtype, size):
    network = mlp(3, 40, 40, 40, 40, 2).to(dtype)
    with torch.no_grad():
        network[-1].weight.mul_(size), network[-1].bias.mul_(size), network[0].bias.mul_(size)
    Cells(network, (3,))
    local_affine_maps(network, torch.randn(4, 3, dtype=dtype))


@pytest.mark.parametrize("make", [digit_mlp, small_net, resnet18])
def test_networks_of_the_package_pass(make):
    network = make(width=4, channels=1)
    state = torch.get_rng_state()
    patterns = activation_patterns(network, torch.zeros(1, 1, 8, 8))
    assert Cells(network, (1, 8, 8)).patterns(torch.zeros(1, 1, 8, 8)).shape == patterns.shape
    assert torch.equal(torch.get_rng_state(), state)


def test_empty_containers_are_the_identity():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.shortcut, self.more = nn.Linear(2, 2), nn.Sequential(), nn.ModuleList()

        def forward(self, x):
            return self.linear(x).relu() + self.shortcut(x)

    assert len(planar_partition(Cells(Block(), (2,)), square(100.0))) == 4
    assert activation_patterns(nn.Sequential(nn.Sequential(), nn.ReLU()), torch.ones(1, 2)).all()


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_has_no_place(mlp, bad):
    network, x, one = mlp(2, 5, 2), torch.tensor([0.5, bad]), torch.ones(2)
    cells, plane = Cells(network, (2,)), Plane(torch.zeros(2), one, x)
    calls = {
        "1 of 2 entries of x are NaN or infinite; give": [
            lambda: cells.at(x),
            lambda: cells.patterns(x[None]),
            lambda: activation_patterns(network, x[None]),
            lambda: local_affine_maps(network, x[None]),
            lambda: enumerate_cells(cells, x),
        ],
        "of an end are": [
            lambda: segment_crossings(cells, one, x),
            lambda: segment_crossings(cells, x, one),
            lambda: bisection_crossings(cells, one, x),
        ],
        "of corners are": [lambda: planar_partition(cells, square(bad))],
        "of the plane's second are": [lambda: planar_partition(cells, square(1.0), plane)],
    }
    for said, uses in calls.items():
        for use in uses:
            with pytest.raises(ValueError, match=said):
                use()
