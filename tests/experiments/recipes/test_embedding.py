import math

import pytest
import torch
import torch.nn.functional as F

from lggkit import objectives
from lggkit.experiments.recipes.embedding import OPTIONS, EmbeddingLoss
from lggkit.protocol import Protocol
from lggkit.record import Spec

PEERS = ("triplet", "soft_nearest_neighbor", "supervised_contrastive")
VARIANTS = [*((loss, {}) for loss in PEERS), ("triplet", {"mining": "all"})]
# Distances 1 (0-1), 3 (0-2), 6 (0-3), 2 (1-2), 5 (1-3), 3 (2-3).
LINE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [6.0, 0.0]])
LABELS = torch.tensor([0, 0, 1, 1])


def value(outputs, labels, loss, **options):
    return EmbeddingLoss(loss, **options).of_batch(outputs, labels)


@pytest.fixture
def batch():
    source = torch.Generator().manual_seed(0)
    outputs = torch.randn(40, 5, generator=source, dtype=torch.float64)
    return outputs, torch.randint(4, (40,), generator=source)


def naive(x, y, loss, parameter):
    """The loss by loops over samples, from its paper's equation."""
    terms = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        same, rest = ([j for j in others if (y[j] == y[i]) == wanted] for wanted in (True, False))
        distance = [float((x[i] - other).norm()) for other in x]
        if loss == "triplet":
            furthest, nearest = max(distance[j] for j in same), min(distance[j] for j in rest)
            terms.append(max(0.0, parameter + furthest - nearest))
        elif loss == "soft_nearest_neighbor":
            weight = {j: math.exp(-(distance[j] ** 2) / parameter) for j in others}
            terms.append(-math.log(sum(weight[j] for j in same) / sum(weight.values())))
        else:
            logit = {j: float(F.cosine_similarity(x[i], x[j], dim=0)) / parameter for j in others}
            total = math.log(sum(map(math.exp, logit.values())))
            terms.append(-sum(logit[j] - total for j in same) / len(same))
    return sum(terms) / len(terms)


def test_triplet_by_hand():
    """Furthest positive less nearest negative: 1 - 3, 1 - 2, 3 - 2, 3 - 5."""
    assert float(value(LINE, LABELS, "triplet")) == pytest.approx(1.2 / 4)
    assert float(value(LINE, LABELS, "triplet", margin=1.5)) == pytest.approx((0 + 0.5 + 2.5 + 0) / 4)


def test_every_triplet_by_hand():
    """By anchor: 1 - 3, 1 - 6; 1 - 2, 1 - 5; 3 - 3, 3 - 2; 3 - 6, 3 - 5. Zeros are left out of the mean."""
    assert float(value(LINE, LABELS, "triplet", mining="all")) == pytest.approx((0.2 + 1.2) / 2)
    wide = value(LINE, LABELS, "triplet", mining="all", margin=1.5)
    assert float(wide) == pytest.approx((0.5 + 1.5 + 2.5) / 3)


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_batch_all_is_the_mean_over_triplets_that_are_not_zero(batch, margin):
    x, y = batch
    gaps = torch.cdist(x, x)
    same = (y == y[:, None]) & ~torch.eye(len(y), dtype=torch.bool)
    terms = [
        max(0.0, margin + float(gaps[a, p] - gaps[a, n]))
        for a in range(len(x))
        for p in same[a].nonzero()[:, 0]
        for n in (y != y[a]).nonzero()[:, 0]
    ]
    positive = [term for term in terms if term > 0]
    assert 0 < len(positive) < len(terms)
    found = value(x, y, "triplet", margin=margin, mining="all")
    assert float(found) == pytest.approx(sum(positive) / len(positive), rel=1e-6)


def test_soft_nearest_neighbor_by_hand():
    """Three points; only the first two have a positive."""
    near, far = math.exp(-1 / 2), math.exp(-9 / 2)
    by_hand = -(math.log(near / (near + far)) + math.log(near / (near + math.exp(-4 / 2)))) / 2
    found = value(LINE[:3], LABELS[:3], "soft_nearest_neighbor", temperature=2.0)
    assert float(found) == pytest.approx(by_hand, rel=1e-5)


def test_supervised_contrastive_by_hand():
    """Two pairs of orthogonal directions: every sample has one positive at cosine 1, two negatives at 0."""
    outputs = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0], [0.0, 0.5]])
    found = value(outputs, LABELS, "supervised_contrastive", temperature=0.5)
    assert float(found) == pytest.approx(math.log1p(2 * math.exp(-2)), rel=1e-5)


