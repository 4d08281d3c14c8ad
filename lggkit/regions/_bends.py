"""Whether a network bends in its ReLUs alone: with their bits held it must be affine."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lggkit.graph._precision import may_look
from lggkit.regions._runs import Pooled, Runner

POINTS = 2
STEPS = (1.0, 1e5)
"""How far from each random point the network is looked at: near, and beyond where it could bend."""
SHARE = {torch.float64: 1e-6, torch.float32: 1e-3}
"""The gap that counts as rounding, as a share of the size of the values, by their type."""
KNOWN = "Linear, convolutions, BatchNorm in evaluation mode, average pooling and ReLU"


def check_bends(runner: Runner, x: Tensor) -> None:
    """`check_held` for inputs like those of ``x`` (n, ...), on the CPU; max-pooling is not looked at."""
    if not may_look(x):
        return
    try:
        check_held(runner, x.shape[1:], x)
    except Pooled:
        return


def check_held(runner: Runner, shape: Sequence[int], like: Tensor) -> None:
    """Refuse a network that bends elsewhere than in the ReLUs that `Watch` sees.

    At random points x and displacements d, with the bits of x held, all inputs of ReLUs and the output must
    be those of the network itself, and meet ``f(x + d) + f(x - d) = 2 f(x)``. The global random state is left
    as it is.

    Args:
        runner: of the network, without max-pooling.
        shape: of one input.
        like: a tensor of the type and on the device of the inputs.

    Raises:
        TypeError: it does not; the message says where, and by how much.
    """
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(1 + len(STEPS), POINTS, *shape, generator=generator, dtype=torch.float64)
    x, *moves = drawn.to(like).unbind()
    shifts = [sign * step * d for step, d in zip(STEPS, moves, strict=True) for sign in (1, -1)]
    with torch.no_grad():
        own = _values(*runner.seen(x))
        masks = [(z > 0).repeat(1 + len(shifts), 1) for z in own[:-1]]
        held = _values(*runner.masked(torch.cat([x, *(x + shift for shift in shifts)]), masks))
    for place, (value, other) in enumerate(zip(own, held, strict=True)):
        where = "the output" if place == len(own) - 1 else f"the input of ReLU call {place + 1}"
        here, *sides = other.view(-1, *value.shape)
        _close(where, "is not the network's own", here - value, (here, value))
        for ahead, behind in zip(sides[::2], sides[1::2], strict=True):
            _close(where, "is not affine", ahead + behind - 2 * here, (ahead, behind, here))


def _values(inputs: list[Tensor], outputs: object) -> list[Tensor]:
    """Inputs of all ReLU calls and the output last, which has no entries where it is no tensor."""
    known = isinstance(outputs, Tensor)
    return [*inputs, outputs.flatten(1) if known else torch.zeros(len(inputs[0]) if inputs else 0, 0)]


def _close(where: str, what: str, gap: Tensor, values: Sequence[Tensor]) -> None:
    if not gap.numel():
        return
    off, size = gap.abs().max().item(), max(value.abs().max().item() for value in values)
    if not off <= SHARE.get(gap.dtype, SHARE[torch.float32]) * size:
        raise TypeError(
            f"with the bits of its ReLUs held, {where} {what}: it is off by {off:.3g}, its size being "
            f"{size:.3g}; make the network of parts that this module knows ({KNOWN})"
        )
