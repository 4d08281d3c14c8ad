"""Tables of article 1: the grid of pairs as in its own, and what it leaves open, by ε."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures.geometries_of_learning.a01_linear_maps import (
    ATTACK,
    CHOSEN,
    NETWORKS,
    NOISE,
    sizes,
)
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown


def grid_table(shown: Shown, names: Mapping[str, str] = NETWORKS, arm: str = ATTACK) -> pd.DataFrame:
    """As Table 3: mapped AUROC by target and source, a target's own on the diagonal."""
    return tables.metrics_table(
        shown,
        {
            f"to {to}": {
                f"from {name}": (arm, f"native_{t}_{CHOSEN}" if s == t else f"mapped_{s}_{t}_{CHOSEN}")
                for s, name in names.items()
            }
            for t, to in names.items()
        },
    )


def fits_table(shown: Shown, names: Mapping[str, str] = NETWORKS, arm: str = ATTACK) -> pd.DataFrame:
    """As Table 2: mean square error and R² of mapped attacks, and the residue of the maps."""
    columns = {"mean square error": "mse", "R²": "r2", "clean, mapped or own (AUROC)": "residue"}
    return tables.metrics_table(
        shown,
        {
            f"from {names[s]} to {names[t]}": {
                heading: (arm, f"{metric}_{s}_{t}_{CHOSEN}") for heading, metric in columns.items()
            }
            for s in names
            for t in names
            if s != t
        },
    )


def controls_table(shown: Shown) -> pd.DataFrame:
    """What the article leaves open, as AUROC by ε; and the baseline of spectra."""
    rows = {
        "own detector": "native",
        "mapped": "mapped",
        "map fitted to attacked images alone": "alone",
        "map with an intercept": "affine",
        "mapped attacks, the target's own clean images": "clean_target",
        "mapped clean images, the target's own": "residue",
        "detector of random signs, asked for FGSM": "noise_detector",
        "phases, own": "phase_native",
        "phases, mapped": "phase",
        "magnitudes, own": "magnitude_native",
        "magnitudes, mapped": "magnitude",
    }
    return tables.metrics_table(
        shown,
        {
            name: {f"ε = {float(size) / 100:g}": (ATTACK, f"{metric}_{size}") for size in sizes(shown)}
            for name, metric in rows.items()
        },
    )


def noise_table(shown: Shown) -> pd.DataFrame:
    """What FGSM has over random signs of its size, paired by seed, and how both are told apart, by ε."""
    columns = {f"ε = {float(size) / 100:g}": size for size in sizes(shown)}
    gaps = {"FGSM less random signs, own detector": "native", "FGSM less random signs, mapped": "mapped"}
    rows = [
        {"": name}
        | {e: tables.interval_text(shown.paired(ATTACK, NOISE, f"{m}_{s}"), 3) for e, s in columns.items()}
        for name, m in gaps.items()
    ]
    apart = {
        "FGSM or signs, detector of FGSM": "told_apart",
        "FGSM or signs, trained for it": "trained_apart",
    }
    rows += [
        {"": name}
        | {e: tables.interval_text(shown.interval(ATTACK, f"{m}_{s}"), 3) for e, s in columns.items()}
        for name, m in apart.items()
    ]
    return pd.DataFrame(rows)
