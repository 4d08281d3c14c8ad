"""Sentences of paper 4, sections 1 to 3, chosen by the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.judging.statistics import Interval

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown


def factors_said(shown: Shown) -> list[str]:
    """How much of robust less released is the scale, the shift, and the division by each deviation."""
    own, foreign = (_split(shown, part) for part in ("own", "stitched"))
    whole = {part: shown.paired("relative_robust", "relative_vanilla", f"accuracy_{part}")
             for part in ("own", "stitched")}  # fmt: skip
    return [
        f"Robust beats the released vanilla map by {mean_text(whole['own'])} points with the own "
        "decoder and by "
        f"{mean_text(whole['stitched'])} with foreign ones. With the own decoder, leaving out the "
        "division by "
        f"√k alone is worth {mean_text(own[0])} points, and the normalisation adds {mean_text(own[1])}. With "
        f"foreign decoders the scale is worth {mean_text(foreign[0])} and the normalisation "
        f"{mean_text(foreign[1])}. So the scale is {_share(own[0], whole['own'])} of the gain with the own "
        f"decoder and {_share(foreign[0], whole['stitched'])} of that with foreign ones. "
        f"{seeds_text(whole['own'])}"
    ]


def _split(shown: Shown, part: str) -> tuple[Interval, Interval]:
    metric = f"accuracy_{part}"
    scale = shown.paired("relative_unscaled", "relative_vanilla", metric)
    return scale, shown.paired("relative_robust", "relative_unscaled", metric)


def _share(part: Interval, whole: Interval) -> str:
    return f"{100 * part.mean / whole.mean:.0f} %"


def centring_said(shown: Shown) -> list[str]:
    """Which part of the normalisation helps: the shift, or the scales."""
    shift = shown.paired("relative_centred", "relative_unscaled", "accuracy_stitched")
    scales = shown.paired("relative_robust", "relative_centred", "accuracy_stitched")
    verdict = (
        "On these encoders the gain of the robust map is that of its shift; the scales take some of it back."
        if scales.below(0)
        else "The scales add to what the shift gives."
        if scales.above(0)
        else "What the scales add to the shift cannot be told from nothing."
    )
    return [
        f"The normalisation shifts and it scales. The shift alone is worth {mean_text(shift)} "
        "points with foreign "
        "decoders; dividing by each feature's deviation after it changes that by "
        f"{mean_text(scales)}. {verdict}"
    ]


def relations_said(shown: Shown) -> list[str]:
    """Where robust wins and where it loses, by what encoder and decoder differ in."""
    labels = {"seed": "seed", "language": "language", "kind": "kind", "both": "language and kind"}
    gains = {
        label: shown.paired("relative_robust", "relative_unscaled", f"accuracy_{name}")
        for name, label in labels.items()
    }
    parts = [f"{label} {apart_text(gain, words=('more', 'less'))}" for label, gain in gains.items()]
    lost = [label for label, gain in gains.items() if gain.below(0)]
    where = f"where they differ in {', or in '.join(lost)}" if lost else "in none of the four"
    return [
        f"Does the robust map lose where the plain map's isometries matter? It loses {where}. Beside "
        f"the plain map it has, in points, by what encoder and decoder differ in: {'; '.join(parts)}. "
        "Networks of two seeds share their input, and so nearly their geometry."
    ]


def tokens_said(shown: Shown) -> list[str]:
    """What the maps are worth on encoders that are trained from the words on, and whether it is as before."""
    chance = shown.interval("absolute-tokens", "chance_accuracy").mean
    foreign = shown.interval("absolute-tokens", "accuracy_stitched")
    new, old = (
        shown.paired(f"relative_robust{end}", f"relative_unscaled{end}", "accuracy_stitched")
        for end in ("-tokens", "")
    )
    lost = shown.interval("absolute-tokens", "accuracy_own").mean - foreign.mean
    verdict = "more than chance" if foreign.above(chance) else "not to be told from chance"
    return [
        f"From absolute coordinates a foreign decoder loses {lost:.1f} points of its own encoder's accuracy: "
        f"{mean_text(foreign)} % are left, {verdict} ({chance:.0f} %). With their own decoder these encoders "
        f"are right in {_of_maps(shown, 'own')}; with the decoder of another training of the same language "
        f"in {_of_maps(shown, 'seed')}; with one of the other language in {_of_maps(shown, 'language')}. "
        f"With foreign decoders the robust map has {apart_text(new)} than the relative one; on "
        f"the frozen encoders above it is {mean_text(old)}. "
        f"{seeds_text(new)}"
    ]


def _of_maps(shown: Shown, name: str) -> str:
    """Accuracy by relation of an encoder on words, from each map but the released one."""
    maps = {"absolute": "absolute", "relative": "relative_unscaled", "robust": "relative_robust"}
    means = {title: shown.interval(f"{arm}-tokens", f"accuracy_{name}") for title, arm in maps.items()}
    *parts, last = (f"{mean_text(mean)} % ({title})" for title, mean in means.items())
    return f"{', '.join(parts)} and {last}"


def rates_said(shown: Shown) -> list[str]:
    """What a higher learning rate does to the map that is divided by √k."""
    runs = [record.metrics for record in shown.arm("rates")]
    settings = shown.arm("rates")[0].settings
    scaled, plain = (np.mean([m[f"own_{name}"] for m in runs], 0) for name in ("plain_scaled", "plain"))
    factors = list(settings["factors"])
    usual, last = factors.index(1.0), len(factors) - 1
    return [
        "AdamW moves each weight by about the learning rate, whatever the size of the input. At "
        "the authors' "
        f"rate the scaled map has {scaled[usual]:.1f} % with its own decoder and the unscaled one "
        f"{plain[usual]:.1f} %; at {factors[last]:.1f} times that rate, about √k, the scaled map has "
        f"{scaled[last]:.1f} %. The division starves the head; it does not take information away."
    ]
