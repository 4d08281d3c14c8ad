"""Means over a reference by examples that can be computed by hand, and how errors are counted."""

from dataclasses import replace
from statistics import mean

import pytest
import torch

from lggkit.data import DataSet
from lggkit.data.corruptions import corrupt
from lggkit.evaluation import corruption_errors
from lggkit.experiments import corruption_runs, embedding_runs
from lggkit.experiments.corruption_runs import (
    LEAST_HARM,
    Answering,
    CorruptionSettings,
    Robustness,
    robustness_metrics,
    robustness_of_all,
)
from lggkit.experiments.graph_smoothness_loss import s44_robustness
from lggkit.experiments.lgg import s42_embeddings, s43_robustness

REFERENCE = Robustness(10.0, {"fog": (20.0, 20.0), "snow": (40.0, 80.0), "contrast": (10.0, 10.0)})
OURS = Robustness(5.0, {"fog": (10.0, 20.0), "snow": (30.0, 60.0), "contrast": (5.0, 15.0)})


def test_means_are_over_the_reference():
    found = robustness_metrics(OURS, REFERENCE)
    assert found["mce"] == pytest.approx((75 + 75 + 100) / 3)
    assert found["mean_corrupted_error"] == pytest.approx(140 / 6)
    assert found["clean_error"] == 5 and found["errors_snow"] == [30.0, 60.0]


def test_a_corruption_that_does_the_reference_no_harm_is_left_out_of_the_relative_mean():
    found = robustness_metrics(OURS, REFERENCE)
    assert found["relative_mce"] == pytest.approx((100 * 20 / 20 + 100 * 80 / 100) / 2)
    assert found["relative_corruptions"] == 2


@pytest.mark.parametrize(("harm", "count"), [(LEAST_HARM - 0.1, 2), (LEAST_HARM, 3)])
def test_a_nearly_harmless_corruption_does_not_rule_the_relative_mean(harm, count):
    """The mean harm over severities decides, and it is the reference's."""
    mild = Robustness(10.0, REFERENCE.errors | {"contrast": (10.0, 10.0 + 2 * harm)})
    found = robustness_metrics(OURS, mild)
    ratios = [100 * 20 / 20, 100 * 80 / 100, 100 * 10 / (2 * harm)][:count]
    assert found["relative_corruptions"] == count
    assert found["relative_mce"] == pytest.approx(sum(ratios) / count)
    assert len(mild.errors) == 3 and found["mce"] == pytest.approx((75 + 75 + 2000 / (20 + 2 * harm)) / 3)


def test_the_reference_itself_is_at_100():
    found = robustness_metrics(REFERENCE, REFERENCE)
    assert found["mce"] == pytest.approx(100) and found["relative_mce"] == pytest.approx(100)


def test_without_a_reference_there_are_no_means_over_it():
    assert {"mce", "relative_mce"}.isdisjoint(robustness_metrics(OURS, None))
    unhurt = Robustness(10.0, {name: (10.0, 10.0) for name in OURS.errors})
    assert "relative_mce" not in robustness_metrics(OURS, unhurt)


def test_a_reference_without_an_error_leaves_the_mean_over_it_out():
    perfect = Robustness(0.0, REFERENCE.errors | {"contrast": (0.0, 0.0)})
    found = robustness_metrics(OURS, perfect)
    assert "mce" not in found and found["relative_corruptions"] == 2
    assert found["relative_mce"] == pytest.approx(mean((100 * 20 / 40, 100 * 80 / 120)))


def plane(points, labels):
    """Images whose first two pixels are a point."""
    images = torch.zeros(len(points), 1, 8, 8, dtype=torch.uint8)
    images[:, 0, 0, :2] = torch.tensor(points, dtype=torch.uint8)
    one = torch.full((1,), 0.5)
    return DataSet(images, torch.tensor(labels), ("a", "b"), one, one, "digits", "train")


class Lender:
    """Training points on two rays: what is near by angle is not what is near by Euclidean distance."""

    def data(self, name, train=True):
        if not train:
            return plane([(90, 90)], [1])
        return plane(
            [(10 + i, 10 + i) for i in range(5)] + [(100, 80 + i) for i in range(6)], [0] * 5 + [1] * 6
        )


def test_neighbours_vote_by_euclidean_distance_and_logits_without_a_vote(monkeypatch):
    for module in (corruption_runs, embedding_runs):
        monkeypatch.setattr(module, "embeddings", lambda _, x, __: x.flatten(1)[:, :2].float())
    images = Lender().data("digits", train=False).images
    settings = CorruptionSettings(vote=1)
    assert Answering(settings, None, Lender())(images).tolist() == [1]
    assert Answering(settings, None, Lender()).clean_errors() == {"error_1nn": 0, "error_10nn": 0}
    monkeypatch.setattr(corruption_runs, "predict", lambda _, x: "logits")
    assert Answering(CorruptionSettings(), None, Lender())(images) == "logits"


@pytest.fixture
def data():
    images = torch.randint(256, (12, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    one = torch.full((1,), 0.5)
    return DataSet(images, torch.arange(12) % 2, ("a", "b"), one, one, "digits", "test")


def test_all_networks_see_the_same_images_made_once(data, monkeypatch):
    made, corrupted = [], corruption_runs.corrupted

    def counted(data, name, severity, version):
        made.append((name, severity))
        return corrupted(data, name, severity, version=version)

    def bright(images):
        return (images.float().mean((1, 2, 3)) > 130).long()

    answers = {"bright": bright, "dark": lambda images: 1 - bright(images)}
    monkeypatch.setattr(corruption_runs, "corrupted", counted)
    found = robustness_of_all(answers, data, ["fog", "gaussian_noise"], [1, 5])
    assert sorted(made) == [(name, s) for name in ("fog", "gaussian_noise") for s in (1, 5)]
    for who, answer in answers.items():
        expected = corruption_errors(answer, data, severities=[1, 5], names=["fog", "gaussian_noise"])
        assert found[who].errors == expected
        clean = 100 * (answer(data.images) != data.labels).double().mean().item()
        assert found[who].clean == pytest.approx(clean)


def test_the_version_asked_for_is_measured(data):
    images, seen = data.images, []
    robustness_of_all({"spy": lambda x: seen.append(x) or torch.zeros(12)}, data, ["frost"], [2], version=1)
    assert torch.equal(seen[0], corrupt(images, "frost", 2, version=1))
    assert not torch.equal(seen[0], corrupt(images, "frost", 2))


@pytest.mark.parametrize(
    "experiment", [s44_robustness.EXPERIMENT, s42_embeddings.EXPERIMENT, s43_robustness.EXPERIMENT]
)
def test_a_scale_is_measured_with_one_version_and_recorded_keys_with_the_first(experiment):
    versions = {scale: protocol.corruption_version for scale, protocol in experiment.protocols.items()}
    assert versions == {"smoke": 2, "reduced": 1, "paper": 2}
    for scale, version in versions.items():
        specs = [experiment.spec(arm.name, scale) for arm in experiment.arms]
        assert {spec.settings["corruption_version"] for spec in specs} == {version}


def test_the_version_is_part_of_the_key_but_the_first_is_not():
    spec = s43_robustness.EXPERIMENT.spec("vanilla", "reduced")
    assert spec.key == replace(spec, protocol=replace(spec.protocol, corruption_version=1)).key
    assert spec.key != replace(spec, protocol=replace(spec.protocol, corruption_version=2)).key
