from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lggkit import graph
from lggkit.data import DataSet
from lggkit.evaluation import geometry as g
from lggkit.latents import latents


@pytest.fixture
def labels():
    return torch.arange(6).repeat_interleave(7)[
        torch.randperm(42, generator=torch.Generator().manual_seed(1))
    ]


@pytest.fixture
def images(labels):
    return torch.randint(1, 256, (len(labels), 1, 4, 4), generator=torch.Generator().manual_seed(2)).byte()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU())
        self.head = nn.Linear(8, 3)
        self.depths = {"penultimate": "body"}

    def forward(self, x):
        return self.head(self.body(x))


def draws_of(labels, count=30, seed=0):
    return g.balanced_draws(
        labels, count, classes=4, per_class=5, generator=torch.Generator().manual_seed(seed)
    )


def test_draws_are_balanced_without_repetition(labels):
    draws = draws_of(labels)
    assert draws.indices.shape == draws.labels.shape == (30, 20) and len(draws) == 30
    for indices, classes in zip(draws.indices, draws.labels, strict=True):
        assert len(indices.unique()) == 20
        assert (labels[indices] == classes).all()
        assert classes.unique(return_counts=True)[1].tolist() == [5] * 4


def test_draws_depend_on_the_generator_only(labels):
    assert torch.equal(draws_of(labels).indices, draws_of(labels).indices)
    assert not torch.equal(draws_of(labels).indices, draws_of(labels, seed=1).indices)


def test_every_class_and_image_gets_its_turn(labels):
    assert len(draws_of(labels, count=200).indices.unique()) == len(labels)


def test_draws_that_cannot_be_made_are_refused(labels):
    with pytest.raises(ValueError, match=r"a draw needs 7 classes with 5 images each; the set has 6 classes"):
        g.balanced_draws(labels, 1, classes=7, per_class=5, generator=torch.Generator())
    with pytest.raises(ValueError, match="the smallest of 7 images"):
        g.balanced_draws(labels, 1, classes=2, per_class=8, generator=torch.Generator())


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_geometries_are_those_of_each_draw_alone(images, labels, chunk):
    torch.manual_seed(0)
    model, draws = Net().train(), draws_of(labels, count=9)
    geometries = g.geometries(model, images, draws, ("input", "penultimate", "output"), k=3, chunk=chunk)
    assert model.training, "the mode must be put back"
    model.eval()
    for i in range(9):
        x = images[draws.indices[i]].float() / 255
        depths = {
            "input": (x, "cosine"),
            "penultimate": (model.body(x), "cosine"),
            "output": (model(x), "rbf"),
        }
        for name, (values, kind) in depths.items():
            a = graph.latent_geometry_graph(
                values.flatten(1).detach(),
                k=3,
                similarity=kind,
                bandwidth="median" if kind == "rbf" else None,
                normalized=False,
            )
            torch.testing.assert_close(geometries[name].adjacency[i], a)
            sigma = graph.normalized_label_variation(a, draws.labels[i], 3)
            torch.testing.assert_close(geometries[name].variation["edges-possible"][i], sigma)
            inter = (a * (draws.labels[i][:, None] != draws.labels[i])) > 0
            assert geometries[name].inter_edges[i] == inter.sum() / 2
    assert set(geometries["input"].variation) == set(g.DENOMINATORS)


def test_separated_classes_have_no_variation_and_no_edge(labels):
    images = torch.zeros(len(labels), 1, 4, 4).byte()
    images.flatten(1)[torch.arange(len(labels)), labels] = 255
    geometry = g.geometries(nn.Identity(), images, draws_of(labels), ("input",), k=4)["input"]
    assert geometry.variation["edges-possible"].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int16, torch.uint16])
def test_a_draw_that_is_possible_is_made_whatever_the_labels_are(dtype):
    source = torch.Generator().manual_seed(0)
    draws = g.balanced_draws(torch.tensor([5, 5, 6, 6]).to(dtype), 1, 2, 2, source)
    assert sorted(draws.indices[0].tolist()) == [0, 1, 2, 3]
    assert sorted(draws.labels[0].tolist()) == [5, 5, 6, 6]


def test_classes_that_are_too_small_are_passed_over():
    labels = torch.tensor([-1, 0, 0, 0, 7, 7, 7, 2**40, 2**40])
    draws = g.balanced_draws(labels, 50, 2, 3, torch.Generator().manual_seed(0))
    assert set(draws.labels.flatten().tolist()) == {0, 7}


@given(
    labels=st.lists(st.integers(-3, 6), max_size=14),
    classes=st.integers(1, 4),
    per_class=st.integers(1, 4),
)
@settings(max_examples=200, deadline=None)
def test_exactly_what_is_possible_is_drawn(labels, classes, per_class):
    sizes = Counter(labels)
    possible = sum(size >= per_class for size in sizes.values()) >= classes
    given_labels, source = torch.tensor(labels, dtype=torch.long), torch.Generator().manual_seed(1)
    if not possible:
        with pytest.raises(ValueError, match=rf"a draw needs {classes} classes with {per_class} images each"):
            g.balanced_draws(given_labels, 2, classes, per_class, source)
        return
    draws = g.balanced_draws(given_labels, 2, classes, per_class, source)
    assert torch.equal(given_labels[draws.indices], draws.labels)
    for indices, drawn in zip(draws.indices.tolist(), draws.labels.tolist(), strict=True):
        assert len(set(indices)) == classes * per_class
        assert len(set(drawn)) == classes and set(Counter(drawn).values()) == {per_class}


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"labels": torch.rand(8)}, ValueError, r"labels must be int64 \(8,\)"),
        ({"labels": torch.zeros(4, 2, dtype=torch.long)}, ValueError, r"not int64 \(4, 2\)"),
        ({"labels": [0, 0, 1, 1]}, TypeError, "labels are a list"),
        ({"count": 0}, ValueError, "count is 0"),
        ({"classes": 0}, ValueError, "classes is 0"),
        ({"per_class": -1}, ValueError, "per_class is -1"),
        ({"per_class": 1.5}, TypeError, r"per_class is 1\.5"),
    ],
)
def test_what_makes_no_draw_is_one_sentence(changes, error, said):
    fit = {"labels": torch.arange(8) % 2, "count": 1, "classes": 2, "per_class": 2}
    with pytest.raises(error, match=said):
        g.balanced_draws(**fit | changes, generator=torch.Generator())


def test_one_graph_of_a_whole_set_is_that_of_the_dense_function(images, labels):
    model, data = Net(), DataSet.from_tensors(images, labels)
    variations = g.whole_set_variations(model, data, ["input", "penultimate"], 5)
    with torch.no_grad():
        seen = latents(model.eval(), images.float() / 255, ["input", "penultimate"])
    dense = [graph.latent_geometry_graph(x.flatten(1), 5, normalized=False) for x in seen.values()]
    expected = [float(graph.normalized_label_variation(a, labels, 5)) for a in dense]
    assert variations == pytest.approx(expected, rel=1e-5)
