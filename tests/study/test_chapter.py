import re
import shlex
from dataclasses import replace

import pandas as pd
import pytest

from lggkit.record import SCALES
from lggkit.study import chapter, paths
from lggkit.study.entered.paper import claims
from lggkit.study.judging.statistics import Interval
from lggkit.study.judging.verdicts import ClaimVerdict
from lggkit.study.pages.chapter_texts import NOTHING, came_out_text, chosen, facts_text
from lggkit.study.records.ledger import Ledger
from lggkit.study.shown import view
from lggkit.study.shown.part import NO_PART
from lggkit.study.shown.view import Shown

pytest.importorskip("IPython")
pytestmark = pytest.mark.usefixtures("no_window")
NAME = "lgg/s41_distillation"
CLAIMS = {c.number: c for c in claims("lgg")}
ARMS = ("teacher", "baseline", "rkd_d", "gkd")


@pytest.fixture
def recorded(monkeypatch, make_record, tmp_path):
    """Lets a chapter see arms by scale, three seeds each; nothing is measured."""

    def record(**arms):
        def at(name, scale):
            runs = [
                make_record(arm, seed, scale, name, device="a processor, 1 thread")
                for arm in arms.get(scale, ())
                for seed in range(3)
            ]
            for run in runs:
                run.settings.update(dataset="cifar10", network="wide_resnet28", training={"epochs": 3})
            return Shown(name, scale, tuple(runs), Ledger(tmp_path))

        def measure(name, scale):
            measured.append((name, scale))
            return at(name, scale)

        measured = []
        monkeypatch.setattr(view, "at", at)
        monkeypatch.setattr(view, "measure", measure)
        return measured

    return record


def count(shown, unit="runs"):
    return pd.DataFrame([{unit: len(shown.records)}])


def test_a_chapter_measures_at_its_scale_and_shows_the_highest_above_smoke(recorded):
    measured = recorded(smoke=ARMS, short=ARMS, reduced=ARMS[:2])
    made = chapter.Chapter(NAME, "smoke")
    assert measured == [(NAME, "smoke")]
    assert made.shown.scale == "short"
    assert made.part("teacher").shown.scale == "reduced"
    assert made.part("gkd", "kd").shown is None


def test_a_longer_scale_that_has_only_begun_is_shown_where_there_is_no_other(recorded, monkeypatch):
    def begun(name, scale):
        shown = whole(name, scale)
        first = tuple(run for run in shown.records if run.seed == 0 or scale != "reduced")
        return Shown(name, scale, first, shown.ledger)

    for there, scale in (({"short": ARMS, "reduced": ARMS}, "short"), ({"reduced": ARMS}, "reduced")):
        recorded(**there)
        whole = view.at
        monkeypatch.setattr(view, "at", begun)
        made = chapter.Chapter(NAME)
        assert made.shown.scale == made.part("gkd").shown.scale == scale


def test_where_nothing_is_recorded_above_smoke_it_says_so_and_shows_nothing(recorded):
    recorded(smoke=ARMS)
    made = chapter.Chapter(NAME)
    assert made.shown is None
    assert made.draw(pytest.fail) is None and made.say(pytest.fail) is None
    assert made.show(pytest.fail, "caption", "tab-x") is None
    said = [made.facts(), made.came_out(), made.provenance()]
    assert [one.data for one in said] == [NOTHING] * 3
    assert made.waiting(["gkd"]).data == NO_PART
    assert made.recorded(ARMS) == {}


def test_functions_are_handed_the_records_and_what_else_is_given(recorded):
    recorded(short=ARMS)
    made = chapter.Chapter(NAME)
    assert made.draw(lambda shown, text: (shown.scale, text), "a") == ("short", "a")
    assert (
        made.say(lambda shown: ["One.", shown.scale], lambda shown: ["Two."]).data == "One.\n\nshort\n\nTwo."
    )
    shown = made.show(count, "A caption", "tab-x", unit="n").data
    assert "A caption" in shown and "tab-x" in shown and "12" in shown


def test_what_is_not_measured_yet_is_named(recorded):
    recorded(short=ARMS)
    made = chapter.Chapter(NAME)
    assert made.waiting(["gkd"]).data == "Shown at the short scale."
    assert made.part("gkd").waiting(["gkd"]) is None
    assert made.waiting(["gkd", "kd", "sp"]).data.endswith("Not measured there yet: Hinton KD; SP.")
    assert made.recorded(["kd", "gkd"]) == {"gkd": "GKD"}


def test_facts_are_one_line_in_the_same_words(recorded):
    recorded(short=ARMS)
    text = chapter.Chapter(NAME).facts().data
    for fact in ("short", "CIFAR-10", "WideResNet-28", "3 epochs", "seeds **3**", "a processor"):
        assert fact in text
    assert "\n" not in text and "decide no claim" in text


@pytest.mark.parametrize("scale", SCALES[2:])
def test_longer_trainings_are_not_said_to_decide_nothing(recorded, scale):
    recorded(**{scale: ARMS})
    assert "decide no claim" not in facts_text(chapter.Chapter(NAME).shown)


