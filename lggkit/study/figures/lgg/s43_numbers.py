"""Tables and sentences of paper 1, section 4.3, first page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit import experiments
from lggkit.study import tables
from lggkit.study.figures.robustness import corrupted_images
from lggkit.study.paper import cell
from lggkit.study.statistics import t_interval

if TYPE_CHECKING:
    from lggkit.study.view import Shown

COMBINED = ("vanilla", "regularizer", "augmented", "regularizer_augmented")
WITH_ATTACKS = ("adversarial", "regularizer_adversarial")
LESS = "the regulariser errs less", "the regulariser errs more"
RELEASED = {
    "released: FGSM after": "FGSM after normalisation",
    "before": "FGSM before normalisation",
    "PGD": "PGD",
}
METRICS = {
    "test_error": "clean error (%)",
    "error_fgsm_after": "FGSM error (%)",
    "error_pgd": "PGD error (%)",
    "mean_corrupted_error": "mean corrupted error (%)",
}
COLUMNS = {
    "clean error": "test_error",
    "FGSM after normalisation": "error_fgsm_after",
    "PGD": "error_pgd",
    "ensemble": "error_strong",
    "mean corrupted error": "mean_corrupted_error",
    "relative MCE": "relative_mce",
}
CORRUPTIONS = {
    "clean error, same images": "clean_error",
    "mean corrupted error": "mean_corrupted_error",
    "MCE": "mce",
    "relative MCE": "relative_mce",
    "corruptions in the relative mean": "relative_corruptions",
}


def printed_attacks(shown: Shown) -> pd.DataFrame:
    """Errors that Table 3 prints beside 100 less the released accuracies, whatever is shown of ours."""
    return pd.DataFrame(
        [
            {
                "": row,
                "printed: clean": f"{_printed(row, 'clean error'):.1f}",
                "released: clean": f"{_released(row, 'clean'):.2f}",
                "printed: adversarial": f"{_printed(row, 'adversarial error'):.1f}",
            }
            | {name: f"{_released(row, column):.2f}" for name, column in RELEASED.items()}
            for row in ("Baseline", "Parseval", "Label variation regulariser")
        ]
    )


def _printed(row: str, column: str) -> float:
    return cell("lgg", "table-3", row, column).value


def _released(row: str, column: str) -> float:
    """An error in percent, from the accuracy that was released."""
    return 100 - cell("lgg", "table-3-released", row, column).value


def transfer_matrix(shown: Shown, arms: Sequence[str]) -> np.ndarray:
    """Errors in percent, mean over seeds: a column a target; clean images, then a row a source.

    Where a pair was not measured it is nan.
    """
    metrics = ["test_error", *(f"transfer_from_{source}" for source in arms)]
    errors = [[shown.values(target, metric) for target in arms] for metric in metrics]
    return np.array([[np.mean(values) if values else np.nan for values in row] for row in errors])


def attacks(shown: Shown, titles: Mapping[str, str]) -> pd.DataFrame:
    """Errors under every attack, the size of DeepFool's disturbances, and the first-order distance."""
    return pd.DataFrame(
        [
            {
                "": title,
                "FGSM before normalisation": tables.metric_text(shown, arm, "error_fgsm_before"),
                "FGSM of others": _worst_transfer(shown, arm, titles),
                "PGD": tables.metric_text(shown, arm, "error_pgd"),
                "ensemble": tables.metric_text(shown, arm, "error_strong"),
                "DeepFool": tables.metric_text(shown, arm, "deepfool_l2", 3),
                "first-order distance": tables.metric_text(shown, arm, "input_margin_median", 3),
            }
            for arm, title in titles.items()
            if shown.arm(arm)
        ]
    )


def _worst_transfer(shown: Shown, arm: str, titles: Mapping[str, str]) -> str:
    """Errors on the images of the most harmful other network."""
    rows = [shown.values(arm, f"transfer_from_{source}") for source in titles if source != arm]
    rows = [values for values in rows if values]
    return tables.interval_text(t_interval(max(rows, key=np.mean))) if rows else "–"


