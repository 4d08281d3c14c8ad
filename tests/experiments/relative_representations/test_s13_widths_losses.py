import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lggkit.experiments.graph_smoothness_loss.s44_robustness import EXPERIMENT as ROBUSTNESS
from lggkit.experiments.lgg.s41_distillation import EXPERIMENT as DISTILLATION
from lggkit.experiments.recipes.network_latents import filled
from lggkit.experiments.recipes.stitched import kind_apart
from lggkit.experiments.relative_representations.s13_widths_losses import EXPERIMENT
from lggkit.record import SCALES
from lggkit.similarity import Statistics, relative_map, robust_relative_map
from lggkit.study.figures.relative_representations import s13_widths_losses as section
from lggkit.study.shown.view import Shown

LOSSES = {"cross-entropy": "cross_entropy", "graph smoothness": "graph_smoothness_d10"}


@pytest.mark.parametrize("scale", SCALES)
def test_networks_are_the_other_chapters(scale):
    """So that they are trained once, whoever asks first."""
    settings = EXPERIMENT.protocols[scale]
    for (loss, _), (network, seed) in settings.losses.by_loss.items():
        embedder = ROBUSTNESS.spec(LOSSES[loss], scale, seed).protocol.embedder
        assert network == embedder.description
    *narrow, wide = settings.students.by_width.values()
    for arm, networks in {"baseline": narrow, "teacher": [wide]}.items():
        for network, seed in networks:
            assert network == DISTILLATION.spec(arm, scale, seed).protocol.description


def test_heads_between_widths_of_absolute_latents_are_no_number(records):
    record, robust = records["absolute-widths", 0], records["robust-widths", 0]
    matrix, wide = record.arrays["accuracy"], np.array([False, False, True])
    assert (np.isnan(matrix) == (wide != wide[:, None])).all()
    assert {"accuracy_kind", "accuracy_stitched", "f1_kind", "encoder_kind"}.isdisjoint(record.metrics)
    assert np.isfinite(robust.arrays["accuracy"]).all() and "accuracy_kind" in robust.metrics
    assert np.isfinite(records["absolute-losses", 0].arrays["accuracy"]).all()


def test_foreign_heads_are_held_against_those_of_the_same_encoders(records):
    record = records["robust-widths", 0]
    matrix, foreign = record.arrays["accuracy"], [(0, 2), (1, 2), (2, 0), (2, 1)]
    assert record.metrics["accuracy_kind"] == pytest.approx(np.mean([matrix[p] for p in foreign]), rel=1e-5)
    own = np.mean([matrix[encoder, encoder] for _, encoder in foreign])
    assert record.metrics["encoder_kind"] == pytest.approx(own, rel=1e-5)


def test_no_relative_map_notices_features_of_zeros():
    x, anchors = (torch.randn(n, 5, generator=torch.Generator().manual_seed(n)) for n in (30, 7))
    for map_ in (relative_map, lambda *sides: robust_relative_map(*sides, Statistics.of(sides[0]))):
        sides = [filled([z, torch.zeros(len(z), 9)])[0] for z in (x, anchors)]
        assert sides[0].shape == (30, 9)
        torch.testing.assert_close(map_(*sides), map_(x, anchors))


def test_pairs_are_told_apart():
    assert kind_apart(("a", "0"), ("a", "0")) == "own" and kind_apart(("a", "0"), ("a", "1")) == "seed"
    assert kind_apart(("a", "0"), ("b", "0")) == kind_apart(("a", "0"), ("b", "1")) == "kind"


@pytest.mark.parametrize(
    ("apart", "said"), [("widths", section.widths_said), ("losses", section.losses_said)]
)
def test_both_sets_have_a_figure_a_table_and_sentences(records, apart, said):
    matplotlib.use("Agg")
    shown = Shown(EXPERIMENT.name, "smoke", tuple(records.values()), Arrays())
    figure = section.maps_figure(shown, apart)
    assert len(figure.axes) == 5
    plt.close(figure)
    table = section.heads_table(shown, apart)
    assert len(table) == 4 and ("–" in set(table.iloc[0])) == (apart == "widths")
    assert all(text.endswith(".") and "nan" not in text for text in said(shown))


class Arrays:
    """A ledger that reads arrays from the records themselves."""

    def arrays(self, record):
        return record.arrays
