"""What autocast, half inputs and float32 beside float64 leave as it is in float64."""

import pytest
import torch

from lggkit.subspaces import (
    SchubertBestFit,
    SchubertNode,
    SquaredCosineHead,
    SubspaceNeighbors,
    SubspacePrototypes,
    flag_mean,
    flag_median,
    principal_angles,
    schubert_distance,
    schubert_fit,
    set_distances,
)
from lggkit.subspaces.neighbors import DISTANCES

LABELS = torch.tensor([0, 1, 0, 1, 2, 2])


def calls(x, y):
    node, head = SchubertNode(9, 3), SquaredCosineHead(3, 4)
    with torch.no_grad():
        node.weight.copy_(y[0][:, [0, 1, 2]])
        head.weight.copy_(torch.arange(12.0).reshape(3, 4))
    return {
        "angles": lambda: principal_angles(x, y),
        "distance": lambda: schubert_distance(x, y, 2),
        "fit": lambda: schubert_fit(x, y[0], 2),
        "prototypes": lambda: SubspacePrototypes(list(y[:3])).distances(x),
        "node": lambda: node(x),
        "head": lambda: head(node(x)),
        "loss": lambda: node.angle_loss(x),
        "score": lambda: torch.tensor(SchubertBestFit(3).fit(y).score(x)),
        "transform": lambda: SchubertBestFit(3).fit(y).transform(x).abs(),
        "mean": lambda: flag_mean(x, 2).abs(),
        "median": lambda: flag_median(x, 2).abs(),
    }


NAMES = tuple(calls(torch.zeros(1, 9, 3), torch.eye(9)[None, :, :3]))


@pytest.mark.parametrize("name", [n for n in NAMES if n != "median"])
@pytest.mark.parametrize("types", [("float32", "float64"), ("float64", "float32"), ("float16", "float64")])
def test_types_beside_each_other_are_promoted(haar, name, types):
    x, y = haar(6, 9, 3), haar(6, 9, 3, seed=1)
    first, second = (z.to(getattr(torch, t)) for z, t in zip((x, y), types, strict=True))
    found, expected = (calls(*pair)[name]() for pair in ((first, second), (first.double(), second.double())))
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_autocast_rounds_nothing(haar, name):
    x, y = haar(6, 9, 3).float(), haar(6, 9, 3, seed=1).float()
    expected = calls(x, y)[name]()
    with torch.autocast("cpu", torch.bfloat16):
        found = calls(x, y)[name]()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("metric", tuple(DISTANCES))
@pytest.mark.parametrize("types", [("float32", "float64"), ("float64", "float32"), ("float16", "float16")])
def test_distances_of_sets_are_promoted_and_autocast_rounds_nothing(haar, metric, types):
    x, y = haar(6, 9, 3), haar(6, 9, 3, seed=1)
    first, second = (z.to(getattr(torch, t)) for z, t in zip((x, y), types, strict=True))
    expected = set_distances(first.double(), second.double(), metric)
    with torch.autocast("cpu", torch.bfloat16):
        found = set_distances(first, second, metric)
        classes = SubspaceNeighbors(second, LABELS, metric).predict(first)
    assert found.dtype == torch.promote_types(torch.float32, torch.promote_types(first.dtype, second.dtype))
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(classes, LABELS[expected.argmin(1)])


def test_prototypes_of_several_types_predict(haar):
    x = haar(6, 9, 3)
    prototypes = SubspacePrototypes([x[0].half(), x[1].float(), x[2]])
    assert prototypes.predict(x[:3].float()).tolist() == [0, 1, 2]
