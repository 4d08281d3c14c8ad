"""Tables and sentences of article 10: every arm's scores, and the text beside its own Table 3."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.entered.paper import cells
from lggkit.study.figures.geometries_of_learning.a10_orthogonal_blocks import FIVE, LEADS, THREE, TRIOS
from lggkit.study.judging.texts import listed, minus, seeds_counted
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.judging.statistics import Interval
    from lggkit.study.shown.view import Shown

Pairs = Mapping[str, tuple[str, str]]
PAPER, TABLE = "geometries_of_learning", "a10-table-3"
SCORES = ("mig", "dcimig", "mig_sup", "jemmig")
PRINTED = ("three", "five")
IMAGES = {"mse (held out)": "mse", "PSNR (dB)": "psnr", "explained (%)": "explained"}
BLOCKS = {"|cosine|": "cosine", "roughness": "roughness", "matched share": "matched_share"}
NOISE = {"t of noise": "sample_t", "gap of noise": "sample_gap"}


def images_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """Errors, blocks and images of noise of every arm."""
    chosen = {arm: titles[arm] for arm in titles if arm != "statistic" and shown.arm(arm)}
    return tables.arms_table(shown, chosen, IMAGES | BLOCKS | NOISE, digits=3)


def scores_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """Scores of the bottlenecks, of the codes before them, and of the first weights."""
    chosen = {arm: titles[arm] for arm in titles if arm != "statistic" and shown.arm(arm)}
    kinds = {"": "", "_codes": " (codes)", "_untrained": " (first weights)"}
    columns = {
        f"{name.replace('_', '-')}{text}": f"{name}{end}" for end, text in kinds.items() for name in SCORES
    }
    return tables.arms_table(shown, chosen, columns, digits=3)


def _plain(score: str) -> str:
    return score.replace("_", "-")


def readings_table(shown: Shown) -> pd.DataFrame:
    """Who wins each cell of the article's Table 3: as printed in both readings, and here."""
    return pd.DataFrame([_reading(shown, blocks, score) for blocks in PRINTED for score in SCORES])


def _reading(shown: Shown, blocks: str, score: str) -> dict[str, str]:
    gain, ours = _printed_gains()[blocks, score], _paired(shown, blocks, score)
    lower = -gain if score == "jemmig" else gain
    ends = "" if ours is None or ours.n < 2 else f" [{ours.low:+.3f}, {ours.high:+.3f}]"
    here = "" if ours is None else minus(f"{ours.mean:+.3f}{ends}")
    return {
        "blocks": blocks,
        "score": _plain(score),
        "article, DAE-OG less DAE-G": minus(f"{gain:+.4f}"),
        "higher is better": _winner(gain, gain),
        "jemmig: lower is better": _winner(lower, lower),
        "here": here,
        "who is higher here": "" if ours is None else _winner(ours.low, ours.high),
    }


def _winner(low: float, high: float) -> str:
    if low <= 0 <= high:
        return "undecided"
    return "DAE-OG" if low > 0 else "DAE-G"


def _paired(shown: Shown, blocks: str, score: str) -> Interval | None:
    _, g, og = TRIOS[blocks]
    return shown.paired(og, g, score) if shown.arm(g) and shown.arm(og) else None


def _printed_gains() -> dict[tuple[str, str], float]:
    """DAE-OG less DAE-G in the article's Table 3, by blocks and score."""
    printed = {(c.row, c.column): c.value for c in cells(PAPER) if c.table == TABLE}
    of = {
        (b, s): [printed[f"{m}, {b} blocks", s] for m in ("DAE-G", "DAE-OG")] for b in PRINTED for s in SCORES
    }
    return {place: og - g for place, (g, og) in of.items()}


