"""Where the settings come from: every entered row is read, and its value is that of a protocol."""

import shutil

import pytest

from lggkit import experiments
from lggkit.evaluation import LEAST_HARM
from lggkit.record import SCALES
from lggkit.study import paths
from lggkit.study.entered import origins

HEADER = ",".join(origins.COLUMNS)
SECTIONS = [e for e in experiments.all_experiments() if origins.origins(e.paper, e.name.partition("/")[2])]


def test_every_section_that_has_a_notebook_says_where_its_settings_come_from():
    assert len(SECTIONS) >= 7


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("experiment", SECTIONS, ids=lambda e: e.name)
def test_every_field_is_one_of_the_protocol(experiment, scale):
    frame = origins.origins_table(experiment, scale)
    assert list(frame) == ["setting", "value", "where from"]
    assert frame["value"].str.len().all() and frame["setting"].is_unique


def test_values_are_read_from_the_protocol_of_the_scale():
    experiment = experiments.get("lgg/s41_distillation")
    by_scale = {
        s: origins.origins_table(experiment, s).set_index("setting")["value"] for s in ("short", "paper")
    }
    assert (
        by_scale["short"]["epochs of a student"] == "3" and by_scale["paper"]["epochs of a student"] == "200"
    )
    assert by_scale["paper"]["weight λ of GKD"] == "25"


def test_the_floor_of_the_relative_mean_is_that_of_the_code():
    experiment = experiments.get("graph_smoothness_loss/s44_robustness")
    values = origins.origins_table(experiment, "short").set_index("setting")["value"]
    assert values["least harm to count in the relative mean"] == f"{LEAST_HARM:g} points"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "all"),
        (True, "yes"),
        (False, "no"),
        (0.0001, "0.0001"),
        (25.0, "25"),
        (("a", 1), "a, 1"),
        ((("a", 1), ("b", 0.5)), "a 1, b 0.5"),
        ("l2", "l2"),
    ],
)
def test_values_are_short(value, text):
    assert origins.value_text(value) == text


@pytest.fixture
def entered(monkeypatch, tmp_path):
    """Writes a file of origins into a repository of its own and reads it."""

    def enter(*rows):
        folder = tmp_path / "data" / "paper" / "lgg"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "origins.csv").write_text("\n".join([HEADER, *rows]), encoding="utf-8")
        monkeypatch.setattr(paths, "repository", lambda: tmp_path)
        return origins.origins("lgg", "s41_distillation")

    return enter


def test_a_row_has_a_field_or_a_value(entered):
    (one,) = entered("s41_distillation,depths,,,three,code,")
    assert one.shown(experiments.get("lgg/s41_distillation"), "short") == "three"


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("s41_distillation,a,gkd,size,2,code,", "exclude each other"),
        ("s41_distillation,a,,,,code,", "exclude each other"),
        ("s41_distillation,a,,size,,code,", "arm and field go together"),
        ("s41_distillation,a,gkd,,2,code,", "arm and field go together"),
        ("s41_distillation,a,gkd,size,,guess,", "source is 'guess'"),
        ("s41_distillation,,gkd,size,,code,", "setting is empty"),
        (",a,gkd,size,,code,", "section is empty"),
    ],
)
def test_a_row_that_is_not_as_it_should_be_is_named(entered, row, fault):
    with pytest.raises(ValueError, match=fault) as error:
        entered(row)
    assert "line 2" in str(error.value)


def test_a_paper_without_the_file_has_no_origins(entered):
    entered()
    assert origins.origins("ot_transfer", "s42_transfer") == ()
