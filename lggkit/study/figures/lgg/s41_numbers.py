"""Tables and sentences of paper 1, section 4.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lggkit.study.entered.paper import cells
from lggkit.study.figures.said import apart_text, mean_text, seeds_text
from lggkit.study.shown import tables

if TYPE_CHECKING:
    from lggkit.study.shown.view import Shown

TEACHERS = {"GKD": ("gkd", "gkd_teacher1"), "RKD-D": ("rkd_d", "rkd_d_teacher1")}
VARIANTS = {
    "gkd_inter": "edges between classes only",
    "gkd_intra": "edges within classes only",
    "gkd_kd": "GKD with Hinton KD",
}


def printed_errors() -> dict[str, float]:
    """The test errors of Table 1 as the paper prints them, in percent, by arm."""
    return {c.arm: c.value for c in cells("lgg") if c.table == "table-1" and c.metric == "test_error"}


def one_seed_gaps(shown: Shown) -> np.ndarray:
    """Error of RKD-D minus error of GKD for every choice of one run of each, (n²,), in points."""
    rkd, gkd = (np.array(shown.values(arm, "test_error")) for arm in ("rkd_d", "gkd"))
    return (rkd[:, None] - gkd).ravel()


def released(shown: Shown) -> pd.DataFrame:
    """What the authors' released checkpoints err, whatever is shown of ours."""
    return tables.printed_table("lgg", "table-1-released")


def teachers(shown: Shown) -> pd.DataFrame:
    """Gains over the same baselines with either teacher, and their difference over the seeds of both."""
    rows = {
        name: {f"teacher {seed}": (arm, "gain") for seed, arm in enumerate(arms)}
        for name, arms in TEACHERS.items()
    }
    changes = [_paired(shown, second, first, "gain") for first, second in TEACHERS.values()]
    return tables.metrics_table(shown, rows, digits=2).assign(**{"second less first": changes})


def precisions(shown: Shown) -> pd.DataFrame:
    """Test error of the baseline student in either precision, and the paired difference."""
    arms = {"float32": "baseline", "bfloat16": "baseline_bfloat16"}
    rows = {"baseline student": {name: (arm, "test_error") for name, arm in arms.items()}}
    difference = _paired(shown, "baseline_bfloat16", "baseline", "test_error")
    return tables.metrics_table(shown, rows, digits=2).assign(**{"bfloat16 − float32": difference})


def _paired(shown: Shown, left: str, right: str, metric: str) -> str:
    return tables.interval_text(shown.paired(left, right, metric))


def sizes_said(shown: Shown) -> list[str]:
    """How large the student is, and how long each of the two is trained."""
    size = {m: shown.values("baseline", f"relative_{m}")[0] for m in ("parameters", "macs")}
    epochs = {arm: shown.protocol(arm).description.schedule.epochs for arm in ("teacher", "gkd")}
    return [
        f"The student has {size['parameters']:.1f} % of the teacher's parameters and {size['macs']:.1f} % "
        "of its "
        f"multiply-accumulates. The teacher is trained for {epochs['teacher']} epochs, students for "
        f"{epochs['gkd']}; the paper's protocol has 200 for both."
    ]


def gains_said(shown: Shown) -> list[str]:
    """Which of the two relational losses errs less, and what each gains beside the printed gains."""
    gain = {arm: mean_text(shown.interval(arm, "gain"), 2) for arm in ("gkd", "rkd_d")}
    printed, gap = printed_errors(), shown.paired("gkd", "rkd_d", "test_error")
    theirs = {arm: f"{printed['baseline'] - printed[arm]:.2f}" for arm in gain}
    return [
        f"GKD errs {apart_text(gap, 'RKD-D', digits=2)}. Over the baseline of the same seed GKD gains "
        f"{gain['gkd']} points and RKD-D {gain['rkd_d']}; by the paper's Table 1 it is {theirs['gkd']} and "
        f"{theirs['rkd_d']}. {seeds_text(gap)}"
    ]


def one_run_said(shown: Shown) -> list[str]:
    """How often one run of each method would have favoured GKD, and by how much."""
    gaps, printed = one_seed_gaps(shown), printed_errors()
    gap = printed["rkd_d"] - printed["gkd"]
    wins, large = (100 * chosen.mean() for chosen in (gaps > 0, abs(gaps) >= gap))
    return [
        f"GKD looks better in {wins:.0f} % of the {len(gaps)} pairs of single runs. A gap of at least the "
        "printed "
        f"{gap:.2f} points, in either direction, comes out in {large:.0f} % of them."
    ]


def agreement_said(shown: Shown) -> list[str]:
    """Which of the two students decides more like the teacher, over all images and over its errors."""
    everywhere, errors = (
        shown.paired("gkd", "rkd_d", metric) for metric in ("consistency", "consistency_on_teacher_errors")
    )
    return [
        f"GKD agrees with the teacher on {apart_text(everywhere, 'RKD-D')}. It repeats the teacher's "
        f"mistakes on {apart_text(errors)}. {seeds_text(errors)}"
    ]


def variants_said(shown: Shown) -> list[str]:
    """What variants of GKD gain beyond it on the same seeds."""
    gains = [
        f"{name} {_paired(shown, arm, 'gkd', 'gain')}" for arm, name in VARIANTS.items() if shown.arm(arm)
    ]
    return [f"Gains less that of GKD with all edges, in points: {', '.join(gains)}."] if gains else []


def kernel_said(shown: Shown) -> list[str]:
    """Whether the student with a Gaussian kernel learned anything."""
    errors = shown.values("gkd_rbf", "test_error")
    if not errors:
        return []
    error = sum(errors) / len(errors)
    reading = "It is guessing: its training failed, and the row says nothing about the kernel."
    if error < 85:
        reading = "It learned, if at another size of the loss than the cosine's."
    return [
        f"*RBF* takes a Gaussian kernel instead of the cosine; its student errs on {error:.1f} %. {reading}"
    ]


def teachers_said(shown: Shown) -> list[str]:
    """How often the two teachers err."""
    errors = [f"{shown.values(arm, 'teacher_error')[0]:.2f} %" for arm in TEACHERS["GKD"]]
    return [f"The teacher of seed 0 errs on {errors[0]} of the test images, that of seed 1 on {errors[1]}."]
