import pytest
import torch

from lggkit.data import DataSet
from lggkit.experiments.lgg.s41_distillation import EXPERIMENT as DISTILLATION
from lggkit.experiments.recipes.autoencoders import Pictures
from lggkit.experiments.relative_representations.s13_images import EXPERIMENT
from lggkit.record import SCALES


@pytest.mark.parametrize("scale", SCALES)
def test_students_are_the_other_chapters(scale):
    """So that they are trained once, whoever asks first."""
    ours = EXPERIMENT.protocols[scale].students.described
    arms = {"cross-entropy": "baseline", "GKD": "gkd", "RKD-D": "rkd_d"}
    for (loss, _), (network, seed) in ours.items():
        theirs = DISTILLATION.spec(arms[loss], scale, seed).protocol.description
        assert network == theirs and network.key(seed) == theirs.key(seed)


def test_means_are_those_of_the_matrix(records):
    record = records["robust", 0]
    matrix = record.arrays["explained"]
    assert record.metrics["explained_own"] == pytest.approx(matrix.diagonal().mean(), rel=1e-4)
    assert record.metrics["explained_seed"] == pytest.approx((matrix[0, 1] + matrix[1, 0]) / 2, rel=1e-4)


def test_pictures_are_kept_of_the_first_seed_alone(records):
    first, second = (records["absolute", seed].arrays for seed in (0, 1))
    assert first["original"].shape == first["foreign"].shape and first["original"].dtype == "uint8"
    assert "original" not in second
    assert (first["original"] == records["robust", 0].arrays["original"]).all()


def test_the_mean_picture_explains_nothing_and_the_picture_all():
    images = torch.randint(256, (30, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    data = DataSet.from_tensors(images, torch.zeros(30, dtype=torch.int64))
    pictures = Pictures.drawn(data, data, (20, 5, 10), seed=0)
    assert len(pictures.pool) == 5 and len(pictures.test) == 10
    assert pictures.explained(pictures.test) == 100
    assert pictures.explained(pictures.train.mean(0).expand(10, -1)) == pytest.approx(0, abs=1e-4)
    assert torch.equal(pictures.as_bytes(pictures.test), images[:10])
