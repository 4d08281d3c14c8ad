import pytest

from lggkit.study.figures.lgg import s41_distillation as distillation
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
GAINS = {"gkd": (2.0, 4.0, 6.0), "kd": (1.0,), "gkd_k5": (-50.0, -40.0)}


@pytest.fixture
def shown(make_record, tmp_path):
    records = [
        make_record(arm, seed, metrics={"gain": gain})
        for arm, gains in GAINS.items()
        for seed, gain in enumerate(gains)
    ]
    return Shown("lgg/s41_distillation", "reduced", tuple(records), Ledger(tmp_path))


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_ablations_are_compared_over_the_seeds_that_they_share_with_the_reference(shown):
    figure = distillation.ablation_figure(shown, {"gkd": "GKD", "kd": "KD", "sp": "SP", "gkd_k5": "k = 5"})
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["GKD (3)", "KD (1)", "k = 5 (2)"]
    dots = {tuple(line.get_xdata()) for line in right.lines}
    assert (-1.0,) in dots, "one seed of KD, less the gain of GKD with that seed"
    assert (2.0, 4.0, 6.0) in {tuple(line.get_xdata()) for line in left.lines}
    assert (2.0, 4.0, 6.0) not in dots and (0.0, 0.0, 0.0) not in dots


def test_means_off_the_scale_are_numbers_at_its_edge(shown):
    left, right = distillation.ablation_figure(shown, {"gkd": "GKD", "gkd_k5": "k = 5"}).axes
    assert texts(left) == ["◂ -45"] and texts(right) == ["◂ -48"]
    assert left.get_xlim()[0] > -20


def test_students_are_joined_over_the_seeds_that_all_of_them_have(make_record, tmp_path):
    errors = {"baseline": (30.0, 31.0), "rkd_d": (28.0,), "gkd": (27.0, 26.0)}
    records = tuple(
        make_record(arm, seed, metrics={"consistency": e, "consistency_on_teacher_errors": e})
        for arm, values in errors.items()
        for seed, e in enumerate(values)
    )
    shown = Shown("lgg/s41_distillation", "reduced", records, Ledger(tmp_path))
    for ax in distillation.agreement_figure(shown).axes:
        joined = [list(line.get_ydata()) for line in ax.lines if len(line.get_xdata()) == 3]
        assert joined == [[30.0, 28.0, 27.0]]
