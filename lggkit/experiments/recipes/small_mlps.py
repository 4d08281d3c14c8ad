"""Small ReLU networks on formulas, many seeds at once, and on images until they fit; for article 3.

The house's descriptions train image classifiers for fixed epochs. Here a regression on a formula is stopped
by its validation loss, for ten seeds in one batched product, and a classifier by its training accuracy.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.evaluation.maps import accuracy


def mlp(widths: tuple[int, ...], seed: int) -> nn.Sequential:
    """Linear layers of these widths with ReLUs between, as torch draws them from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        layers = [nn.Linear(a, b) for a, b in pairwise(widths)]
    bent = [part for layer in layers for part in (layer, nn.ReLU())]
    return nn.Sequential(*bent[:-1])


def he(network: nn.Sequential, seed: int) -> nn.Sequential:
    """The network with weights drawn anew: normal, of variance 2 over the number of inputs."""
    source = torch.Generator().manual_seed(seed)
    for layer in network[::2]:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=source)
    return network


def fit_formula(
    widths: tuple[int, ...],
    seeds: tuple[int, ...],
    x: Tensor,
    y: Tensor,
    epochs: int,
    batch: int,
    rate: float,
) -> tuple[list[nn.Sequential], list[float]]:
    """Networks of all seeds on samples (n, m) and targets (n,): Adam on the mean square, rate falling to 0.

    A fifth of the samples, the last ones, validates: each seed keeps the weights of its best epoch. Weights
    start as `he` draws them: as torch draws them, most narrow deep networks stay constant.

    Returns:
        The networks and their mean squares on the validation samples.
    """
    networks = [he(mlp(widths, seed), seed) for seed in seeds]
    stacked = stacked_weights(networks)
    adam = torch.optim.Adam(stacked, lr=rate)
    fitted, steps = len(x) * 4 // 5, -(-(len(x) * 4 // 5) // batch)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * steps)
    best, best_weights = torch.full((len(seeds),), torch.inf), [w.detach().clone() for w in stacked]
    order = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for part in torch.randperm(fitted, generator=order).split(batch):
            adam.zero_grad()
            (outputs(stacked, x[part])[..., 0] - y[part]).square().mean(1).sum().backward()
            adam.step()
            falling.step()
        with torch.no_grad():
            loss = (outputs(stacked, x[fitted:])[..., 0] - y[fitted:]).square().mean(1)
        better = loss < best
        best = torch.where(better, loss, best)
        for old, new in zip(best_weights, stacked, strict=True):
            old[better] = new.detach()[better]
    for place, network in enumerate(networks):
        take_weights(network, best_weights, place)
    return networks, best.tolist()


def stacked_weights(networks: list[nn.Sequential]) -> list[Tensor]:
    """Weights and biases of networks of one shape, (count, ...) each, to be trained together."""
    groups = zip(*[network.parameters() for network in networks], strict=True)
    return [torch.stack(group).detach().requires_grad_() for group in groups]


def outputs(stacked: list[Tensor], x: Tensor) -> Tensor:
    """What stacked networks give at inputs (n, m), (count, n, outputs)."""
    hidden = x.expand(len(stacked[0]), *x.shape)
    for place in range(0, len(stacked), 2):
        hidden = torch.baddbmm(stacked[place + 1][:, None], hidden, stacked[place].mT)
        hidden = hidden if place + 2 == len(stacked) else hidden.relu()
    return hidden


@torch.no_grad()
def take_weights(network: nn.Sequential, stacked: list[Tensor], place: int) -> nn.Sequential:
    """The network with the weights of one of those that are stacked."""
    for parameter, values in zip(network.parameters(), stacked, strict=True):
        parameter.copy_(values[place])
    return network


def fit_images(
    widths: tuple[int, ...], seed: int, x: Tensor, labels: Tensor, epochs: int, enough: float
) -> tuple[nn.Sequential, float]:
    """A classifier of inputs (n, m), by Adam at 1e-3 in batches of 64, until ``enough`` percent are right.

    Returns:
        The network and its accuracy on the training inputs, in percent; ``epochs`` is the most.
    """
    network, order = mlp(widths, seed), torch.Generator().manual_seed(seed)
    adam, share = torch.optim.Adam(network.parameters(), lr=1e-3), 0.0
    for _ in range(epochs):
        for part in torch.randperm(len(x), generator=order).split(64):
            adam.zero_grad()
            F.cross_entropy(network(x[part]), labels[part]).backward()
            adam.step()
        share = accuracy_of(network, x, labels)
        if share >= enough:
            break
    return network.requires_grad_(False), share


@torch.no_grad()
def accuracy_of(network: nn.Module, x: Tensor, labels: Tensor) -> float:
    """The percentage of inputs that a classifier gets right."""
    return accuracy(network(x), labels)
