"""How errors under corruptions are counted, and neighbours' votes, by networks whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lggkit.data import DataSet
from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.evaluation import corruption_errors
from lggkit.evaluation.benchmark import CorruptionBenchmark, corruption_metrics
from lggkit.evaluation.neighbors import NeighborVote


@pytest.fixture
def data():
    images = torch.randint(256, (12, 1, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    one = torch.full((1,), 0.5)
    return DataSet(images, torch.arange(12) % 2, ("a", "b"), one, one, "digits", "test")


def bright(images):
    return (images.float().mean((1, 2, 3)) > 130).long()


ANSWERS = {"bright": bright, "dark": lambda images: 1 - bright(images)}


def test_all_networks_are_asked_for_the_same_corrupted_images(data):
    names, severities = ["fog", "gaussian_noise"], [1, 5]
    metrics = corruption_metrics(ANSWERS, data, names, severities)
    for who, answer in ANSWERS.items():
        expected = corruption_errors(answer, data, severities=severities, names=names)
        assert {name: tuple(metrics[who][f"errors_{name}"]) for name in names} == expected
        clean = 100 * (answer(data.images) != data.labels).double().mean().item()
        assert metrics[who]["clean_error"] == pytest.approx(clean)
        assert set(metrics[who]) == {"clean_error", *(f"errors_{name}" for name in names)}


def test_a_corrupted_set_is_made_once_and_let_go(data):
    """Two networks see the very same tensor, at most one corruption's at a time."""
    seen = []
    spies = {who: lambda x: seen.append(x) or torch.zeros(12, dtype=torch.long) for who in ("a", "b")}
    corruption_metrics(spies, data, ["fog", "frost"], [1, 2])
    clean, of_fog, of_frost = seen[:2], seen[2:6], seen[6:]
    assert [len({id(x) for x in images}) for images in (clean, of_fog, of_frost)] == [1, 2, 2]


@pytest.mark.parametrize("version", [1, 2])
def test_the_version_asked_for_is_measured(data, version):
    seen = []
    answer = {"spy": lambda x: seen.append(x) or torch.zeros(12, dtype=torch.long)}
    corruption_metrics(answer, data, ["frost"], [2], version=version)
    made = {number: corrupt(data.images, "frost", 2, version=number) for number in (1, 2)}
    assert torch.equal(seen[1], made[version]) and not torch.equal(*made.values())


def test_a_benchmark_is_of_the_first_images(data):
    suite = CorruptionBenchmark(5, ("contrast",), (3,), corruption_version=2)
    sizes = []
    metrics = suite.metrics({"one": lambda x: sizes.append(len(x)) or bright(x)}, data)["one"]
    expected = corruption_metrics(ANSWERS, data.first(5), ["contrast"], [3])["bright"]
    assert sizes == [5, 5] and metrics == expected | {"published_corruptions": 0}


@pytest.mark.parametrize("published", [0, 1])
def test_a_record_says_whose_corruptions_it_is_about(tmp_path, monkeypatch, published):
    monkeypatch.setenv("LGGKIT_DATA", str(tmp_path))
    if published:
        (tmp_path / "CIFAR-10-C").mkdir()
        np.save(tmp_path / "CIFAR-10-C/labels.npy", np.zeros(50_000, np.uint8))
    images, half = torch.full((4, 3, 32, 32), 200, dtype=torch.uint8), torch.full((3,), 0.5)
    classes = tuple("0123456789")
    test = DataSet(images, torch.zeros(4, dtype=torch.long), classes, half, half, "cifar10", "test")
    metrics = CorruptionBenchmark(corruptions=()).metrics(ANSWERS, test)
    assert metrics["dark"] == {"clean_error": 0.0, "published_corruptions": published}


def test_without_networks_nothing_is_corrupted(data):
    assert CorruptionBenchmark().metrics({}, data) == {}


def test_by_default_it_is_the_whole_benchmark_as_it_was_first_recorded():
    whole = CorruptionBenchmark()
    assert (whole.corruptions, whole.severities) == (CORRUPTIONS, SEVERITIES)
    assert (whole.corruption_images, whole.corruption_version) == (None, 1)
    assert replace(whole, corruption_version=2) != whole


def test_neighbours_vote_by_euclidean_distance():
    """Points on two rays: what is near by angle is not what is near by Euclidean distance."""
    base = torch.tensor([[10.0 + i, 10 + i] for i in range(5)] + [[100.0, 80 + i] for i in range(6)])
    labels = torch.tensor([0] * 5 + [1] * 6)
    votes = NeighborVote(lambda images: images.flatten(1)[:, :2].float(), base, labels)
    image = torch.full((1, 1, 2, 2), 90, dtype=torch.uint8)
    assert votes.of_images(image, 1).tolist() == votes.of(torch.tensor([[90.0, 90.0]]), 1).tolist() == [1]
    assert votes.of(torch.tensor([[12.0, 12.0]]), 3).tolist() == [0]
    assert votes.of_images(image, 11).tolist() == [1]