@pytest.mark.parametrize("parameter", [0.5, 2.0])
@pytest.mark.parametrize("loss", PEERS)
def test_peers_are_their_papers_equations(batch, loss, parameter):
    options = {OPTIONS[loss][0]: parameter}
    found = value(*batch, loss, **options)
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(naive(*batch, loss, parameter), rel=1e-6)


def test_own_losses_get_their_options(batch):
    outputs, labels = batch
    torch.testing.assert_close(value(outputs, labels, "cross_entropy"), F.cross_entropy(outputs, labels))
    torch.testing.assert_close(
        value(outputs, labels, "graph_smoothness"), objectives.graph_smoothness(outputs, labels)
    )
    for options in ({"alpha": 0.5}, {"k": 3}, {"reduction": "mean"}):
        found, expected = (
            value(*batch, "graph_smoothness", **options),
            objectives.graph_smoothness(*batch, **options),
        )
        torch.testing.assert_close(found, expected)
        assert not torch.isclose(found, objectives.graph_smoothness(*batch))


def test_the_weight_multiplies_the_loss(batch):
    once, thrice = (value(*batch, "graph_smoothness", reduction="mean", weight=w) for w in (1.0, 3.0))
    torch.testing.assert_close(thrice, 3 * once)


@pytest.mark.parametrize("loss", OPTIONS)
def test_losses_are_computed_in_float32_under_autocast(batch, loss):
    outputs, labels = batch[0].bfloat16(), batch[1]
    expected = value(outputs.float(), labels, loss)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = value(outputs, labels, loss)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [0, 1, 2, 3]])
@pytest.mark.parametrize(("loss", "options"), VARIANTS)
def test_a_batch_without_triplets_has_no_loss_and_no_gradient(loss, options, labels):
    outputs = LINE.clone().requires_grad_()
    softness = {} if loss == "triplet" else {"temperature": 2.0}
    found = value(outputs, torch.tensor(labels), loss, **options, **softness)
    found.backward()
    assert float(found.detach()) == pytest.approx(0, abs=1e-6)
    assert outputs.grad.abs().max() < 1e-6


@pytest.mark.parametrize(("loss", "options"), VARIANTS)
def test_gradients_are_finite_where_points_coincide(loss, options):
    outputs = torch.ones(30, 3, requires_grad=True)
    found = value(outputs, torch.arange(30) % 3, loss, **options)
    found.backward()
    assert found.isfinite() and outputs.grad.isfinite().all()


@pytest.mark.parametrize("loss", PEERS)
def test_outputs_that_are_no_numbers_are_not_hidden(batch, loss):
    """The library's reducers drop what does not exceed a threshold, and a NaN exceeds nothing."""
    outputs, labels = batch
    outputs[7, 2] = math.nan
    assert not value(outputs, labels, loss).isfinite()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loss": "triplets"}, "'triplets'; choose one of cross_entropy"),
        ({"loss": "triplet", "k": 5}, "k is 5, which triplet has no use for"),
        ({"loss": "graph_smoothness", "margin": 1.0}, "margin is 1.0"),
        ({"loss": "cross_entropy", "alpha": 1.0}, "alpha is 1.0"),
        ({"loss": "triplet", "mining": "semihard"}, "mining is 'semihard'; choose one of hard, all"),
        ({"mining": "all"}, "mining is 'all', which graph_smoothness has no use for"),
        ({"loss": "triplet", "margin": 0.0}, "margin is 0.0; give a positive"),
        ({"loss": "supervised_contrastive", "temperature": math.nan}, "temperature is nan"),
        ({"loss": "graph_smoothness", "weight": -1.0}, "weight is -1.0; give a positive"),
        ({"loss": "cross_entropy", "weight": 2.0}, "weight is 2.0, which cross_entropy has no use for"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        EmbeddingLoss(**settings)


def test_a_records_key_tells_losses_apart():
    from dataclasses import dataclass, field

    @dataclass(frozen=True)
    class Settings(Protocol):
        loss: EmbeddingLoss = field(default_factory=EmbeddingLoss)

    losses = [EmbeddingLoss(name) for name in OPTIONS] + [EmbeddingLoss(k=5), EmbeddingLoss(alpha=0.5)]
    keys = {Spec("a/b", "arm", "smoke", 0, Settings(loss=loss)).key for loss in losses}
    assert len(keys) == len(losses)
