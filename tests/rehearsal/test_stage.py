"""The rehearsal itself: it finds faults, and its gradients are those of autograd."""

from __future__ import annotations

import pytest
import torch

from lggkit import networks, objectives

CUDA = torch.device("cuda")
FAULTS = {
    "a number": lambda x: x * x.sum().item(),
    "a truth": lambda x: x if (x > 0).all() else -x,
    "a mask": lambda x: x[x > 0],
    "a mask that is written to": lambda x: x.index_put((x > 0,), x.flatten()),
    "places": lambda x: (x > 0).nonzero(),
    "distinct values": lambda x: x.unique(),
    "a copy to the host": lambda x: x.cpu(),
    "a copy from the host": lambda x: x + torch.ones(4).to(x),
    "places of the host": lambda x: x[torch.arange(2)],
    "a decomposition": lambda x: torch.linalg.eigvalsh(x @ x.mT),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_waits_are_found(fault, stage, waits):
    with stage():
        x = torch.ones(4, 4, device=CUDA)
        with pytest.raises(waits):
            FAULTS[fault](x)
    with stage("read", "send") as watch:
        FAULTS[fault](torch.ones(4, 4, device=CUDA))
        assert watch.seen


def test_mixed_devices_are_found(stage):
    with stage("read", "send"):
        x = torch.ones(4, 4, device=CUDA)
        for mixed in (
            lambda: x + torch.ones(4),
            lambda: x @ torch.ones(4, 4),
            lambda: torch.cat((x, x.cpu())),
        ):
            with pytest.raises(RuntimeError, match="same device"):
                mixed()
        with pytest.raises(AssertionError, match="generator"):
            torch.rand(4, device=CUDA, generator=torch.Generator())


def test_gradients_are_those_of_autograd(walk):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model, images = networks.build("small_net", seed=0, channels=3, width=4), torch.rand(6, 3, 8, 8)
    outputs = model(images)
    loss = objectives.rkd_angle([outputs], [images]) + objectives.gkd([outputs], [images], k=2)
    loss = loss + outputs.logsumexp(1).mean()
    expected = torch.autograd.grad(loss, [*model.parameters()], retain_graph=True)
    gradients = walk([loss], [torch.ones_like(loss)])
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(gradients[parameter], gradient)
