import pytest
import torch
from torch import nn

from lggkit import graph
from lggkit.evaluation import geometry as g


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
    found = g.geometries(model, images, draws, ("input", "penultimate", "output"), k=3, chunk=chunk)
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
            torch.testing.assert_close(found[name].adjacency[i], a)
            sigma = graph.normalized_label_variation(a, draws.labels[i], 3)
            torch.testing.assert_close(found[name].variation["edges-possible"][i], sigma)
            inter = (a * (draws.labels[i][:, None] != draws.labels[i])) > 0
            assert found[name].inter_edges[i] == inter.sum() / 2
    assert set(found["input"].variation) == set(g.DENOMINATORS)


def test_separated_classes_have_no_variation_and_no_edge(labels):
    images = torch.zeros(len(labels), 1, 4, 4).byte()
    images.flatten(1)[torch.arange(len(labels)), labels] = 255
    found = g.geometries(nn.Identity(), images, draws_of(labels), ("input",), k=4)["input"]
    assert found.variation["edges-possible"].abs().max() == 0
