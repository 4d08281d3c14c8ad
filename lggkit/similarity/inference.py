"""What a comparison of RDMs is worth: resampled stimuli, BCa intervals, and the ceiling that noise sets."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lggkit.graph._precision import accumulating, integer, number, tensor
from lggkit.similarity.comparison import compare_rdms, ranks
from lggkit.similarity.rdm import mean_rdm, rdm_matrix, rdm_vector, square

Statistic = Callable[[Tensor], Tensor]
"""From places of stimuli, int64 (b, m'), to one value each, (b,)."""
BATCH = 256


@dataclass(frozen=True)
class Resampled:
    """A statistic of all stimuli, its interval, and its values over resamples (b,)."""

    value: float
    low: float
    high: float
    values: np.ndarray


def bootstrap_stimuli(
    statistic: Statistic, stimuli: int, resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Resampled:
    """The BCa interval of a statistic, stimuli drawn with replacement (Efron, 1987; SciPy's).

    A stimulus may be there twice: see `without_copies` for RDMs. Where there is no BCa interval, because the
    statistic does not change or is NaN for some resamples, the interval is that of percentiles of the others.
    No gradient.

    Args:
        statistic: from places (b, m') to values (b,); it is called with m' = m, and m - 1 for the jackknife.
        stimuli: m >= 3.
        resamples: at least 10.
        level: of the interval, in (0, 1).
        seed: of the draws.

    Returns:
        Value, interval and distribution.

    Raises:
        ValueError: too few stimuli or resamples, the level is no share, or the statistic gives another shape.
        TypeError: a count is no int, the level no number, or the statistic gives no floating-point tensor.
    """
    from scipy.stats import bootstrap

    stimuli, resamples = integer(stimuli, "stimuli", 3), integer(resamples, "resamples", 10)
    if not 0 < number(level, "level") < 1:
        raise ValueError(f"level is {level!r}; give a share such as 0.95")

    def of(places: np.ndarray, axis: int = -1) -> np.ndarray:
        drawn = torch.from_numpy(np.array(np.moveaxis(places, axis, -1)))
        return _numbers(statistic, drawn.reshape(-1, drawn.shape[-1])).reshape(drawn.shape[:-1])

    options = {"n_resamples": resamples, "batch": BATCH, "confidence_level": level, "vectorized": True}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a statistic that does not change
        bootstrapped = bootstrap(
            (np.arange(stimuli),), of, method="BCa", rng=np.random.default_rng(seed), **options
        )
    low, high = bootstrapped.confidence_interval
    values = bootstrapped.bootstrap_distribution
    if not np.isfinite([low, high]).all():
        low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Resampled(float(of(np.arange(stimuli)[None])[0]), float(low), float(high), values)


def subsample_stimuli(
    statistic: Statistic, stimuli: int, size: int, resamples: int = 1000, seed: int = 0
) -> np.ndarray:
    """The values of a statistic over ``size`` stimuli drawn without replacement, (resamples,): no copies.

    Raises:
        ValueError: ``size`` is not in 2..m, or the statistic gives another shape.
        TypeError: a count is no int, or the statistic gives no floating-point tensor.
    """
    if integer(size, "size", 2) > integer(stimuli, "stimuli", 2):
        raise ValueError(f"size is {size} of {stimuli} stimuli; give at most as many as there are")
    draws = np.random.default_rng(seed).random((integer(resamples, "resamples"), stimuli))
    places = torch.from_numpy(draws.argsort(1)[:, :size])
    return np.concatenate([_numbers(statistic, part) for part in places.split(BATCH)])


def _numbers(statistic: Statistic, places: Tensor) -> np.ndarray:
    """The values of a statistic at places (b, m'), wherever it computes them: (b,)."""
    values = accumulating(statistic(places), "what the statistic gives").detach().cpu()
    if values.shape != places.shape[:1]:
        raise ValueError(
            f"the statistic gives shape {tuple(values.shape)} for {len(places)} draws; give one value a draw"
        )
    return values.numpy()


def resampled_rdm(rdm: Tensor, places: Tensor) -> Tensor:
    """The RDMs (b, m', m') of chosen stimuli (b, m') of one RDM (m, m); copies are at distance 0.

    Raises:
        ValueError: shapes are others.
        TypeError: the RDM is no tensor or not floating point, or the places are no int64.
    """
    if square("The RDM", rdm).ndim != 2:
        raise ValueError(f"the RDM has shape {tuple(rdm.shape)}; give that of one person, (m, m).")
    places = _places(places).to(rdm.device)
    return rdm[places[:, :, None], places[:, None]]


def without_copies(rdms: Tensor, places: Tensor) -> Tensor:
    """The same with NaN for pairs of a stimulus with its own copy, which are no measurements.

    Raises:
        ValueError, TypeError: as for `resampled_rdm`, and the RDMs are not (b, m', m') of the places.
    """
    places = _places(places)
    if square("The RDMs", rdms).shape != (*places.shape, places.shape[1]):
        raise ValueError(
            f"the RDMs have shape {tuple(rdms.shape)}; give those of places {tuple(places.shape)}."
        )
    copies = (places[:, :, None] == places[:, None]).to(rdms.device)
    return rdms.masked_fill(copies, torch.nan)


def _places(places: Tensor) -> Tensor:
    if tensor(places, "places").dtype != torch.int64:
        raise TypeError(f"places are {places.dtype}; give the numbers of stimuli as int64.")
    if places.ndim != 2:
        raise ValueError(f"places have shape {tuple(places.shape)}; give (b, m'), a row a draw.")
    return places


def compare_resampled(
    first: Tensor, second: Tensor, resamples: int = 1000, method: str = "pearson", seed: int = 0
) -> Resampled:
    """`compare_rdms` of two RDMs (m, m) with its BCa interval over stimuli; copies do not count.

    Raises:
        ValueError, TypeError: as `compare_rdms` and `bootstrap_stimuli`.
    """
    compare_rdms(first, second, method)

    def of(places: Tensor) -> Tensor:
        sides = (without_copies(resampled_rdm(r, places), places) for r in (first, second))
        return compare_rdms(*sides, method)

    return bootstrap_stimuli(of, len(first), resamples, seed=seed)


def noise_ceiling(rdms: Tensor, method: str = "pearson") -> tuple[Tensor, Tensor]:
    """How well any model can do, given how much people differ (Nili et al., 2014), one value a person.

    The lower end compares a person with the mean of the others, the upper end with the mean of all. Before
    a mean each person's pairs are standardised (Pearson), scaled to length 1 (cosine) or ranked (Spearman,
    Kendall). No model exceeds the mean of the upper ends; under Kendall that holds but nearly.

    Args:
        rdms: (s, m, m), s >= 2 people.
        method: see `compare_rdms`.

    Returns:
        Lower and upper ends, (s,) each; their means are the ceiling.

    Raises:
        ValueError: fewer than two people, or see `compare_rdms`.
        TypeError: the RDMs are no tensor or not floating point.
    """
    rdms = square("The RDMs", rdms)
    if rdms.ndim != 3 or len(rdms) < 2:
        raise ValueError(f"the RDMs have shape {tuple(rdms.shape)}; give (s, m, m) of two people or more.")
    pooled = rdm_matrix(_comparable(rdm_vector(rdms), method))
    others = [mean_rdm(torch.cat((pooled[:i], pooled[i + 1 :]))) for i in range(len(pooled))]
    lower = compare_rdms(rdms, torch.stack(others), method)
    return lower, compare_rdms(rdms, mean_rdm(pooled), method)


def _comparable(pairs: Tensor, method: str) -> Tensor:
    """Each person's pairs (s, p) so that their mean is the RDM nearest to all under the method."""
    if method in ("spearman", "kendall"):
        unknown = pairs.isnan()
        return ranks(pairs, ~unknown).masked_fill(unknown, torch.nan)
    if method == "pearson":
        pairs = pairs - pairs.nanmean(-1, keepdim=True)
    return pairs / pairs.square().nanmean(-1, keepdim=True).sqrt()
