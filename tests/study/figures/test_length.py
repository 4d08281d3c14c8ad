import math

import pytest

from lggkit.study.entered.paper import Claim
from lggkit.study.figures import length

pytestmark = pytest.mark.usefixtures("no_window")
NAME = "lgg/s41_distillation"


def claim(number="6", kind="greater", margin=None, metric="test_error", **fields):
    values = dict.fromkeys(Claim.__dataclass_fields__, "")
    values |= {"paper": "lgg", "number": number, "kind": kind, "experiment": NAME, "metric": metric}
    values |= {"left": "rkd_d", "right": "gkd", "margin": margin, "members": (), "n_required": {}}
    return Claim(**values | fields)


@pytest.fixture
def runs(make_record):
    """Records of two arms by scale; the effect is ``effects[scale]`` of each seed."""

    def make(effects):
        found = {}
        for scale, values in effects.items():
            found[scale] = [
                make_record("gkd", s, scale, metrics={"test_error": 10.0}) for s in range(len(values))
            ]
            found[scale] += [
                make_record("rkd_d", s, scale, metrics={"test_error": 10.0 + v}) for s, v in enumerate(values)
            ]
        return {NAME: found}

    return make


def test_effects_are_those_of_every_length_that_is_recorded(runs):
    found = length.effects_by_length([claim()], runs({"short": [1.0, 3.0], "paper": [5.0], "smoke": [9.0]}))
    assert list(found["6"]) == ["short", "paper"]
    assert found["6"]["short"].mean == pytest.approx(2) and found["6"]["paper"].mean == pytest.approx(5)
    assert math.isinf(found["6"]["paper"].half_width)


@pytest.mark.parametrize("kind", ["exact", "all_of"])
def test_identities_and_compound_claims_have_none(runs, kind):
    assert length.effects_by_length([claim(kind=kind)], runs({"short": [1.0, 2.0]})) == {}


def test_one_length_is_said_to_be_one(runs):
    found = length.effects_by_length([claim()], runs({"short": [1.0, 3.0]}))
    assert "not there yet" in length.length_said(found)
    assert "not there yet" in length.length_said({})


def test_signs_are_compared_from_the_shortest_to_the_longest(runs):
    two = [claim("6"), claim("7", left="gkd", right="rkd_d")]
    found = length.effects_by_length(
        two, runs({"short": [1.0, 3.0], "reduced": [-1.0, -3.0], "paper": [2.0]})
    )
    assert length.length_said(found).startswith("2 of 2 effects")
    found = length.effects_by_length(two[:1], runs({"short": [1.0, 3.0], "reduced": [-1.0, -3.0]}))
    assert length.length_said(found).startswith("0 of 1 effects")


def test_effects_of_zero_have_no_sign(runs):
    found = length.effects_by_length([claim()], runs({"short": [0.0, 0.0], "reduced": [0.0, 0.0]}))
    assert length.length_said(found).startswith("Every effect is 0")


def test_a_panel_a_unit_has_each_claim_at_its_lengths(runs):
    claims = [claim("6"), claim("12", "equivalent", 1.0), claim("99")]
    found = length.effects_by_length(claims[:2], runs({"short": [1.0, 3.0], "reduced": [2.0, 2.5, 3.0]}))
    (ax,) = length.length_figure(claims, found).axes
    assert ax.get_title() == "points"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["short", "reduced", "paper"]
    drawn = {c.get_label(): c for c in ax.containers}
    assert list(drawn) == ["6", "12"]
    assert list(drawn["6"][0].get_ydata()) == pytest.approx([2, 2.5])
    assert [round(x) for x in drawn["6"][0].get_xdata()] == [0, 1]


def test_claims_of_equality_have_each_their_own_band(runs):
    claims = [claim("6", "equivalent", 1.0), claim("7", "equivalent", 0.5)]
    (ax,) = length.length_figure(claims, length.effects_by_length(claims, runs({"short": [0.1, 0.3]}))).axes
    bands = [one.get_paths()[0].get_extents() for one in ax.collections if one.get_alpha() == 0.15]
    assert [(band.y0, band.y1) for band in bands] == [(-1.0, 1.0), (-0.5, 0.5)]


@pytest.mark.parametrize(("far", "scale"), [(3.0, "linear"), (90.0, "symlog")])
def test_one_far_effect_does_not_flatten_the_others(make_record, far, scale):
    effects = {"gkd": 0.0, "sp": 1.0, "kd": 1.5, "rkd_d": far}
    records = [
        make_record(arm, seed, "short", metrics={"test_error": 10.0 + effect + seed / 100})
        for arm, effect in effects.items()
        for seed in range(2)
    ]
    claims = [claim(str(place), left=arm) for place, arm in enumerate(list(effects)[1:])]
    found = length.effects_by_length(claims, {NAME: {"short": records}})
    (ax,) = length.length_figure(claims, found).axes
    assert ax.get_yscale() == scale


def test_claims_of_one_length_are_named_and_not_drawn(runs):
    both, one = claim("6"), claim("8", experiment="lgg/s42_embeddings")
    records = runs({"short": [1.0, 3.0], "reduced": [2.0, 4.0]})
    records["lgg/s42_embeddings"] = runs({"short": [90.0, 95.0]})[NAME]
    found = length.effects_by_length([both, one], records)
    assert length.length_said(found).endswith("Of claim 8 there is one length alone.")
    (ax,) = length.length_figure([both, one], found).axes
    assert ax.get_legend_handles_labels()[1] == ["6"]
    alone = length.length_figure([one], {"8": found["8"]}).axes[0]
    assert alone.get_legend_handles_labels()[1] == ["8"]
