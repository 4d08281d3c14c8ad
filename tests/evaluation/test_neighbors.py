import numpy as np
import pytest
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation.neighbors import latents_at, neighbor_classes, neighbor_error, neighbor_errors


def naive_error(base, base_labels, queries, labels, k):
    wrong = 0
    for query, label in zip(queries.flatten(1), labels, strict=True):
        cosines = torch.stack([torch.cosine_similarity(query, b, dim=0) for b in base.flatten(1)])
        votes = base_labels[cosines.topk(k).indices]
        wrong += int(votes.mode().values != label)
    return 100 * wrong / len(labels)


def clouds(n, generator):
    labels = torch.arange(n) % 3
    centers = torch.eye(3)[labels]
    return (centers + 0.55 * torch.rand(n, 3, generator=generator)).unsqueeze(-1), labels


def test_error_is_that_of_a_plain_vote():
    generator = torch.Generator().manual_seed(0)
    base, queries = clouds(60, generator), clouds(45, generator)
    error = neighbor_error(*base, *queries, k=1)
    assert error == pytest.approx(naive_error(*base, *queries, k=1))
    shuffled = base[1][torch.randperm(60, generator=generator)]
    assert neighbor_error(base[0], shuffled, *queries, k=5) > 30


def test_latents_are_whole_and_the_mode_is_put_back():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5)).train()
    images = torch.arange(24).reshape(6, 1, 2, 2).byte()
    expected = images.flatten(1) / 255
    for depth in ("input", "output"):
        torch.testing.assert_close(latents_at(model, images, depth, chunk=4), expected)
    assert model.training


def test_errors_by_depth_use_base_and_queries():
    pixels = torch.zeros(12, 1, 2, 2)
    labels = torch.arange(12) % 4
    pixels.flatten(1)[torch.arange(12), labels] = 255
    data = DataSet(pixels.byte(), labels, ("a", "b", "c", "d"), torch.zeros(1), torch.ones(1), "toy", "train")
    wrong = DataSet(pixels.byte(), (labels + 1) % 4, data.classes, data.mean, data.std, "toy", "test")
    assert neighbor_errors(nn.Identity(), data, data, ["input"], k=3) == {"input": 0.0}
    assert neighbor_errors(nn.Identity(), data, wrong, ["input"], k=3) == {"input": 100.0}


def test_k_beyond_the_base_is_refused():
    x, y = clouds(6, torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="n_neighbors"):
        neighbor_error(x, y, x, y, k=7)


PLACES = {
    "ordinary": lambda x: x,
    "far from the origin": lambda x: x + 1e9,
    "one outlier": lambda x: torch.cat((torch.full_like(x[:1], 1e12), x[1:])),
    "two clusters": lambda x: 1e-6 * x + 1e5 * (torch.arange(len(x)) % 2).unsqueeze(1),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_euclidean_votes_are_those_of_differences(place):
    base, queries = (place(torch.randn(n, 20, dtype=torch.float64)) for n in (150, 40))
    labels = torch.randint(3, (150,))
    distances = torch.cdist(queries, base, compute_mode="donot_use_mm_for_euclid_dist")
    voters = labels[distances.argsort(1)[:, :5]]
    expected = torch.nn.functional.one_hot(voters, 3).sum(1).argmax(1)
    assert torch.equal(neighbor_classes(base, labels, queries, 5, "euclidean"), expected)


@pytest.mark.parametrize("given", [[[1.0, 2.0]] * 4, np.ones((4, 2))], ids=["list", "array"])
def test_what_is_no_tensor_is_told(given):
    x, y = torch.rand(4, 2), torch.arange(4)
    for call in ((given, y, x, y), (x, y, given, y), (x, given, x, y), (x, y, x, given)):
        with pytest.raises(TypeError, match=r"must be a tensor, got \w+: convert it by torch\.as_tensor"):
            neighbor_error(*call, k=1)
    with pytest.raises(TypeError, match="labels must be integers"):
        neighbor_error(x, y.float(), x, y, k=1)
