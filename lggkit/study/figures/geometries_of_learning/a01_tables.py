"""Tables of article 1: the grid of pairs as in its own, and what it leaves open, by ε."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures import said
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

FEW = {"strong_few": "strong ensemble", "fgsm_few": "FGSM", "signs_few": "random signs"}
"""Arms of 2,000 images by the first part of their names."""


def few(data: str) -> dict[str, str]:
    """The arms of 2,000 images of digits or CIFAR-10, and what they are called."""
    return {f"{arm}-{data}": name for arm, name in FEW.items()}


def strong_table(shown: Shown, data: str = "digits") -> pd.DataFrame:
    """AUROC of the strong ensemble, FGSM and random signs by ε, and how often networks are still right."""
    columns = {}
    for epsilon in shown.arm(f"strong_few-{data}")[0].settings["epsilons"]:
        size, at = f"{100 * epsilon:g}", f"ε = {epsilon:g}"
        columns |= {
            f"networks right, {at} (%)": f"still_right_{size}",
            f"own, {at}": f"native_{size}",
            f"mapped, {at}": f"mapped_{size}",
        }
    return tables.arms_table(shown, few(data), columns)


def strong_said(shown: Shown, data: str = "digits") -> list[str]:
    """What the strong ensemble has over FGSM and over random signs, own and mapped."""
    strong, fgsm, signs = few(data)
    right = [shown.interval(arm, f"still_right_{CHOSEN}").mean for arm in (strong, fgsm)]
    own, mapped = (
        " and ".join(
            said.apart_text(shown.paired(strong, other, f"{metric}_{CHOSEN}"), f"for {name}", said.HEIGHT, 3)
            for other, name in ((fgsm, "FGSM"), (signs, "random signs"))
        )
        for metric in ("native", "mapped")
    )
    over_fgsm = shown.paired(strong, fgsm, f"native_{CHOSEN}")
    lead = "about as hard to see as FGSM"
    if over_fgsm.above(0) or over_fgsm.below(0):
        lead = f"{'easier' if over_fgsm.mean > 0 else 'harder'} to see than FGSM"
    return [
        f"**The stronger attack is {lead}.** At ε = {CHOSEN / 100:g} it leaves networks right on "
        f"{right[0]:.0f} % of the images, FGSM on {right[1]:.0f} %. A network's own detector sees it with an "
        f"AUROC that is {own}; through the maps it is {mapped}."
    ]


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
