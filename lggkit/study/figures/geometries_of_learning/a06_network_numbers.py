"""Tables and sentences of article 6's networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lggkit.study.figures.geometries_of_learning.a06_networks import families_of, members, over_seeds
from lggkit.study.judging.texts import minus, seeds_counted
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.judging.statistics import Interval
    from lggkit.study.shown.view import Shown

ERRORS = {
    "all": "test_error",
    "clean": "error_clean",
    "PGD, 1/255": "error_pgd_1",
    "PGD, 2/255": "error_pgd_2",
    "signs, 2/255": "error_signs_2",
    "noise, 0.05": "error_noise_5",
    "noise, 0.1": "error_noise_10",
}
NEAR = {
    "IT": "it",
    "IT, first weights": "untrained_it",
    "IT, within categories": "it_category",
    "people": "features_ambiguous_category",
    "people, first weights": "untrained_features_ambiguous_category",
    "nats of people's labels": "label_nats",
}
WITHIN = {"": "as they are", "_category": "within categories", "_pairs": "within pairs of classes"}
OF = {
    "features": "features",
    "answers": "answers",
    "untrained_features": "features, first weights",
}
NAMES = {"it": "people's IT", "people": "people's confusions"}


def errors_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """Errors of every network in percent."""
    return tables.arms_table(shown, _chosen(shown, titles), ERRORS, digits=1)


def likeness_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """How near every network is to people, by either measure and before training."""
    return tables.arms_table(shown, _chosen(shown, titles), NEAR, digits=3)


def _chosen(shown: Shown, titles: dict[str, str]) -> dict[str, str]:
    return {arm: titles[arm] for arm in members(shown) if arm in titles}


def controls_table(shown: Shown) -> pd.DataFrame:
    """The rank correlation with people's confusions under each control: mean over networks and seeds."""
    rows = []
    for images in ("balanced", "ambiguous"):
        for what, title in OF.items():
            means = {label: _mean(shown, f"{what}_{images}{end}") for end, label in WITHIN.items()}
            rows.append({"images": images, "of": title} | means)
    return pd.DataFrame(rows)


def _mean(shown: Shown, metric: str) -> str:
    values = [value for arm in members(shown) for value in shown.values(arm, metric)]
    return minus(f"{sum(values) / len(values):.3f}")


def cuts_table(shown: Shown, titles: dict[str, str]) -> pd.DataFrame:
    """Balanced accuracy in percent of the cut into animals and vehicles, by both rules, and its null."""
    columns = {
        "as published": "cut_published",
        "corrected": "cut_corrected",
        "null, 95 %": "cut_null",
        "corrected, first weights": "untrained_cut_corrected",
    }
    return tables.arms_table(shown, _chosen(shown, titles), columns, digits=1)


def robustness_said(shown: Shown) -> list[str]:
    """What the correlations say, as they are and given accuracy, and how many networks they are over."""
    count, families = (int(shown.values("across", name)[0]) for name in ("networks", "families"))
    said = [_pair_said(shown, alike) for alike in NAMES]
    return [
        f"Each seed has {count} networks of {families} families. Rank correlations over them:\n\n"
        + "\n".join(f"- {one}" for one in said),
        *_families_said(shown),
    ]


def _pair_said(shown: Shown, alike: str) -> str:
    raw, excess, given = (
        over_seeds(shown, f"{alike}_pgd{end}") for end in ("", "_excess", "_given_accuracy")
    )
    among = "" if given is None else f", among equally accurate networks {_text(given)}"
    return (
        f"nearness to {NAMES[alike]} with accuracy under PGD {_text(raw)}{among}; with what is kept of the "
        f"clean accuracy {_text(excess)}."
    )


def _text(interval: Interval | None) -> str:
    return "no value" if interval is None else tables.interval_text(interval, 2).rpartition(" (")[0]


def _families_said(shown: Shown) -> list[str]:
    """Over how wide an interval the correlation lies where families are drawn anew."""
    said = []
    for alike, name in NAMES.items():
        low, high = (over_seeds(shown, f"{alike}_pgd_given_accuracy_{end}") for end in ("low", "high"))
        if low is not None and high is not None:
            ends = minus(f"{low.mean:.2f} to {high.mean:.2f}")
            crosses = "which includes 0" if low.mean <= 0 <= high.mean else "which excludes 0"
            said.append(f"for {name} from {ends}, {crosses}")
    text = "Where families are drawn anew, the correlation among equally accurate networks lies"
    return [f"{text} {'; '.join(said)}. Seeds repeat the same families and cannot show this."]


def confound_said(shown: Shown) -> list[str]:
    """Whether accurate networks are nearer to people, and more robust."""
    near = [f"{_text(over_seeds(shown, f'{alike}_accuracy'))} with {NAMES[alike]}" for alike in NAMES]
    return [
        f"Clean accuracy has a rank correlation of {near[0]} and {near[1]}, and of "
        f"{_text(over_seeds(shown, 'accuracy_pgd'))} with accuracy under PGD. "
        f"Random signs of 2/255 leave {_left(shown, 'error_signs_mean')} % of images right, PGD of this size "
        f"{_left(shown, 'error_pgd_mean')} %."
    ]


def _left(shown: Shown, metric: str) -> str:
    return f"{100 - shown.interval('across', metric).mean:.0f}"


def cuts_said(shown: Shown) -> list[str]:
    """What either rule of the cut tells of animals and vehicles, beside permuted labels."""
    corrected, published, null = (
        shown.interval("across", f"cut_{name}_mean") for name in ("corrected", "published", "null")
    )
    lost = corrected.mean - published.mean
    word = "loses what the networks hold" if lost > 10 else "finds about as much"
    return [
        f"Cut without labels, a trained network's RDM tells animals from vehicles with "
        f"{corrected.mean:.0f} % balanced accuracy by the corrected rule and {published.mean:.0f} % by the "
        f"published one; one in twenty permutations of the labels reaches {null.mean:.0f} %. The published "
        f"rule {word}."
    ]


def nearness_said(shown: Shown) -> list[str]:
    """Trained against first weights, and what is left within categories and pairs of classes."""
    mean = {
        name: shown.interval("across", f"{name}_mean").mean
        for name in ("it", "untrained_it", "people", "untrained_people", "people_raw", "people_pairs")
    }
    it, people = (
        f"{mean[name]:.2f} after training and {mean[f'untrained_{name}']:.2f} before" for name in NAMES
    )
    families = len(families_of(shown))
    runs = seeds_counted(len(shown.arm("across")))
    return [
        minus(
            f"Over {families} families and {runs}, the last depth correlates with people's IT at {it}; with "
            f"their confusions of ambiguous images, within categories, at {people}. Not within categories "
            f"the latter is {mean['people_raw']:.2f}, within pairs of classes {mean['people_pairs']:.2f}."
        )
    ]
