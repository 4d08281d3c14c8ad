import numpy as np
import pytest
import torch

from lggkit.evaluation import knn_error, linear_probe_error, svc_error
from lggkit.evaluation.embeddings import _by_shares, classifier_errors
from lggkit.evaluation.neighbors import neighbor_classes, neighbor_error

# On a line: two of class 0 near the origin, three of class 1 beyond; cosine sees one direction only.
BASE = torch.tensor([[1.0, 0.0], [2.0, 0.0], [5.0, 0.0], [6.0, 0.0], [7.0, 0.0]])
CLASSES = torch.tensor([0, 0, 1, 1, 1])


@pytest.fixture
def rings():
    """Two classes that no line parts: a disk and a ring around it, and a third far away."""
    source = torch.Generator().manual_seed(0)
    angle = 6.2832 * torch.rand(300, generator=source)
    labels = torch.arange(300) % 3
    radius = torch.tensor([0.3, 2.0, 0.3])[labels] + 0.1 * torch.rand(300, generator=source)
    x = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    x[labels == 2] += 8
    return x[:210], labels[:210], x[210:], labels[210:]


def test_neighbours_are_near_by_euclidean_distance():
    queries = torch.tensor([[1.4, 0.0], [3.4, 0.0], [6.4, 0.0]])
    assert neighbor_classes(BASE, CLASSES, queries, 1, "euclidean").tolist() == [0, 0, 1]
    assert knn_error(BASE, CLASSES, queries, torch.tensor([0, 1, 1]), k=1) == pytest.approx(100 / 3)
    assert knn_error(BASE, CLASSES, queries, torch.tensor([0, 0, 1]), k=1) == 0
    assert knn_error(BASE, CLASSES, queries, torch.tensor([0, 0, 1]), k=5) == pytest.approx(200 / 3)


def test_cosine_and_euclidean_neighbours_differ():
    base, classes = torch.tensor([[0.0, 5.0], [1.0, 0.1]]), torch.tensor([0, 1])
    query = torch.tensor([[0.0, 0.5]])
    assert neighbor_classes(base, classes, query, 1).tolist() == [0]
    assert neighbor_classes(base, classes, query, 1, "euclidean").tolist() == [1]
    assert neighbor_error(base, classes, query, torch.tensor([0]), k=1) == 0


def test_of_equal_votes_the_first_class_wins():
    queries = torch.tensor([[3.5, 0.0]])
    assert neighbor_classes(BASE, CLASSES, queries, 2, "euclidean").tolist() == [0]
    assert neighbor_classes(BASE, 1 - CLASSES, queries, 2, "euclidean").tolist() == [0]


def test_half_precision_and_gradients_are_no_obstacle():
    base = BASE.bfloat16().requires_grad_()
    assert knn_error(base, CLASSES, base, CLASSES, k=1) == 0
    assert linear_probe_error(base, CLASSES, base, CLASSES) == 0


def test_svc_parts_what_no_line_does(rings):
    choice = svc_error(*rings)
    assert choice.error < 3 and choice.validation_error < 3
    assert linear_probe_error(*rings) > 15


def test_svc_settings_are_chosen_where_others_fail(rings):
    """With gamma far too large every point stands alone; with C far too small the larger classes win."""
    base, labels, queries, asked = rings
    thinned = (labels != 0) | (torch.arange(len(labels)) % 4 == 0)
    uneven = (base[thinned], labels[thinned], queries, asked)
    unit = 1 / (2 * base[thinned].var(unbiased=False).item())
    choice = svc_error(*uneven, c=[10.0, 1e-6], gamma=[1e6, 1.0])
    assert (choice.c, choice.gamma) == (10.0, pytest.approx(unit, rel=1e-4))
    assert svc_error(*uneven, c=[1e-6], gamma=[1.0]).error > 30
    assert svc_error(*uneven, c=[10.0], gamma=[1e6]).error > 30
    assert svc_error(*uneven, c=[100.0, 10.0], gamma=[1.0]).c == 10.0


def test_of_equally_good_settings_those_nearest_to_one_are_chosen():
    """Two clusters far apart: every setting of the grid makes no error on what is held out."""
    source = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 2
    x = torch.randn(60, 2, generator=source) + 50 * y[:, None]
    unit = 1 / (2 * x.var(unbiased=False).item())
    choice = svc_error(x, y, x, y)
    assert choice.validation_error == choice.error == 0
    assert (choice.c, choice.gamma) == (1.0, pytest.approx(unit, rel=1e-4))
    apart = svc_error(x, y, x, y, c=[100.0, 10.0, 0.1, 0.01], gamma=[2.0, 0.5])
    assert (apart.c, apart.gamma) == (0.1, pytest.approx(0.5 * unit, rel=1e-4))


