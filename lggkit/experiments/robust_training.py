"""How a network is trained to be robust, as settings that a record can hold (paper 1, section 4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from lggkit.evaluation.attacks import fgsm
from lggkit.evaluation.gradients import unwarned
from lggkit.objectives import parseval_step, variation_smoothness
from lggkit.training import Batch, Objective


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

    def taps(self, model: nn.Module) -> list[str]:
        """The depths that the objective needs."""
        return list(model.relu_depths) if self.regularizer else []

    def after_step(self) -> Callable[[nn.Module], None] | None:
        """What follows every update."""
        return partial(parseval_step, beta=self.parseval) if self.parseval else None

    def objective(self, model: nn.Module, classes: int) -> Objective | None:
        """The loss for `lggkit.training.train` on this very model; None for plain cross-entropy."""
        if self.adversarial_snr is not None:
            return self._adversarial(model, classes)
        return self._regularized(classes) if self.regularizer else None

    def _regularized(self, classes: int) -> Objective:
        def objective(latents: Mapping[str, Tensor], logits: Tensor, labels: Tensor) -> Tensor:
            return F.cross_entropy(logits, labels) + self._penalty(latents, labels, classes)

        return objective

    def _adversarial(self, model: nn.Module, classes: int) -> Objective:
        def objective(latents: Mapping[str, Tensor], logits: Tensor, labels: Tensor, batch: Batch) -> Tensor:
            # An image without a gradient is trained on as it is; a warning a step would tell nobody more.
            with unwarned():
                moved = fgsm(model, batch.images, labels, self.adversarial_snr)
            attacked = model(moved).float()
            mean = (F.cross_entropy(logits, labels) + F.cross_entropy(attacked, labels)) / 2
            return mean + self._penalty(latents, labels, classes)

        return objective

    def _penalty(self, latents: Mapping[str, Tensor], labels: Tensor, classes: int) -> Tensor | float:
        if not self.regularizer:
            return 0.0
        options = dict(zip(("power", "reduction", "k", "normalized_laplacian"), self.graph, strict=True))
        return self.regularizer * variation_smoothness(latents, labels, classes=classes, **options)
