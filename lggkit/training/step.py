"""The training step, apart from the loop: forward with taps, objective, backward, update."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.latents import Taps
from lggkit.networks.outputs import logits_of
from lggkit.training.stream import Batch

Latents = dict[str, Tensor]
Objective = Callable[..., Tensor]
Loss = Callable[[Latents, Tensor, Batch], Tensor]
Forward = Callable[[Tensor], tuple[Latents, Tensor]]


def cross_entropy(label_smoothing: float = 0.0, classes: int = 0) -> Objective:
    """The default objective: mean cross-entropy of the logits (n, c) with labels (n,).

    It raises ``ValueError`` where c is less than the ``classes`` that the labels need.
    """

    def objective(latents: Latents, logits: Tensor, labels: Tensor) -> Tensor:
        if logits.shape[1] < classes:
            seen = f"labels run to {classes - 1}, but the model tells {logits.shape[1]} classes apart"
            raise ValueError(f"{seen}; build it with classes={classes}")
        return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)

    return objective


def with_batch(objective: Objective) -> Loss:
    """The objective as a function of (latents, logits, `Batch`), whose result is checked.

    An objective that has a parameter called ``batch`` is given the batch as well as its labels. The result
    raises ``TypeError`` when the objective gives no tensor, or one that is not a scalar.
    """
    function = objective.forward if isinstance(objective, nn.Module) else objective
    asks = "batch" in inspect.signature(function).parameters

    def loss(latents: Latents, logits: Tensor, batch: Batch) -> Tensor:
        extra = {"batch": batch} if asks else {}
        return _scalar(objective(latents, logits, batch.labels, **extra))

    return loss


def objective_for(
    model: nn.Module, objective: Objective | None, device: torch.device, taken: Sequence[Objective | None]
) -> Objective | None:
    """An objective as a model is trained with it: a module is moved to the device.

    One with buffers, which steps may change, is copied if it is among those ``taken`` for other models.

    Raises:
        ValueError: a module has parameters to train that are not the model's, and no optimizer is given them.
    """
    if not isinstance(objective, nn.Module):
        return objective
    own = {id(parameter) for parameter in model.parameters()}
    if any(p.requires_grad and id(p) not in own for p in objective.parameters()):
        raise ValueError("the objective has parameters, which nothing trains; put them into the model")
    if any(objective is other for other in taken) and list(objective.buffers()):
        objective = deepcopy(objective)
    return objective.to(device)


def tapped(model: nn.Module, taps: Taps | None) -> Forward:
    """``inputs -> (latents by name, logits)``; the taps, if any, must be on while it is used."""

    def forward(inputs: Tensor) -> tuple[Latents, Tensor]:
        logits = logits_of(model(inputs))
        return ({}, logits) if taps is None else (dict(taps.latents), logits)

    return forward


def training_step(
    forward: Forward,
    loss_of: Loss,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    autocast: torch.autocast,
) -> tuple[Tensor, Tensor]:
    """One update on a batch; the loss before it (a detached scalar) and the logits (n, c), both float32.

    Nothing here waits for the device, so that a CUDA graph can capture it.

    Raises:
        TypeError, ValueError: see `loss_on`.
    """
    loss, logits = loss_on(forward, loss_of, batch, autocast)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach().float(), logits.detach()


def loss_on(forward: Forward, loss_of: Loss, batch: Batch, autocast: torch.autocast) -> tuple[Tensor, Tensor]:
    """The loss of a batch and its logits (n, c), float32.

    The objective is computed outside autocast: logits arrive in float32, latents as they are.

    Raises:
        TypeError: the model gives no logits, see `lggkit.networks.outputs.logits_of`.
        ValueError: they are not (n, c) for n samples.
    """
    with autocast:
        latents, logits = forward(batch.inputs)
    if logits.dim() != 2 or len(logits) != len(batch.inputs):
        seen = f"logits {tuple(logits.shape)} for {len(batch.inputs)} samples"
        raise ValueError(f"the model gave {seen}; return (n, classes), a row a sample")
    logits = logits.float()
    return loss_of(latents, logits, batch), logits


def _scalar(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor) or loss.dim():
        seen = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise TypeError(f"the objective gave {seen}; return a scalar tensor (a sum or a mean)")
    return loss


def tensors_of(model: nn.Module, objective: Any) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of a model and, if it is a module, of its objective."""
    for whose, module in (("model", model), ("objective", objective)):
        if isinstance(module, nn.Module):
            for name, value in chain(module.named_parameters(), module.named_buffers()):
                yield f"{whose}.{name}", value


def places_of(model: nn.Module, objective: Any) -> dict[str, int]:
    """Where in memory they lie, by name."""
    return {name: value.data_ptr() for name, value in tensors_of(model, objective)}
