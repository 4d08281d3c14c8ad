"""How a network is kept near another while it is trained, as settings that a record can hold (paper 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.data import DataSet
from lggkit.evaluation.neuron_plans import layer_points, plan_between
from lggkit.experiments.networks import ByDepth, Context, Network, Objective, Observer, Recipe
from lggkit.objectives import l2, l2_sp, omega_i, omega_p, omega_u
from lggkit.training import Batch

OF_WEIGHTS = ("l2", "l2_sp")
OF_NEURONS = ("omega_i", "omega_p", "omega_u")
METHODS = ("none", *OF_WEIGHTS, *OF_NEURONS)


@dataclass(frozen=True)
class Penalty:
    """What is added to the cross-entropy: ``alpha`` times the penalty named by ``method``.

    ``l2`` and ``l2_sp`` are of the weights; ``head_decay`` is the L2 weight of parts that L2-SP has no start
    for. ``omega_i``, ``omega_u`` and ``omega_p`` are of neurons, beside those of the guide. ``beta``,
    ``iterations`` and ``inner`` are the options of `lggkit.transport.ipot`; ``at_identity`` begins every
    plan at the neurons' old roles.

    Raises:
        ValueError: there is no such method, or alpha is negative or does not fit it.
    """

    method: str = "none"
    alpha: float = 0.0
    head_decay: float = 0.01
    beta: float = 0.1
    iterations: int = 10
    inner: int = 10
    at_identity: bool = False

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"method is {self.method!r}; choose one of {', '.join(METHODS)}")
        if not self.alpha >= 0 or (self.alpha > 0) == (self.method == "none"):
            raise ValueError(
                f"alpha is {self.alpha} with method {self.method!r}; give a penalty a weight above 0, none 0"
            )

    def of_neurons(self, trained: Sequence[Tensor], reference: Sequence[Tensor]) -> Tensor:
        """The penalty of a batch, latents (n, d, ...) layer by layer, not yet weighted."""
        if self.method == "omega_p":
            solver = {"beta": self.beta, "iterations": self.iterations, "inner": self.inner}
            start = [_identity(latent) for latent in trained] if self.at_identity else None
            return omega_p(trained, reference, start=start, **solver)[0]
        return {"omega_i": omega_i, "omega_u": omega_u}[self.method](trained, reference)

    def of_weights(self, weights: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> Tensor:
        """The penalty of parameters by name, not yet weighted."""
        if self.method == "l2":
            return l2(weights.values())
        return l2_sp(weights, start, fresh=self.head_decay / self.alpha)


@dataclass(frozen=True)
class Regularised(Recipe):
    """Cross-entropy under a `Penalty`, one of neurons at ``layers``; ``head`` is the path of what is new."""

    penalty: Penalty = field(default_factory=Penalty)
    layers: tuple[str, ...] = ()
    head: str = "model.classifier"

    @property
    def lockstep(self) -> tuple[str, ...]:
        """The layers: networks without taps are trained apart from those with."""
        return self.layers

    def taps(self, model: nn.Module) -> tuple[str, ...]:
        """The layers."""
        return self.layers

    def objective_of(self, model: nn.Module) -> Objective:
        """The objective, with the weights that L2-SP holds on to."""
        anchored = self.penalty.method == "l2_sp"
        weights = {n: w for n, w in model.named_parameters() if anchored and not n.startswith(self.head)}
        return partial(self.objective, model, start={n: w.detach().clone() for n, w in weights.items()})

    def objective(
        self,
        model: nn.Module,
        latents: ByDepth,
        outputs: Tensor,
        batch: Batch,
        guide: ByDepth,
        start: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        """The cross-entropy and the weighted penalty, a scalar."""
        loss, own = F.cross_entropy(outputs, batch.labels), self.penalty
        if own.method in OF_NEURONS:
            ours, theirs = ([one[name] for name in self.layers] for one in (latents, guide))
            return loss + own.alpha * own.of_neurons(ours, theirs)
        if own.method in OF_WEIGHTS:
            return loss + own.alpha * own.of_weights(dict(model.named_parameters()), start or {})
        return loss


def _identity(latent: Tensor) -> Tensor:
    width = latent.shape[1]
    return torch.eye(width, device=latent.device) / width


def _trace(ours: Tensor, theirs: Tensor) -> float:
    """The trace of the plan between neurons, 0 where activations overflow."""
    return plan_between(ours, theirs).trace().item() if ours.isfinite().all() else 0.0


def traces_after(epochs: tuple[int, ...], seen: DataSet, depths: Sequence[str], context: Context) -> Observer:
    """Looks after these epochs at the trace of the plan between a network and its start, by depth.

    Activations are of the images of ``seen``. A network without a start has no trace.
    """

    def look(network: Network, model: nn.Module) -> dict[str, float]:
        if network.start is None:
            return {}
        old = context.network(network.start, network.start_seed)
        ours, theirs = (layer_points(one, seen.images, depths) for one in (model, old))
        return {f"trace_{depth}": _trace(ours[depth], theirs[depth]) for depth in depths}

    name = f"traces at {', '.join(depths)} on {len(seen)} images of {seen.name}, {len(seen.classes)} classes"
    return Observer(name, look, epochs)
