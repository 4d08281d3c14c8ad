"""Whether networks that are more like people are more robust: rank correlations over networks (article 6).

Networks of one family are no independent draws. Intervals therefore resample families, not networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

LIKENESS = {"it": "it", "people": "features_ambiguous_category"}
"""What is correlated with robustness, and its metric."""
HARMS = {"pgd": "error_pgd_1", "noise": "error_noise_10"}
"""What the networks are harmed by, and the error under it."""
MEANS = {
    "it": "it",
    "untrained_it": "untrained_it",
    "people": "features_ambiguous_category",
    "untrained_people": "untrained_features_ambiguous_category",
    "people_raw": "features_ambiguous",
    "people_pairs": "features_ambiguous_pairs",
    "error_pgd": "error_pgd_2",
    "error_signs": "error_signs_2",
    "cut_corrected": "cut_corrected",
    "cut_published": "cut_published",
    "cut_null": "cut_null",
}
"""What is averaged over networks, and its metric."""


def rank_correlations(rows: np.ndarray) -> np.ndarray:
    """Spearman's correlations (r, r) of rows (r, n), NaN where one is constant."""
    from scipy.stats import rankdata

    ranks = rankdata(np.round(rows, 10), axis=1)
    centred = ranks - ranks.mean(1, keepdims=True)
    lengths = np.sqrt((centred**2).sum(1))
    lengths[lengths == 0] = np.nan
    return np.clip(centred @ centred.T / np.outer(lengths, lengths), -1, 1)


def partial(xy: float, xz: float, yz: float) -> float:
    """``(r_xy - r_xz r_yz) / √((1 - r_xz²)(1 - r_yz²))``; NaN where z orders a side completely."""
    left = (1 - xz**2) * (1 - yz**2)
    return float(np.clip((xy - xz * yz) / left**0.5, -1, 1)) if left > 1e-9 else float("nan")


def across(
    members: Mapping[str, Mapping[str, Any]], families: Sequence[str], draws: int, seed: int
) -> dict[str, float]:
    """Metrics of the networks of a seed, by name, taken together; ``families`` has the family of each."""
    columns = {name: np.array([m[name] for m in members.values()]) for name in _needed()}
    metrics = {f"{name}_mean": float(columns[metric].mean()) for name, metric in MEANS.items()}
    metrics |= {"zero": 0.0, "worst_error": float(columns["test_error"].max())}
    metrics |= {"networks": float(len(members)), "families": float(len(set(families)))}
    metrics |= _correlations(columns)
    names = np.array(families)
    drawn = [_correlations(columns, places) for places in _resampled(names, draws, seed)]
    for name in (f"{one}_pgd{kind}" for one, kind in product(LIKENESS, ("", "_given_accuracy"))):
        found = [one[name] for one in drawn if name in one]
        ends = np.quantile(found, (0.025, 0.975)) if found else (-1.0, 1.0)
        metrics |= {f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return metrics


def _needed() -> set[str]:
    more = {"test_error", "error_clean"}
    return {*LIKENESS.values(), *HARMS.values(), *MEANS.values(), *more}


def _correlations(columns: Mapping[str, np.ndarray], places: np.ndarray | None = None) -> dict[str, float]:
    """Rank correlations over the networks at ``places``, all by default; what has no value is left out."""
    rows = {name: columns[metric] for name, metric in LIKENESS.items()}
    rows["accuracy"] = -columns["test_error"]
    for harm, error in HARMS.items():
        rows |= {harm: -columns[error], f"{harm}_excess": columns["error_clean"] - columns[error]}
    values = np.stack(list(rows.values()))
    between = rank_correlations(values if places is None else values[:, places])
    place, found = {name: i for i, name in enumerate(rows)}, {}

    def of(one: str, other: str) -> float:
        return float(between[place[one], place[other]])

    for name, harm in product(LIKENESS, HARMS):
        found |= {f"{name}_{end}": of(name, end) for end in (harm, f"{harm}_excess")}
        given = of(name, harm), of(name, "accuracy"), of(harm, "accuracy")
        found[f"{name}_{harm}_given_accuracy"] = partial(*given)
    found |= {f"{name}_accuracy": of(name, "accuracy") for name in LIKENESS}
    found |= {f"accuracy_{harm}": of("accuracy", harm) for harm in HARMS}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _resampled(families: np.ndarray, draws: int, seed: int) -> list[np.ndarray]:
    """Places of networks where families are drawn with replacement, each with all of its networks."""
    source, names = np.random.default_rng(seed), np.unique(families)
    held = {name: np.flatnonzero(families == name) for name in names}
    return [np.concatenate([held[name] for name in source.choice(names, len(names))]) for _ in range(draws)]
