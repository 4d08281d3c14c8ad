"""The page on article 1: what the strong ensemble has over FGSM and random signs, by hand."""

import pytest

from lggkit.study.figures.geometries_of_learning import a01_tables as grids
from lggkit.study.shown import view

NAME = "geometries_of_learning/a01_linear_maps"


@pytest.fixture(scope="module")
def shown():
    return view.at(NAME, "paper")


def mean_gap(shown, other, metric):
    pairs = zip(shown.values("strong_few-digits", metric), shown.values(other, metric), strict=True)
    gaps = [strong - value for strong, value in pairs]
    return sum(gaps) / len(gaps)


def test_the_gaps_of_the_strong_ensemble_are_those_of_equal_seeds(shown):
    (said,) = grids.strong_said(shown)
    for metric in ("native_5", "mapped_5"):
        for other, name in (("fgsm_few-digits", "FGSM"), ("signs_few-digits", "random signs")):
            gap = mean_gap(shown, other, metric)
            assert f"{abs(gap):.3f} ± " in said
            assert f"{'higher' if gap > 0 else 'lower'} than for {name}" in said


def test_the_table_has_a_row_an_attack_and_three_columns_an_epsilon(shown):
    table = grids.strong_table(shown)
    assert list(table.iloc[:, 0]) == ["strong ensemble", "FGSM", "random signs"]
    sizes = shown.arm("strong_few-digits")[0].settings["epsilons"]
    assert table.shape == (3, 1 + 3 * len(sizes))


def test_networks_are_right_as_often_as_their_heads_on_average(shown):
    for record in shown.arm("strong_few-digits"):
        heads = [record.metrics[f"own_{name}_5"] for name in ("cnn", "mlp", "wide")]
        assert record.metrics["still_right_5"] == pytest.approx(sum(heads) / 3)