@pytest.mark.parametrize("scale", SCALES)
def test_the_command_to_run_a_page_again_names_its_notebook(recorded, scale):
    recorded(short=ARMS)
    made = chapter.Chapter("lgg/s43_robustness", page="s43_mechanism", arms=["vanilla"], numbers=(18,))
    text = made.rerun().data
    assert "papermill notebooks/lgg/s43_mechanism.ipynb out.ipynb -p scale reduced" in text
    assert f"`{scale}`" in text


def test_papermill_understands_the_command(recorded):
    cli = pytest.importorskip("papermill.cli")
    recorded()
    (line,) = re.findall(r"^\$ papermill (.*)$", chapter.Chapter(NAME).rerun().data, re.M)
    given = cli.papermill.make_context("papermill", shlex.split(line)).params
    assert (paths.repository() / given["notebook_path"]).is_file() and given["output_path"] == "out.ipynb"
    assert given["parameters"] == (("scale", "reduced"),)


def test_a_page_has_the_claims_that_it_names(recorded):
    recorded(short=ARMS)
    made = chapter.Chapter("lgg/s43_robustness", page="s43_mechanism", arms=["vanilla"], numbers=(18,))
    assert {j.claim.number for j in made.judged} == {"18", "18a", "18b"}
    assert {j.claim.number for j in chapter.Chapter(NAME).judged} >= {"5", "6a", "9"}
    assert made.label == "tab-lgg-s43-mechanism"


def judged(number, verdict="undecided", mean=1.0):
    return ClaimVerdict(CLAIMS[number], verdict, "reduced", 3, Interval(mean, mean - 1, mean + 1, 3))


def test_a_box_begins_with_what_survives_correction_and_with_what_a_paper_claims():
    survives = replace(judged("7", "holds"), survives_holm=True)
    reading = replace(judged("5a", "holds"), claim=replace(CLAIMS["5a"], number="r5"))
    later = judged("9", "holds")
    assert [j.claim.number for j in chosen([reading, later, survives])] == ["7", "9", "r5"]


def test_a_box_always_tells_a_claim_of_the_paper():
    readings = [
        replace(judged("5a", "holds"), claim=replace(CLAIMS["5a"], number=f"r{i}")) for i in range(1, 6)
    ]
    told = chosen([*readings, judged("7")])
    assert [j.claim.number for j in told] == ["r1", "r2", "r3", "7"]
    assert [j.claim.number for j in chosen([*readings[:2], judged("7", "contradicted")])] == ["7", "r1", "r2"]


def test_a_box_has_the_marks_of_its_verdicts_and_says_what_they_mean():
    marked = replace(judged("7", "holds"), survives_holm=True, after_run=True)
    lines = came_out_text([marked, judged("9")]).splitlines()
    assert lines[2].startswith("> - **Holds† ✓:** ") and lines[3].startswith("> - **Undecided:** ")
    assert lines[-1] == "> ✓ survives Holm's correction; † was added or made stricter after a run."
    assert came_out_text([judged("9")]).splitlines()[-1].startswith("> - ")
    ours = replace(judged("7", "holds"), claim=replace(CLAIMS["7"], number="r7"))
    assert " Reading r7 of ours, reduced scale, 3 seeds: " in came_out_text([ours])


def test_a_box_has_verdicts_first_and_one_line_of_each_claim():
    everything = [judged(n) for n in ("5a", "5b", "6a", "7", "8")] + [judged("9", "contradicted")]
    assert [j.claim.number for j in chosen(everything)] == ["9", "5a", "6a", "7"]
    assert [j.claim.number for j in chosen(everything[:2])] == ["5a", "5b"]
    lines = came_out_text(everything).splitlines()
    assert lines[0] == "> **What came out**" and sum(line.startswith("> - ") for line in lines) == 4
    assert (
        lines[2].startswith("> - **Contradicted:** ")
        and "Claim 9, reduced scale, 3 seeds: 1.0 points" in lines[2]
    )


def test_a_box_repeats_the_verdict_of_the_scorecard_word_for_word():
    text = came_out_text([judged("5a", "not tested at this scale")])
    assert "**Not tested at this scale:**" in text and "holds" not in text.lower()


def test_a_box_without_measurements_says_so():
    assert "No claim of this page is measured yet." in came_out_text(
        [ClaimVerdict(CLAIMS["5"], "unmeasured")]
    )


@pytest.mark.parametrize(("scale", "again"), [("smoke", False), ("short", True), ("reduced", True)])
def test_a_second_page_leaves_smoke_to_the_first(recorded, scale, again):
    measured = recorded(short=ARMS)
    chapter.Chapter(NAME, scale, page="s41_another")
    assert measured == [(NAME, scale)] * again


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="choose one of smoke, short"):
        chapter.Chapter(NAME, "large")
    with pytest.raises(ValueError, match="choose one of smoke, short"):
        chapter.Chapter(NAME, "large", page="s41_another")
