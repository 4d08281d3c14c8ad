"""L2-SP: weights stay near where fine-tuning started."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from lggkit.graph._precision import tensor
from lggkit.objectives.l2 import l2


def l2_sp(parameters: Mapping[str, Tensor], start: Mapping[str, Tensor], *, fresh: float = 0.0) -> Tensor:
    """``½ Σ_{w ∈ start} (w - w⁰)² + fresh · ½ Σ_{w ∉ start} w²``.

    The last layer of a fine-tuned network is new, so it has no starting point: leave it out of ``start``,
    even if its shape is that of the old one. Its authors decay it with a weight of its own.

    Args:
        parameters: name -> weight, floating point, such as ``dict(model.named_parameters())``.
        start: name -> weight of the pre-trained network, copied (``w.detach().clone()``) before the first
            step, or both are the same weights and the penalty is 0 for ever; no gradient reaches it.
        fresh: the weight of L2 on parameters that ``start`` does not name, >= 0.

    Returns:
        The penalty >= 0, a scalar in at least float32.

    Raises:
        ValueError: ``start`` is empty, names what is no parameter, holds one of another shape or one that
            shares the memory of the parameter (``state_dict()``, ``w.data``), or ``fresh`` is negative.
        TypeError: one is no tensor or not floating point.

    Source: Li, Grandvalet, Davoine, "Explicit inductive bias for transfer learning with convolutional
    networks" (2018); paper 3, section 4.2.
    """
    _check(parameters, start, fresh)
    near = l2(parameters[name] - old.detach() for name, old in start.items())
    new = [w for name, w in parameters.items() if name not in start]
    return near + fresh * l2(new) if new and fresh else near


def _check(parameters: Mapping[str, Tensor], start: Mapping[str, Tensor], fresh: float) -> None:
    if not start or start.keys() - parameters.keys():
        extra = sorted(start.keys() - parameters.keys())
        raise ValueError(
            f"start has {len(start)} weights, {extra} are none of the model's; give its own names"
        )
    for name, old in start.items():
        new = tensor(parameters[name], name)
        if new.shape != tensor(old, name).shape:
            raise ValueError(
                f"{name} is {tuple(new.shape)} and started as {tuple(old.shape)}; leave it out of start"
            )
        if _shared(new, old):
            raise ValueError(
                f"{name} is its own start; copy the weights before training, by .detach().clone()"
            )
    if not fresh >= 0:
        raise ValueError(f"fresh is {fresh!r}; give a weight from 0 on")


def _shared(new: Tensor, old: Tensor) -> bool:
    """Whether both are the same memory, so that a step moves both; looked for in plain tensors alone.

    In compiled code, under vmap and in types of others only the very same tensor is seen.
    """
    wrapped, plain = torch._C._functorch.is_functorch_wrapped_tensor, (Tensor, torch.nn.Parameter)
    if torch.compiler.is_compiling() or any(type(x) not in plain or wrapped(x) for x in (new, old)):
        return new is old
    return new.device == old.device and new.data_ptr() == old.data_ptr() != 0
