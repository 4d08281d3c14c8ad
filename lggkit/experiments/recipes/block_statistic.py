"""The smoothed two-sample statistic by itself: its moments, its null, two classes, and where it saturates."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lggkit.data import to_float
from lggkit.graph import crossing_weight, knn_marginals, relabelling_moments, two_sample_test
from lggkit.objectives import graph_divergence

SIZES, NEIGHBORS = ((1, 4), (2, 4), (3, 5), (4, 5)), (1, 2, 3)
DRAWS, POINTS, WIDTH = 200, 40, 10
SHIFTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


def statistic(settings: Any, seed: int, context: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metrics of the statistic, and the null distributions of two pairs of samples of images."""
    source = torch.Generator().manual_seed(seed)
    metrics = {"moments_violation": moments_violation(source), "zero": 0.0, "one": 1.0}
    metrics |= _null(settings, source) | _saturation(settings, source)
    tests = _classes(settings, source, context)
    metrics |= {f"t_{name}": test.statistic for name, test in tests.items()}
    metrics |= {f"p_{name}": test.p_value for name, test in tests.items()}
    return metrics, {f"null_{name}": test.null.numpy().astype(np.float32) for name, test in tests.items()}


def moments_violation(source: torch.Generator) -> float:
    """The largest difference of the closed form from all labellings of up to nine points, in float64."""
    worst = 0.0
    for n0, n1 in SIZES:
        x = torch.randn(n0 + n1, 3, generator=source, dtype=torch.float64)
        for mu in [knn_marginals(x, k, t) for k in NEIGHBORS for t in (0.1, 1.0, None)]:
            values = torch.stack([_relabelled(mu, chosen) for chosen in combinations(range(n0 + n1), n0)])
            closed_form = torch.stack(relabelling_moments(mu, n0))
            all_of_them = torch.stack((values.mean(), values.var(correction=0)))
            worst = max(worst, (closed_form - all_of_them).abs().max().item())
    return worst


def _relabelled(mu: Tensor, chosen: tuple[int, ...]) -> Tensor:
    order = torch.tensor([*chosen, *(i for i in range(len(mu)) if i not in chosen)])
    return crossing_weight(mu[order][:, order], len(chosen))


def _null(settings: Any, source: torch.Generator) -> dict[str, float]:
    """Mean and standard deviation of t of two normal samples of one distribution."""
    x = torch.randn(2, DRAWS, POINTS, WIDTH, generator=source)
    options = {"temperature": settings.loss.temperature}
    t = torch.stack([-graph_divergence(a, b, **options) for a, b in zip(*x, strict=True)])
    return {"null_mean": t.mean().item(), "null_sd": t.std().item()}


def _saturation(settings: Any, source: torch.Generator) -> dict[str, Any]:
    """Loss and length of its gradient as one normal sample moves away from another."""
    x, y = torch.randn(2, POINTS, WIDTH, generator=source)
    curves: dict[str, Any] = {"shifts": list(SHIFTS)}
    for scale in ("none", "median"):
        losses, slopes = [], []
        for shift in SHIFTS:
            moved = (y + shift * torch.eye(WIDTH)[0]).requires_grad_()
            loss = graph_divergence(x, moved, temperature=settings.loss.temperature, scale=scale)
            losses.append(loss.item())
            slopes.append(torch.autograd.grad(loss, moved)[0].norm().item())
        curves |= {f"losses_{scale}": losses, f"slopes_{scale}": slopes}
    return curves


def _classes(settings: Any, source: torch.Generator, context: Any) -> dict[str, Any]:
    """Tests of images of one class with others of it, and of two classes."""
    data = context.data(settings.dataset)
    half = settings.tested
    first = to_float(data.per_class(2 * half, source, settings.compared[:1]).images).flatten(1).cpu()
    other = to_float(data.per_class(half, source, settings.compared[1:]).images).flatten(1).cpu()
    pairs = {"same": first[half:], "different": other}
    options = {"temperature": settings.loss.temperature, "permutations": 499, "generator": source}
    return {name: two_sample_test(first[:half], second, **options) for name, second in pairs.items()}
