import math

import pytest

from lggkit.study.figures.said import HEIGHT, apart_text, best_said, images_said, mean_text, seeds_text
from lggkit.study.judging.statistics import Interval
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(34.6, 32.4, 36.8, 3), "34.6 ± 2.2 points more than the baseline"),
        (Interval(-8.3, -11.2, -5.4, 3), "8.3 ± 2.9 points less than the baseline"),
        (
            Interval(-0.7, -2.0, 0.6, 3),
            "0.7 ± 1.3 points less than the baseline (3 seeds cannot tell the two apart)",
        ),
        (
            Interval(2.0, -math.inf, math.inf, 1),
            "2.0 points more than the baseline (one seed cannot tell the two apart)",
        ),
    ],
)
def test_a_difference_names_its_size_its_side_and_whether_the_seeds_can_tell(interval, text):
    assert apart_text(interval, "the baseline") == text


def test_words_and_digits_can_be_chosen():
    assert apart_text(Interval(-0.5, -0.75, -0.25, 4), words=HEIGHT, digits=2) == "0.50 ± 0.25 lower"


def test_a_mean_has_no_seeds_which_a_sentence_of_their_own_has():
    assert mean_text(Interval(-1.0, -1.5, -0.5, 3)) == "−1.0 ± 0.5"
    assert seeds_text(Interval(1.0, 0.5, 1.5, 3)) == "Intervals are 95 %, over 3 seeds."
    assert seeds_text(Interval(1.0, -math.inf, math.inf, 1)) == "One seed."


def test_the_highest_mean_is_told_with_what_follows(make_record, tmp_path):
    values = {"gkd": (80.0, 81.0, 82.5), "kd": (79.0, 80.2, 81.3), "sp": (60.0, 61.0, 62.0)}
    records = [
        make_record(arm, seed, "short", metrics={"accuracy": value})
        for arm, ones in values.items()
        for seed, value in enumerate(ones)
    ]
    shown = Shown("lgg/s41_distillation", "short", tuple(records), Ledger(tmp_path))
    titles = {"sp": "SP", "kd": "Hinton KD", "gkd": "GKD"}
    said = best_said(shown, titles, "accuracy", "%")
    assert said == "GKD has the highest mean, 81.2 %; Hinton KD has 1.00 ± 0.50 points less."
    assert best_said(shown, {"gkd": "GKD"}, "accuracy", "%") == "GKD has the highest mean, 81.2 %."


def test_images_are_counted(make_record, tmp_path):
    run = make_record("ours", experiment="lgg/s42_embeddings", metrics={"published_corruptions": 0.0})
    run.settings.update(
        dataset="cifar10", corruptions=["fog", "snow"], severities=[1, 3], corruption_images=None
    )
    (said,) = images_said(Shown("lgg/s42_embeddings", "short", (run,), Ledger(tmp_path)), "ours")
    assert said.startswith("2 corruptions at 2 severities were made of all test images (CIFAR-10-C-like).")