def compared(shown: Shown, left: str, right: str, metric: str, words: tuple[str, str] = LESS) -> str:
    """A paired difference with what it says: the first words where it is above zero."""
    if not (shown.values(left, metric) and shown.values(right, metric)):
        return "not measured"
    difference = shown.paired(left, right, metric)
    return f"{tables.interval_text(difference)}, so {tables.sign_text(difference, *words)}"


def table_said(shown: Shown) -> list[str]:
    """Clean errors first, as the arms are not equal there, then the differences that Table 3 is about."""
    titles = {arm.name: arm.title for arm in experiments.get(shown.experiment).arms if arm.table}
    clean = ", ".join(
        f"{title} {tables.metric_text(shown, arm, 'test_error')}" for arm, title in titles.items()
    )
    fgsm, parseval = (
        compared(shown, arm, "regularizer", "error_fgsm_after") for arm in ("vanilla", "parseval")
    )
    cost = compared(shown, "regularizer", "vanilla", "test_error", LESS[::-1])
    return [
        f"Under FGSM at 33 dB, baseline minus regulariser is {fgsm}. Parseval minus regulariser is "
        f"{parseval}.",
        f"On clean images, regulariser minus baseline is {cost}. Errors in percent: {clean}. An image that "
        "is wrong "
        "without any attack mostly counts among the errors under attack too.",
    ]


def gradient_said(shown: Shown) -> list[str]:
    """How low FGSM brings the baseline, and whether its accuracy rises again at the largest disturbance."""
    accuracy = np.array(shown.values("vanilla", "accuracy_fgsm_by_snr"))
    loudest = int(np.argmin(shown.arm("vanilla")[0].settings["levels"]))
    lowest, last = t_interval(accuracy.min(1)), t_interval(accuracy[:, loudest])
    text = "The single step overshoots, and accuracy rises again." if last.mean > lowest.mean + 1 else ""
    return [
        f"Under FGSM the baseline's accuracy is {tables.interval_text(lowest, 1)} % at its lowest and "
        f"{tables.interval_text(last, 1)} % at the largest disturbance. {text}".strip()
    ]


def attacks_said(shown: Shown) -> list[str]:
    """Whether what is gained under a weak attack is left under a strong one."""
    pgd, strong = (compared(shown, "vanilla", "regularizer", f"error_{name}") for name in ("pgd", "strong"))
    parseval = compared(shown, "parseval", "regularizer", "error_strong")
    return [
        f"Under PGD, baseline minus regulariser is {pgd}. Under the ensemble it is {strong}. Parseval minus "
        f"regulariser under the ensemble is {parseval}."
    ]


def suite_said(shown: Shown) -> list[str]:
    """How many images and steps the attacks have."""
    settings = shown.arm("vanilla")[0].settings
    return [
        f"{settings['attacked_images'] or 'All'} test images were attacked, and the first "
        f"{settings['strong_images'] or 'of all'} of them by the ensemble and by DeepFool. PGD has "
        f"{settings['pgd_steps']} steps, the ensemble {settings['strong_steps']} and {settings['restarts']} "
        "random "
        "restarts. Differences of a few points between PGD and the ensemble are no evidence: sizes and "
        "images differ."
    ]


def masked_said(shown: Shown) -> list[str]:
    """Which networks are fooled more often by images made for another network than by their own."""
    titles = {arm.name: arm.title for arm in experiments.get(shown.experiment).arms if arm.table}
    errors = transfer_matrix(shown, list(titles))[1:]
    own = errors.diagonal()
    masked = [
        title for title, column, o in zip(titles.values(), errors.T, own, strict=True) if (column > o).any()
    ]
    if not masked:
        return ["No network is fooled more often by another one's images than by its own."]
    return [f"Fooled more often by another network's images than by its own: {', '.join(masked)}."]


def corruption_said(shown: Shown) -> list[str]:
    """What the regulariser does to errors on corrupted images."""
    smaller = "smaller with the regulariser", "larger with the regulariser"
    points = compared(shown, "vanilla", "regularizer", "mean_corrupted_error")
    mce, relative = (compared(shown, "vanilla", "regularizer", m, smaller) for m in ("mce", "relative_mce"))
    return [
        f"On {corrupted_images(shown)} images, in points of mean error, baseline minus regulariser is "
        f"{points}. In MCE it is {mce}. In relative MCE it is {relative}."
    ]
