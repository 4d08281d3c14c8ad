"""How far a training has gone: from what its record has, or from the network ledger."""

import dataclasses
from types import SimpleNamespace

import pytest

from lggkit.objectives import least_pair_loss
from lggkit.study.judging.derived import least_loss, progress, with_derived
from lggkit.study.records.network_ledger import Training

LOSS = {"loss": "graph_smoothness", "alpha": 2.0, "k": None, "reduction": "mean", "weight": 10.0}
SETTINGS = {"dataset": "cifar10", "normalization": "l2", "loss": LOSS, "training": {"batch_size": 100}}
LEAST = least_pair_loss(10)


@pytest.fixture
def embedding(make_record):
    def make(settings=SETTINGS, metrics=None):
        return dataclasses.replace(make_record(metrics=metrics or {}), settings=settings, network="0" * 16)

    return make


def training(first, last):
    texts = dict.fromkeys(("device", "precision", "path"), "")
    return Training("0" * 16, {}, 0, 1, 1.0, {}, first_loss=first, last_loss=last, **texts)


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ({}, LEAST),
        ({"loss_changes": [["alpha", 0.5]]}, least_pair_loss(10, 0.5)),
        ({"dataset": "cifar100"}, least_pair_loss(100)),
        ({"stand_in": "digits", "dataset": "cifar100"}, LEAST),
        ({"classes_kept": 8}, least_pair_loss(8)),
        ({"dimension": 9}, LEAST),
        ({"dimension": 8}, None),
        ({"dimension": 2}, None),
        ({"normalization": None}, None),
        ({"normalization": "batch"}, None),
        ({"loss_changes": [["k", 5]]}, None),
        ({"loss": LOSS | {"loss": "triplet"}}, None),
        ({"loss": "mse"}, None),
        ({"dataset": None}, None),
        ({"dataset": "reviews"}, None),
    ],
    ids=str,
)
def test_the_least_is_known_for_simplices_only(changes, least):
    assert least_loss(SETTINGS | changes) == (None if least is None else pytest.approx(least))


def test_records_say_it_themselves(embedding):
    metrics = {"initial_pair_loss": 0.5, "final_pair_loss": LEAST + 0.2 * (0.5 - LEAST)}
    assert progress(embedding(metrics=metrics)) == pytest.approx(0.8)
    assert progress(embedding(metrics={"initial_pair_loss": 0.5})) is None
    worse = {"initial_pair_loss": 0.5, "final_pair_loss": 0.6}
    assert progress(embedding(metrics=worse)) < 0
    assert progress(embedding(metrics={"initial_pair_loss": LEAST, "final_pair_loss": LEAST})) is None


@pytest.mark.parametrize(("reduction", "size"), [("mean", 10.0), ("sum", 10.0 * 9000)])
def test_else_the_network_ledger_says_it(embedding, reduction, size):
    """A sum is over the ordered pairs of distinct classes: 100 images of 10 classes have 9000."""
    record = embedding(SETTINGS | {"loss": LOSS | {"reduction": reduction}})
    last = LEAST + 0.1 * (0.5 - LEAST)
    assert progress(record, training(0.5 * size, last * size)) == pytest.approx(0.9)
    for first, end in ((None, 1.0), (1.0, None), (float("inf"), 1.0)):
        assert progress(record, training(first, end)) is None
    assert progress(record) is None


def test_it_is_derived_with_everything_else(embedding):
    experiment = SimpleNamespace(reference="", derived=())
    (record,) = with_derived(experiment, [embedding()], {"0" * 16: training(5.0, 10 * LEAST)})
    assert record.metrics["progress"] == pytest.approx(1.0)
    (other,) = with_derived(experiment, [embedding()], {"1" * 16: training(5.0, 1.0)})
    assert "progress" not in other.metrics
