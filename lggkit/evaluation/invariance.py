"""How exactly relative maps keep what they should keep, on random points: violations of identities."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from lggkit.similarity import (
    Statistics,
    intertwiner_residual,
    permutation_diagonal,
    random_rotation,
    relative_map,
    robust_relative_map,
)

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "sigmoid": torch.sigmoid}
SAMPLES, ANCHORS, WIDTH = 400, 60, 24


def invariance_violations(generator: torch.Generator, rounds: int = 5) -> dict[str, float]:
    """The largest changes of both maps, and their mean changes under rotations, in float64.

    Returns:
        ``cosine_invariance_violation``: of the cosine map under rotations and scales.
        ``robust_invariance_violation``: of the robust map under shifts, permutations and diagonal matrices;
            ``robust_without_constant_violation`` is that where nothing is added to a variance.
        ``isometry_deviation_cosine``, ``isometry_deviation_robust``: mean changes under rotations alone.
    """
    changes = [_one_round(generator) for _ in range(rounds)]
    largest = {name: max(one[name] for one in changes) for name in changes[0] if name.endswith("violation")}
    means = {name: sum(one[name] for one in changes) / rounds for name in changes[0] if "deviation" in name}
    return largest | means


def _one_round(generator: torch.Generator) -> dict[str, float]:
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    # Features of different scales and means, as real latents have; variances stay far above the constant.
    scale, shift = draw(WIDTH).tanh().exp(), draw(WIDTH)
    x, anchors = (draw(n, WIDTH) * scale + shift for n in (SAMPLES, ANCHORS))
    rotation = random_rotation(WIDTH, generator, torch.float64)
    diagonal = permutation_diagonal(draw(WIDTH).tanh().exp() * draw(WIDTH).sign(), generator)
    factor, moved = draw(1).exp(), draw(WIDTH)
    plain, robust = relative_map(x, anchors), robust_relative_map(x, anchors)
    turned = relative_map(factor * x @ rotation, factor * anchors @ rotation)
    mapped = [points @ diagonal + moved for points in (x, anchors)]
    bare = [
        robust_relative_map(a, b, Statistics.of(a, epsilon=0.0)) for a, b in ((x, anchors), tuple(mapped))
    ]
    return {
        "cosine_invariance_violation": (turned - plain).abs().max().item(),
        "robust_invariance_violation": (robust_relative_map(*mapped) - robust).abs().max().item(),
        "robust_without_constant_violation": (bare[1] - bare[0]).abs().max().item(),
        "isometry_deviation_cosine": (relative_map(x @ rotation, anchors @ rotation) - plain)
        .abs()
        .mean()
        .item(),
        "isometry_deviation_robust": (
            (robust_relative_map(x @ rotation, anchors @ rotation) - robust).abs().mean().item()
        ),
    }


def intertwiner_residuals(generator: torch.Generator) -> dict[str, float]:
    """The largest residual of members of the groups, the mean one of general matrices, in float64.

    For ReLU members are permutations times positive diagonals, for GELU and the sigmoid permutations.
    """
    x = torch.randn(SAMPLES, WIDTH, generator=generator, dtype=torch.float64)
    members, others = [], []
    for name, activation in ACTIVATIONS.items():
        scales = torch.randn(WIDTH, generator=generator, dtype=torch.float64).exp()
        member = permutation_diagonal(scales if name == "relu" else torch.ones_like(scales), generator)
        other = torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64) / WIDTH**0.5
        members.append(intertwiner_residual(member, activation, x).item())
        others.append(intertwiner_residual(other, activation, x).item())
    return {"intertwiner_residual": max(members), "residual_general": sum(others) / len(others)}
