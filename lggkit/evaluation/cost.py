"""What a network costs beside another one (the "relative size" of paper 1, Table 1)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from lggkit.networks import mac_count, parameter_count


def relative_cost(model: nn.Module, reference: nn.Module, input_shape: Sequence[int]) -> dict[str, float]:
    """``parameters`` and ``macs`` of a network, and both in percent of the reference's (``relative_…``).

    Multiply-accumulates are those of the convolutions and linear layers for one input of shape
    (channels, h, w), see `lggkit.networks.mac_count`.

    Raises:
        ValueError: the reference has no parameters, or no layer whose multiply-accumulates count.
    """
    own, full = _cost(model, input_shape), _cost(reference, input_shape)
    for name, count in full.items():
        if not count:
            raise ValueError(f"the reference has no {name}: compare with a network of weighted layers")
    return own | {f"relative_{name}": 100 * own[name] / full[name] for name in own}


def _cost(model: nn.Module, input_shape: Sequence[int]) -> dict[str, int]:
    parameters = parameter_count(model)
    return {"parameters": parameters, "macs": mac_count(model, input_shape) if parameters else 0}
