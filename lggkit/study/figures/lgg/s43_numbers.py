"""Tables and sentences of paper 1, section 4.3, first page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit import experiments
from lggkit.study.entered.paper import cell
from lggkit.study.figures.robustness import corrupted_images
from lggkit.study.figures.said import HEIGHT, POINTS, apart_text, mean_text, seeds_text
from lggkit.study.judging.statistics import t_interval
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

COMBINED = ("vanilla", "regularizer", "augmented", "regularizer_augmented")
WITH_ATTACKS = ("adversarial", "regularizer_adversarial")
OURS_LESS_BASELINE, OURS_LESS_PARSEVAL = ("regularizer", "vanilla"), ("regularizer", "parseval")
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


def compared(
    shown: Shown, left: str, right: str, metric: str, than: str = "", words: tuple[str, str] = POINTS
) -> str:
    """How much more or less of a metric the left arm has than the right one, paired by seed."""
    if not (shown.values(left, metric) and shown.values(right, metric)):
        return "by an amount that is not measured"
    return apart_text(shown.paired(left, right, metric), than, words)


def _seeds_text(shown: Shown) -> str:
    return seeds_text(shown.paired(*OURS_LESS_BASELINE, "test_error"))


def table_said(shown: Shown) -> list[str]:
    """The differences that Table 3 is about, and that of the clean errors, where the arms are not equal."""
    baseline = compared(shown, *OURS_LESS_BASELINE, "error_fgsm_after", "the baseline")
    parseval = compared(shown, *OURS_LESS_PARSEVAL, "error_fgsm_after", "Parseval")
    clean = compared(shown, *OURS_LESS_BASELINE, "test_error", "the baseline")
    return [
        f"Under FGSM at 33 dB the regulariser errs {baseline} and {parseval}. On clean images it errs "
        f"{clean}; an image that is wrong without any attack mostly counts among the errors under attack "
        f"too. {_seeds_text(shown)}"
    ]


def gradient_said(shown: Shown) -> list[str]:
    """How low FGSM brings the baseline, and whether its accuracy rises again at the largest disturbance."""
    accuracy = np.array(shown.values("vanilla", "accuracy_fgsm_by_snr"))
    loudest = int(np.argmin(shown.arm("vanilla")[0].settings["levels"]))
    lowest, last = t_interval(accuracy.min(1)), t_interval(accuracy[:, loudest])
    risen = t_interval(accuracy[:, loudest] - accuracy.min(1))
    overshot = ": the single step overshoots" if risen.above(0) else ""
    return [
        f"FGSM brings the baseline's accuracy down to {mean_text(lowest)} %. At the largest disturbance it "
        f"is {mean_text(last)} %{overshot}. {seeds_text(lowest)}"
    ]


def attacks_said(shown: Shown) -> list[str]:
    """Whether what is gained under a weak attack is left under a strong one."""
    pgd = compared(shown, *OURS_LESS_BASELINE, "error_pgd", "the baseline")
    strong = compared(shown, *OURS_LESS_BASELINE, "error_strong")
    parseval = compared(shown, *OURS_LESS_PARSEVAL, "error_strong", "Parseval")
    text = f"Under PGD the regulariser errs {pgd}, under the ensemble {strong}, and there {parseval}."
    return [f"{text} {_seeds_text(shown)}"]


def suite_said(shown: Shown) -> list[str]:
    """How many images and steps the attacks have."""
    settings = shown.arm("vanilla")[0].settings
    return [
        f"{settings['attacked_images'] or 'All'} test images were attacked, the first "
        f"{settings['strong_images'] or 'of all'} of them by the ensemble and by DeepFool. PGD has "
        f"{settings['pgd_steps']} steps, the ensemble {settings['strong_steps']} and {settings['restarts']} "
        "random restarts. PGD and the ensemble differ in sizes and images, so a few points between them are "
        "no evidence."
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
    """What the regulariser does to errors on corrupted images and to both ratios."""
    points, mce, relative = (
        compared(shown, *OURS_LESS_BASELINE, metric, than, words)
        for metric, than, words in (
            ("mean_corrupted_error", "the baseline", POINTS),
            ("mce", "", HEIGHT),
            ("relative_mce", "", HEIGHT),
        )
    )
    less = " It loses less by corruption, and does not err on fewer corrupted images."
    lost = relative.endswith(HEIGHT[1]) and not points.endswith(f"{POINTS[1]} than the baseline")
    return [
        f"On corrupted images ({corrupted_images(shown)}) the regulariser errs {points}. Its MCE is {mce}, "
        f"its relative MCE {relative}.{less if lost else ''} {_seeds_text(shown)}"
    ]
