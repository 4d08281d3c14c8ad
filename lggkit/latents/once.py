"""The latents of one input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lggkit.latents.taps import Taps


def latents(model: nn.Module, x: Tensor, names: Sequence[str], detach: bool = False) -> dict[str, Tensor]:
    """The named latents of ``model(x)`` (paper 1, definition 1).

    A compiled model runs uncompiled here, and so does any model when this is called in a compiled function; a
    step that is to be compiled whole uses ``Taps`` around it.

    Args:
        model: any module.
        x: its input, (n, ...).
        names: depths, see ``resolve_depths``.
        detach: cut the latents off the autograd graph.

    Returns:
        Name -> tensor (n, ...), in the order of the names.

    Raises:
        TypeError, ValueError, RuntimeError: see ``Taps``.
    """
    run = torch.compiler.disable(_run) if torch.compiler.is_compiling() else _run
    return run(Taps(model, names, detach), x)


def _run(taps: Taps, x: Tensor) -> dict[str, Tensor]:
    with taps:
        taps.model(x)
    return taps.latents
