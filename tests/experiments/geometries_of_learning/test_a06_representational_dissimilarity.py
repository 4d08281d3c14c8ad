import pytest
import torch

from lggkit.experiments.geometries_of_learning.a06_representational_dissimilarity import EXPERIMENT
from lggkit.experiments.recipes.brain_rdms import objects_of, rdm_of
from lggkit.similarity import category_rdms, compare_rdms, fit_weighted_rdm, noise_ceiling
from lggkit.study.shown import view

FOUND = objects_of("generated objects")


def test_the_weights_of_a_persons_categories_come_from_the_others():
    people = FOUND.human.mean(1)
    fit = fit_weighted_rdm(category_rdms(FOUND.labels), people[[0, 2, 3]])
    torch.testing.assert_close(rdm_of("categories", FOUND, 1), fit.prediction)
    torch.testing.assert_close(rdm_of("others", FOUND, 1), people[[0, 2, 3]].mean(0))


def test_metrics_are_those_of_the_wing(records):
    people = FOUND.human.mean(1)
    hmax, person = records["hmax", 1].metrics, records["person", 1].metrics
    assert hmax["pearson"] == pytest.approx(compare_rdms(FOUND.models["HMAX"], people[1]).item())
    assert hmax["threefold_pearson"] == 3 * hmax["pearson"]
    assert person["ceiling_low"] == pytest.approx(noise_ceiling(people)[0][1].item())


def test_accuracies_are_shares_in_percent_and_nulls_at_least_one_half(records):
    for record in (r for (arm, _), r in records.items() if arm != "exact"):
        for rule in ("published", "corrected"):
            assert 50 <= record.metrics[f"accuracy_{rule}"] <= 100
            assert record.metrics[f"null_{rule}"] >= 50 and len(record.metrics[f"pairs_{rule}"]) == 6


def test_exact_claims_hold(records):
    assert max(records["exact", 0].metrics.values()) < 1e-9


def test_a_seed_is_a_person():
    assert set(EXPERIMENT.seeds.values()) == {2, 4} and EXPERIMENT.seeds["paper"] == len(FOUND.people)


def test_what_is_recorded_has_the_known_answers():
    """Accuracies of cuts in percent, as a trial outside this repository found them on the same files."""
    shown = view.at(EXPERIMENT.name, "paper")
    published = [round(a, 1) for a in shown.values("person", "accuracy_published")]
    assert published == [50.0, 54.7, 90.2, 66.0]
    assert [round(a, 1) for a in shown.values("person", "accuracy_corrected")] == [79.7, 54.7, 90.2, 66.0]
    assert round(shown.values("monkey", "accuracy_corrected")[0], 1) == 90.4
