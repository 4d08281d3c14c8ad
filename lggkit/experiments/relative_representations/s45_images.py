"""Paper 4, section 4, on images: densification with 1,000 labels, the test of the work that it builds on.

Hofer et al. (2020) train a network of 13 layers on ten splits of CIFAR-10 for 38,750 updates. Here it is
their smaller network, five splits, and a fraction of the updates. A batch has a sub-batch of every class.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.evaluation import error_rate
from lggkit.evaluation.neighbors import latents_at
from lggkit.evaluation.stitching import spread_to_margin
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.experiments.recipes.densified_images import DEPTH, Densified, held_out_deaths
from lggkit.protocol import Protocol
from lggkit.record import Record, Spec
from lggkit.training import Cosine, TrainConfig


@dataclass(frozen=True)
class Settings(Protocol):
    """``per_class`` labels a class, others for each seed; batches of ``sub_batch`` images of each class.

    Raises:
        ValueError: a batch is not as many sub-batches as there are classes, or the last one is kept.
    """

    dataset: str = "cifar10"
    network: str = "simple_cnn"
    width: int = 8
    per_class: int = 100
    sub_batch: int = 16
    weight: float = 0.0
    beta: float = 0.7
    held_out: int = 40
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=6458,
            batch_size=160,
            learning_rate=0.5,
            nesterov=True,
            weight_decay=1e-3,
            schedule=Cosine(),
            drop_last=True,
        )
    )

    def __post_init__(self) -> None:
        size = self.images.classes * self.sub_batch
        if self.training.batch_size != size or not self.training.drop_last:
            raise ValueError(f"batches are of {self.training.batch_size}; give {size}, and drop the last")

    @property
    def images(self) -> Images:
        """What is trained on."""
        return Images(self.dataset, per_class=self.per_class, drawn=True, sub_batch=self.sub_batch)

    @property
    def description(self) -> Network:
        """The trained network."""
        architecture = Architecture(self.network, (("width", self.width),))
        recipe = Densified(weight=self.weight, beta=self.beta, size=self.sub_batch)
        return Network(self.images, architecture, self.training, recipe)


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors, and how the classes lie."""
    for spec, result in trained(specs, context).items():
        start, how = time.monotonic(), how_trained(result)
        sound = result.diverged is None
        metrics, arrays = _of_network(spec, result.model, context) if sound else ({}, {})
        yield context.record(spec, metrics, arrays=arrays, seconds=time.monotonic() - start, **how)


@torch.no_grad()
def _of_network(spec: Spec, model: nn.Module, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    settings, head = spec.protocol, _head(model)
    test, seen = context.data(settings.dataset, train=False), settings.images.training(context, spec.seed)
    latents, labels = latents_at(model, test.images, DEPTH).float(), test.labels.cpu()
    deaths = held_out_deaths(latents, labels, settings.sub_batch, settings.held_out)
    size = (latents - latents.mean(0)).square().sum(1).mean().sqrt()
    fitted = latents_at(model, seen.images, DEPTH).float()
    metrics = {
        "test_error": error_rate(_answers(latents, head), labels),
        "train_error": error_rate(_answers(fitted, head), seen.labels.cpu()),
        "spread_to_margin_ratio": spread_to_margin(latents, labels, *head),
        "death": deaths.mean().item(),
        "relative_death": (deaths.mean() / size).item(),
        "death_distance_to_beta": (deaths - settings.beta).abs().mean().item(),
        "connected": (deaths < settings.beta).all(-1).double().mean().item(),
    }
    return metrics, {"deaths": deaths.flatten().half().numpy()}


def _head(model: nn.Module) -> tuple[Tensor, Tensor]:
    last = [part for part in model.modules() if isinstance(part, nn.Linear)][-1]
    return last.weight.detach().float().cpu(), last.bias.detach().float().cpu()


def _answers(latents: Tensor, head: tuple[Tensor, Tensor]) -> Tensor:
    return (latents @ head[0].T + head[1]).argmax(1)


PAPER = Settings()
REDUCED = replace(PAPER, training=replace(PAPER.training, epochs=90))
SHORT = replace(PAPER, training=replace(PAPER.training, epochs=30))
SMOKE = Settings(
    dataset="digits",
    width=4,
    per_class=20,
    sub_batch=8,
    held_out=5,
    training=replace(PAPER.training, epochs=2, batch_size=80, learning_rate=0.1, augment=False),
)
ARMS = (
    Arm("plain", "plain"),
    Arm("densified", "densified, β = 0.7", {"weight": 0.1}),
    Arm("densified_wide", "densified, β = 1.9", {"weight": 0.1, "beta": 1.9}),
)

EXPERIMENT = Experiment(
    name="relative_representations/s45_images",
    title="Topological densification of few images",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=ARMS,
    seeds={"smoke": 2, "short": 5, "reduced": 5, "paper": 10},
    measure=measure,
    minutes={"smoke": 0.02, "short": 0.5, "reduced": 1.5, "paper": 80},
    together=(tuple(arm.name for arm in ARMS),),
    priority=73,
)
