"""The FID of article 10 by a feature network of ours: a table, and what the orthogonality loss does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lggkit.study.figures.geometries_of_learning.a10_orthogonal_blocks import LEADS, TRIOS
from lggkit.study.judging.texts import minus, seeds_counted
from lggkit.study.shown import tables

if TYPE_CHECKING:
    import pandas as pd

    from lggkit.study.shown.view import Shown

COLUMNS = {
    "FID of noise": "fid",
    "FID of reconstructions": "fid_reconstructed",
    "FID of held-out images": "fid_held_out",
    "factors named (%)": "feature_accuracy",
}


def with_fid(shown: Shown) -> list[str]:
    """The arms that have an FID."""
    return [arm for arm in dict.fromkeys(r.arm for r in shown.records) if shown.values(arm, "fid")]


def fid_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """FID of noise, of reconstructions and of held-out images, and how good the feature network is."""
    found = with_fid(shown)
    return tables.arms_table(shown, {arm: titles[arm] for arm in titles if arm in found}, COLUMNS, digits=2)


def fid_said(shown: Shown) -> list[str]:
    """What the FID is of, and whether the orthogonality loss lowers it."""
    said = [_pair_said(shown, blocks, arms) for blocks, arms in TRIOS.items()]
    return [text for text in said if text] or ["No FID is measured yet."]


def _pair_said(shown: Shown, blocks: str, arms: tuple[str, str, str]) -> str:
    _, g, og = arms
    if not {g, og} <= set(with_fid(shown)):
        return ""
    means = {
        metric: [shown.interval(arm, metric).mean for arm in (g, og)]
        for metric in ("fid", "fid_reconstructed")
    }
    floor, named = (shown.interval(og, metric).mean for metric in ("fid_held_out", "feature_accuracy"))
    noise, made = ("{:.2f} for DAE-G and {:.2f} for DAE-OG".format(*pair) for pair in means.values())
    return (
        f"{LEADS[blocks]} the FID of images of noise is {noise}{_difference(shown, g, og)}, that of "
        f"reconstructions {made}; that of the held-out images themselves is {floor:.2f}. The feature network "
        f"names {named:.0f} % of their factors."
    )


def _difference(shown: Shown, g: str, og: str) -> str:
    gap = shown.paired(og, g, "fid")
    if gap.n < 2:
        return ""
    ends = f"[{gap.low:+.2f}, {gap.high:+.2f}]"
    return f" ({minus(f'{gap.mean:+.2f} {ends}')}, {seeds_counted(gap.n)})"
