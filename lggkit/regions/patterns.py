"""Activation patterns of ReLU networks, and how far apart they are (ebook article 3, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lggkit.graph._precision import tensor
from lggkit.regions._bends import check_bends
from lggkit.regions._runs import Runner, finite

BLOCK = 1024


def activation_patterns(network: nn.Module, x: Tensor, batch: int = BLOCK) -> Tensor:
    """``s_i(x) = 1`` where the input of ReLU unit i is above 0, stacked over the layers in order of calls.

    Any network of linear layers, convolutions, batch normalisation (as in evaluation), pooling and ReLUs,
    sequential or not, with modules or functions. Max-pooling bends too, but adds no bits. It waits for a GPU,
    to look for entries that are not finite; bends outside ReLUs are looked for on the CPU alone.

    Args:
        network: left as it is; it is run in evaluation mode, in the type of ``x``.
        x: inputs, floating point (n, ...).
        batch: how many inputs go through at once.

    Returns:
        Patterns, bool (n, h), on the device of ``x``.

    Raises:
        TypeError: the network has a part that is not piecewise linear, by name, or bends elsewhere than in
            its ReLUs; or ``x`` is no float tensor.
        ValueError: the network has no ReLU, or ``x`` holds no input or an entry that is not finite.

    Source: Liu, Caglar, Peterson, Kirby (2023), section 2; a unit at exactly 0 has bit 0.
    """
    x = finite(x, "x")
    if x.ndim < 2 or not len(x):
        raise ValueError(f"x has shape {tuple(x.shape)}; give at least one input, (n, ...)")
    runner, patterns = Runner(network, x.dtype), []
    check_bends(runner, x)
    with torch.no_grad():
        for part in x.split(batch):
            inputs, _ = runner.seen(part)
            if not inputs:
                raise ValueError("the network calls no ReLU, so that it has one piece; look at its modules")
            patterns.append(torch.cat([z > 0 for z in inputs], dim=1))
    return torch.cat(patterns)


def hamming(s: Tensor, t: Tensor | None = None) -> Tensor:
    """``‖s_i - t_j‖₁`` of all pairs of patterns, as one product of matrices of ±1.

    It is a lower bound of how many facets any path between the two pieces crosses.

    Args:
        s, t: patterns, bool (n, h) and (k, h); without ``t`` those of ``s`` among themselves.

    Returns:
        Numbers of differing bits, int32 (n, k).

    Raises:
        TypeError: a side is no tensor of bool.
        ValueError: a side is no matrix, the widths differ, or they are 2²⁴ and more, beyond which float32
            counts no longer.
    """
    t = s if t is None else t
    for name, side in (("s", s), ("t", t)):
        if tensor(side, name).dtype != torch.bool or side.ndim != 2:
            raise TypeError(f"{name} is {side.dtype} {tuple(side.shape)}; give patterns, bool (n, h)")
    bits = s.shape[1]
    if bits != t.shape[1] or bits >= 2**24:
        raise ValueError(f"patterns have {bits} and {t.shape[1]} bits; give those of one network, below 2^24")
    signs = t.float().mul_(2).sub_(1).T
    distances = torch.empty(len(s), len(t), dtype=torch.int32, device=s.device)
    for start in range(0, len(s), BLOCK):
        rows = s[start : start + BLOCK].float().mul_(2).sub_(1)
        distances[start : start + BLOCK] = rows.mm(signs).sub_(bits).mul_(-0.5)
    return distances
