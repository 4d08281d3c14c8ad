"""How a network is trained to be robust, as settings that a record can hold (paper 1, section 4.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.evaluation.fast_gradient import crafted
from lggkit.experiments.networks import ByDepth, Network, Observer, Recipe
from lggkit.objectives import parseval_step, spectral_norms, variation_smoothness
from lggkit.training import Batch


@dataclass(frozen=True)
class Defense:
    """What is done for robustness while training; by default nothing.

    ``regularizer`` is the weight γ of eq. 8 over the network's ReLU maps, with ``power`` m of the Laplacian,
    ``reduction`` over pairs of depths, ``k`` neighbours and ``normalized_laplacian``, all as in
    `lggkit.objectives.variation_smoothness`. ``parseval`` is the β of the Parseval step after every update,
    0 for none; with it the network's branches and convolutions are those of Parseval networks.
    ``adversarial_snr`` adds FGSM examples at that signal-to-noise ratio in dB (before the normalisation):
    the mean of the cross-entropies of the clean and of the attacked batch (Goodfellow et al., 2015).

    Raises:
        ValueError: a weight is negative, or an option of the regulariser is set without it.
    """

    regularizer: float = 0.0
    power: int = 2
    reduction: str = "mean"
    k: int | None = None
    normalized_laplacian: bool = False
    parseval: float = 0.0
    adversarial_snr: float | None = None

    def __post_init__(self) -> None:
        for name in ("regularizer", "parseval"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; give 0 for none, or a positive number")
        plain = Defense.power, Defense.reduction, Defense.k, Defense.normalized_laplacian
        if not self.regularizer and self.graph != plain:
            raise ValueError("an option of the regulariser is set, but its weight is 0; set regularizer")

    @property
    def graph(self) -> tuple[int, str, int | None, bool]:
        """The regulariser's options, in the order of the fields."""
        return self.power, self.reduction, self.k, self.normalized_laplacian

    def penalty(self, latents: ByDepth, labels: Tensor, classes: int) -> Tensor | float:
        """γ times eq. 8 on the latents of a batch, 0 without the regulariser."""
        if not self.regularizer:
            return 0.0
        options = dict(zip(("power", "reduction", "k", "normalized_laplacian"), self.graph, strict=True))
        return self.regularizer * variation_smoothness(latents, labels, classes=classes, **options)


@dataclass(frozen=True)
class Defended(Recipe):
    """Cross-entropy under a `Defense`."""

    defense: Defense = field(default_factory=Defense)

    @property
    def lockstep(self) -> tuple[float, bool]:
        """What follows a step, and whether there are taps."""
        return self.defense.parseval, bool(self.defense.regularizer)

    def taps(self, model: nn.Module) -> tuple[str, ...]:
        """The network's ReLU maps, if the regulariser needs them."""
        return tuple(model.relu_depths) if self.defense.regularizer else ()

    def objective(
        self, model: nn.Module, latents: ByDepth, outputs: Tensor, batch: Batch, guide: ByDepth
    ) -> Tensor:
        """The cross-entropy (its mean with that of attacked images) and the regulariser, a scalar."""
        loss = F.cross_entropy(outputs, batch.labels)
        if self.defense.adversarial_snr is not None:
            # An image without a gradient is trained on as it is.
            attacked = crafted(model, batch.images, batch.labels, self.defense.adversarial_snr)
            loss = (loss + F.cross_entropy(model(attacked).float(), batch.labels)) / 2
        return loss + self.defense.penalty(latents, batch.labels, outputs.shape[1])

    def after_step(self) -> Callable[[nn.Module], None] | None:
        """The Parseval step."""
        beta = self.defense.parseval
        return partial(parseval_step, beta=beta) if beta else None


def norms_after(epochs: tuple[int, ...]) -> Observer:
    """Looks after these epochs at the largest and the mean spectral norm of a network's layers."""
    return Observer("spectral norms", _norms, epochs)


def _norms(network: Network, model: nn.Module) -> dict[str, float]:
    values = [float(value) for value in spectral_norms(model).values()]
    return {"spectral_norm_largest": max(values), "spectral_norm_mean": sum(values) / len(values)}