def printed_said(shown: Shown | None = None) -> list[str]:
    """What the article's own cells say of its text, in both readings, whatever is shown here."""
    gains = _printed_gains()
    higher = sum(gain > 0 for gain in gains.values())
    lower = sum((-gain if score == "jemmig" else gain) > 0 for (_, score), gain in gains.items())
    mig = max(c.value for c in cells(PAPER) if c.table == TABLE and c.column == "mig")
    return [
        f"The article's text says that DAE-OG is consistently better. Of the {len(gains)} pairs of its own "
        f"Table 3, DAE-OG has the better score in {higher} where higher jemmig is better, and in {lower} "
        f"where lower is. No mig in it is above {mig:g}, on a scale that ends at 1."
    ]


def came_said(shown: Shown) -> list[str]:
    """What the orthogonality loss does to blocks, to images and to scores here, in one paragraph."""
    pairs = {blocks: trio[1:] for blocks, trio in TRIOS.items() if all(map(shown.arm, trio[1:]))}
    if not pairs:
        return ["The orthogonality loss is not measured yet."]
    wins = [_winner(*_ends(shown, blocks, score)) for blocks in pairs for score in SCORES]
    undecided, n = wins.count("undecided"), min(len(shown.arm(og)) for _, og in pairs.values())
    return [
        f"The orthogonality loss takes the mean |cosine| of two blocks "
        f"{_steps(shown, pairs, 'cosine', 3, LEADS)}. The error on held-out images goes "
        f"{_steps(shown, pairs, 'mse', 4)}. Of the {len(wins)} scores DAE-OG is higher in "
        f"{wins.count('DAE-OG')}, DAE-G in {wins.count('DAE-G')}, and {undecided} are undecided at "
        f"{seeds_counted(n)} and this length of training."
    ]


def _steps(
    shown: Shown, pairs: Pairs, metric: str, digits: int, named: Mapping[str, str] = MappingProxyType({})
) -> str:
    """As "from 0.125 to 0.002 with three blocks, ...": means of the first and the second arm of each pair."""
    said = []
    for blocks, pair in pairs.items():
        before, after = (minus(f"{shown.interval(arm, metric).mean:.{digits}f}") for arm in pair)
        said.append(f"from {before} to {after} {named.get(blocks, '').replace('With', 'with')}".strip())
    return listed(said)


def _ends(shown: Shown, blocks: str, score: str) -> tuple[float, float]:
    difference = _paired(shown, blocks, score)
    return (difference.low, difference.high) if difference else (0.0, 0.0)


def control_said(shown: Shown) -> list[str]:
    """What the control without either loss says of the divergence, in one paragraph."""
    pairs = {blocks: trio[:2] for blocks, trio in TRIOS.items() if all(map(shown.arm, trio[:2]))}
    if not pairs:
        return ["The divergence loss is not measured yet."]
    return [
        "The divergence loss takes the hard two-sample statistic between images of noise and real ones, "
        f"which is 0 where both have one distribution, {_steps(shown, pairs, 'sample_t', 1, LEADS)}. The "
        f"error of reconstruction goes {_steps(shown, pairs, 'mse', 4)}."
    ]


def codes_said(shown: Shown) -> list[str]:
    """What comes of comparing codes with noise, the article's prose, in place of images, its equation."""
    of = {"three": (*THREE[:2], "dae_g-three-latent"), "five": (*FIVE[:2], "dae_g-latent")}
    said = [_codes_said(shown, blocks, arms) for blocks, arms in of.items() if all(map(shown.arm, arms))]
    if not said:
        return ["The divergence of codes is not measured yet."]
    return [
        "The article's prose compares codes with noise, its equation 6 images with images of noise. "
        + " ".join(said)
    ]


def _codes_said(shown: Shown, blocks: str, arms: tuple[str, ...]) -> str:
    t, mse = ([shown.interval(arm, metric).mean for arm in arms] for metric in ("sample_t", "mse"))
    first, images, codes = (minus(f"{value:.1f}") for value in t)
    return (
        f"{LEADS[blocks]} the statistic of the images of noise is {images} where images are compared, "
        f"{codes} where codes are, and {first} with neither; the error of reconstruction is {mse[1]:.4f}, "
        f"{mse[2]:.4f} and {mse[0]:.4f}."
    )
