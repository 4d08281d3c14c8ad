"""A kept network comes back with its path, in the layout it had, and so with the same bits."""

import dataclasses

import pytest
import torch

from lggkit.evaluation import predict
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.study.running.context import StudyContext
from lggkit.study.running.kept import KeptNetwork
from lggkit.training import Stream, Teacher, TrainConfig, read_checkpoint, write_checkpoint

SCHEDULE = TrainConfig(epochs=1, batch_size=300, augment=False)
SMALL = Network(Images("digits"), Architecture("small_net", (("width", 5),)), SCHEDULE)


def input_gradient(model, batch):
    images = batch.images.clone().requires_grad_()
    return torch.autograd.grad(model(images).logsumexp(1).sum(), images)[0]


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_kept_network_is_measured_to_the_bit_as_a_fresh_one(tmp_path, last, precision):
    """A study that was interrupted between training and measuring writes what an uninterrupted one does."""
    settings = dataclasses.replace(SCHEDULE, channels_last=last, precision=precision)
    network = dataclasses.replace(SMALL, schedule=settings)
    fresh, loaded = (StudyContext(weights=tmp_path).network(network, 0) for _ in range(2))
    assert fresh is not loaded and fresh.training == loaded.training is False
    images = StudyContext().data("digits", train=False).images
    for dtype in (torch.float32, torch.bfloat16):
        assert torch.equal(*(predict(model, images, dtype=dtype) for model in (fresh, loaded)))
    batch = Stream(StudyContext().data("digits"), settings, 0).batch(0)
    teachers = [Teacher(model, ["middle"]) for model in (fresh, loaded)]
    assert torch.equal(*(teacher(batch)["middle"] for teacher in teachers))
    assert torch.equal(*(input_gradient(model, batch) for model in (fresh, loaded)))


def test_the_path_is_kept_as_plain_data_and_read_from_the_line_of_earlier_versions(tmp_path):
    context = StudyContext(weights=tmp_path)
    (fresh,) = context.networks([(SMALL, 0)])
    store = KeptNetwork(tmp_path, SMALL.key(0))
    state = read_checkpoint(store.file)
    assert state["history"]["path"] == fresh.path.plain()
    history = {**state["history"], "path": str(fresh.path)}
    write_checkpoint(store.file, {**state, "history": history})
    (again,) = context.networks([(SMALL, 0)])
    assert again.path == fresh.path and again.precision == "float32"
