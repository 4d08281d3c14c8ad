import pytest

from lggkit.experiments import get
from lggkit.study.figures.ot_transfer import s43_compression as section
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown import view
from lggkit.study.shown.view import Shown

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "ot_transfer/s43_compression"
ENDS = ("cifar10-m", "cifar10-s", "cifar10-l_m", "cifar10-l_s", "cifar10-l")
HEIGHT = {"none": 70.0, "omega_i": 69.0, "omega_u": 71.0, "kd": 72.0, "omega_p": 73.0}


@pytest.fixture
def shown(make_record, tmp_path, monkeypatch):
    """Records of the arms of short scale, for which accuracies are made up by method."""

    def metrics(arm, seed):
        method = arm.split("-")[0]
        if method == "search":
            alpha = float(arm.removeprefix(f"search-{arm.split('-')[1]}-"))
            return {"validation_accuracy": 60.0 - 10 * abs(alpha - 0.1)}
        accuracy = HEIGHT.get(method, 80.0) + seed / 10
        found = {"accuracy": accuracy, "parameters": 1234}
        return found if method == "teacher" else found | {"agreement": 50.0, "relative_cost": accuracy / 100}

    arms = [arm.name for arm in get(NAME).arms if arm.name.startswith("search") or arm.name.endswith(ENDS)]
    rows = [(arm, seed) for arm in arms for seed in range(3)]
    records = [make_record(arm, seed, "short", NAME, metrics=metrics(arm, seed)) for arm, seed in rows]
    held = {"short": Shown(NAME, "short", tuple(records), Ledger(tmp_path))}
    nothing = Shown(NAME, "reduced", (), Ledger(tmp_path))
    monkeypatch.setattr(view, "at", lambda name, scale: held.get(scale, nothing))
    return held["short"]


def test_every_method_of_a_pair_is_drawn_beside_the_student_alone(shown):
    medium, slim = section.accuracy_figure(shown).axes
    assert [ax.get_title() for ax in (medium, slim)] == ["CIFAR-10, L to M", "CIFAR-10, L to S"]
    assert len(medium.containers) == 5 and len(slim.containers) == 4
    assert section.nearness_figure(shown).legends


def test_the_best_weight_of_a_search_is_ringed(shown):
    (ax,) = section.search_figure(shown).axes
    rings = [line for line in ax.lines if line.get_markersize() == 11]
    assert [line.get_xdata()[0] for line in rings] == [0.1] * 4
    assert ax.get_ylim()[0] > 40


def test_sentences_and_tables_say_what_is_best(shown):
    first = section.order_said(shown)[0]
    assert first.startswith("CIFAR-10, L to M: Ω_P has the highest mean, 73.1 %; KD has 1.00")
    assert "cannot tell the two apart" in first and first.count("KD") == 1
    assert "Alone, students reach: M 70.1" in section.teachers_said(shown)[0]
    assert "73 % of the mean distance under Ω_P and 70 %" in section.nearness_said(shown)[0]
    table = section.students(shown)
    assert list(table["method"][:5]) == ["none", "Ω_I", "Ω_U", "KD", "Ω_P"] and len(table) == 9
    assert list(section.sizes(shown)["network"]) == ["L, teacher", "M, student", "S, student"]


def test_a_best_weight_at_an_end_of_the_grid_is_told(shown, monkeypatch):
    (said,) = section.search_said(shown)
    assert said == "Best are Ω_I at α = 0.1, Ω_U at α = 0.1, KD at α = 0.1, Ω_P at α = 0.1."
    monkeypatch.setattr(section, "GRID", (0.1, 1.0))
    assert section.search_said(shown)[0].endswith(
        "that is at the end of the grid: a weight beyond may be better."
    )


def test_nothing_measured_is_said(tmp_path):
    empty = Shown(NAME, "short", (), Ledger(tmp_path))
    for said in (section.order_said, section.nearness_said):
        assert said(empty) == [section.NOTHING]
    assert "not recorded" in section.teachers_said(empty)[0]
    assert len(section.students(empty)) == len(section.sizes(empty)) == 1
    for figure in (section.accuracy_figure, section.nearness_figure):
        assert figure(empty).axes
