import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from lggkit.experiments.geometries_of_learning.a06_networks import EXPERIMENT
from lggkit.experiments.recipes import families
from lggkit.experiments.recipes.across import (
    _needed,
    across,
    partial,
    rank_correlations,
)
from lggkit.experiments.recipes.likeness import chosen_images, entropy, groups_of, hellinger_rdm
from lggkit.similarity import category_rdms


def test_hellinger_distances_of_one_hot_answers_are_the_categories():
    labels = torch.tensor([0, 1, 1, 2])
    shares = torch.nn.functional.one_hot(labels, 3).double()
    torch.testing.assert_close(hellinger_rdm(shares), 1 - (labels[:, None] == labels).double())
    even = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert hellinger_rdm(even)[0, 1].item() == pytest.approx((1 - 0.5**0.5) ** 0.5)


def test_sets_are_balanced_and_the_second_is_the_most_ambiguous():
    source = torch.Generator().manual_seed(0)
    labels = torch.arange(4).repeat(25)
    shares = torch.rand(100, 4, generator=source, dtype=torch.float64).softmax(1)
    chosen = chosen_images(labels, shares, 40)
    for places in chosen.values():
        assert labels[places].bincount().tolist() == [10] * 4 and len(places.unique()) == 40
    unsure = entropy(shares)
    left_out = torch.ones(100, dtype=torch.bool).index_fill(0, chosen["ambiguous"], False)
    for c in range(4):
        inside = unsure[chosen["ambiguous"]][labels[chosen["ambiguous"]] == c]
        assert inside.min() >= unsure[left_out & (labels == c)].max()


def test_groups_of_pairs_are_those_of_their_classes():
    groups = groups_of(torch.tensor([0, 1, 1, 2]))
    assert torch.equal(groups["category"], groups["category"].mT)
    assert (1 - groups["category"]).double().equal(category_rdms(torch.tensor([0, 1, 1, 2])).amin(0))
    assert len(groups["pairs"][np.triu_indices(4, 1)].unique()) == 4


def test_partial_rank_correlation_is_that_of_residual_ranks():
    source = np.random.default_rng(0)
    x, y, z = (source.permutation(12).astype(float) for _ in range(3))
    left = [v - np.polyval(np.polyfit(z, v, 1), z) for v in (x, y)]
    between = rank_correlations(np.stack([x, y, z, np.exp(x), np.zeros(12)]))
    found = partial(between[0, 1], between[0, 2], between[1, 2])
    assert found == pytest.approx(np.corrcoef(left)[0, 1])
    assert between[0, 3] == pytest.approx(1) and np.isnan(between[0, 4])
    assert between[0, 1] == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(partial(0.5, 1.0, 0.5))


def made(likeness, error, clean):
    """Metrics of networks of which only these differ."""
    row = dict.fromkeys(_needed(), 1.0) | {"it": likeness, "features_ambiguous_category": -likeness}
    return row | {"error_pgd_1": error, "error_clean": clean, "test_error": clean}


def test_likeness_that_follows_accuracy_alone_is_told_from_robustness():
    """Nearer networks err less under PGD as they err less at all; what it costs them grows."""
    rows = {f"n{i}": made(i, 60 - 2 * i, 50 - 3 * i) for i in range(6)}
    found = across(rows, list("aabbcc"), 20, 0)
    assert found["it_pgd"] == found["it_accuracy"] == pytest.approx(1)
    assert found["it_pgd_excess"] == found["people_pgd"] == pytest.approx(-1)
    assert "it_pgd_given_accuracy" not in found, "accuracy orders them completely"
    assert found["networks"] == 6 and found["families"] == 3 and found["worst_error"] == 50


def test_intervals_are_over_families():
    """Where likeness and robustness go together between families only, one family says nothing."""
    rows = {f"n{i}": made(i // 3, 60 - i // 3, 20 + (7 * i) % 5) for i in range(9)}
    alone = across(rows, list("abcdefghi"), 200, 0)
    grouped = across(rows, [f"f{i // 3}" for i in range(9)], 200, 0)
    assert alone["it_pgd"] == grouped["it_pgd"] == pytest.approx(1)
    assert grouped["it_pgd_low"] == pytest.approx(1), "what has an order has this one"


def test_lengths_have_the_networks_that_are_trained_for_them():
    for scale, names in (("short", families.AT_SHORT), ("reduced", families.AT_REDUCED)):
        assert {s.arm for s in EXPERIMENT.specs(scale)} == {*names, "across"}
        assert EXPERIMENT.spec("across", scale).protocol.members == names


def test_a_record_has_a_network_beside_its_first_weights(records):
    for (arm, _), record in records.items():
        if arm == "across":
            assert set(record.arrays["members"]) == set(families.TITLES)
            np.testing.assert_allclose(record.arrays["answers"].sum(-1), 1, rtol=1e-5)
        else:
            assert len(record.metrics["it_all_depths"]) == 4
            assert record.metrics["it_all_depths"][0] == record.metrics["untrained_it_all_depths"][0]
