"""The optimizer of a training and its learning rate, a number or a tensor that a CUDA graph reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lggkit.training.config import TrainConfig


class Updates:
    """An optimizer whose rate is set before every step, and which may begin anew.

    ``parameters`` are those that are trained.
    """

    def __init__(self, config: TrainConfig, parameters: Sequence[nn.Parameter]) -> None:
        self.config, self.parameters = config, list(parameters)
        self.cell: Tensor | None = None
        self.optimizer = self._new()

    def set_rate(self, rate: float) -> None:
        """The rate of the coming step."""
        if self.cell is None:
            self._give(rate)
        else:
            self.cell.fill_(rate)

    def read_rate_from(self, cell: Tensor | None) -> None:
        """Have the optimizer read its rate from a tensor (None: from a number), its state unchanged."""
        state = self.state()
        self.cell = cell
        self.optimizer = self._new()
        self.load(state)

    def restart(self) -> None:
        """Forget what was gathered; in place where a graph reads it."""
        if self.cell is None:
            self.optimizer = self._new()
            return
        for state in self.optimizer.state.values():
            for value in filter(torch.is_tensor, state.values()):
                value.zero_()

    def state(self) -> dict[int, Any]:
        """What was gathered, by parameter."""
        return self.optimizer.state_dict()["state"]

    def load(self, state: dict[int, Any]) -> None:
        """Continue from a `state`."""
        fresh = self.optimizer.state_dict()
        merged = {**fresh["state"], **state}
        self.optimizer.load_state_dict({"state": merged, "param_groups": fresh["param_groups"]})
        if self.cell is not None:
            self._give(self.cell)

    def _new(self) -> torch.optim.Optimizer:
        rate = self.config.learning_rate if self.cell is None else self.cell
        return self.config.optimizer_for(self.parameters, rate)

    def _give(self, rate: float | Tensor) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