def test_svc_choice_is_blind_to_the_queries(rings):
    base, labels, queries, asked = rings
    choice, shifted = (svc_error(base, labels, queries, y) for y in (asked, (asked + 1) % 3))
    assert shifted.error > 95 > 5 > choice.error
    assert (shifted.c, shifted.gamma, shifted.validation_error) == (
        choice.c,
        choice.gamma,
        choice.validation_error,
    )


def test_validation_is_on_what_was_held_out():
    """Labels of pure chance: what is fitted is remembered, what is held out cannot be known."""
    source = torch.Generator().manual_seed(0)
    x, y = torch.rand(200, 2, generator=source), torch.randint(2, (200,), generator=source)
    choice = svc_error(x, y, x, y, c=[1e4], gamma=[1e5])
    assert choice.error == 0 and choice.validation_error > 30


def test_a_subset_keeps_the_shares_of_classes_and_the_seed_draws_it(rings, monkeypatch):
    import sklearn.svm

    seen = []
    fit = sklearn.svm.SVC.fit

    def spy(self, x, y, *args, **kwargs):
        seen.append(np.array(x))
        seen.append(np.bincount(y))
        return fit(self, x, y, *args, **kwargs)

    monkeypatch.setattr(sklearn.svm.SVC, "fit", spy)
    for seed in (0, 0, 1):
        svc_error(*rings, subset=60, c=[1.0], gamma=[1.0], seed=seed)
    fitted, whole = seen[1], seen[3]
    assert whole.tolist() == [20, 20, 20] and fitted.tolist() == [16, 16, 16]
    first, again, other = seen[2::4]
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_probe_weighs_features_alike_and_takes_a_subset(rings):
    x = torch.stack([torch.arange(40.0) % 2, 1e6 * torch.rand(40)], 1)
    y = torch.arange(40) % 2
    assert linear_probe_error(x, y, x, y) == 0
    assert linear_probe_error(x, y, x, 1 - y) == 100
    assert linear_probe_error(x, y, x, y, subset=20) == 0
    with pytest.raises(ValueError, match="train_size"):
        linear_probe_error(x, y, x, y, subset=1)


def test_an_embedding_that_has_collapsed_is_measured_too():
    x, y = torch.ones(30, 3), torch.arange(30) % 3
    assert svc_error(x, y, x, y).error == pytest.approx(200 / 3)
    assert linear_probe_error(x, y, x, y) == pytest.approx(200 / 3)
    assert knn_error(x, y, x, y, k=5) >= 200 / 3 - 1e-9


@pytest.mark.parametrize("subset", [3, 4, 10, 11])
def test_a_subset_that_is_possible_is_drawn_however_few_are_left_or_a_class_has(subset):
    """Class 7 has one sample, and of 12 only one or two may be left out."""
    y = np.array([0] * 6 + [3] * 5 + [7])
    for seed in range(5):
        chosen = _by_shares(y, subset, np.random.default_rng(seed))
        sizes = np.unique(y[chosen], return_counts=True)[1]
        assert len(set(chosen)) == subset == sizes.sum() and len(sizes) == 3
        assert abs(sizes[0] - subset * 6 / 12) <= 1 and abs(sizes[1] - subset * 5 / 12) <= 1
    x, labels = torch.from_numpy(y)[:, None].float(), torch.from_numpy(y)
    assert linear_probe_error(x, labels, x, labels, subset=subset) < 100
    two = torch.arange(10) % 2
    assert linear_probe_error(two[:, None].float(), two, two[:, None].float(), two, subset=9) == 0


def test_classifiers_are_asked_for_their_errors_with_the_options_chosen(rings):
    base, queries = (rings[0][:200], rings[1][:200]), (rings[0][200:], rings[1][200:])
    svc = svc_error(*base, *queries, subset=100)
    assert classifier_errors(base, queries, 100) == {
        "error_1nn": knn_error(*base, *queries, 1),
        "error_svc": svc.error,
        "svc_c": svc.c,
        "svc_gamma": svc.gamma,
        "error_probe": linear_probe_error(*base, *queries),
    }
