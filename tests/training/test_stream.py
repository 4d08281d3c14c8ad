import pytest
import torch

from lggkit.training import Stream, TrainConfig


def config(**settings):
    return TrainConfig(**{"epochs": 2, "batch_size": 8, "pad": 1, **settings})


def test_an_epoch_visits_every_image_once_and_keeps_the_short_batch(data):
    stream = Stream(data, config(), seed=0)
    batches = [stream.batch(step) for step in range(stream.steps_per_epoch)]
    assert [len(batch.labels) for batch in batches] == [8, 8, 8, 4] == stream.sizes().tolist()
    index = torch.cat([batch.index for batch in batches])
    assert index.sort().values.tolist() == list(range(28))
    assert torch.equal(torch.cat([batch.labels for batch in batches]), data.labels[index])


@pytest.mark.parametrize("channels_last", [True, False])
def test_images_are_the_data_on_the_unit_interval(data, channels_last):
    batch = Stream(data, config(augment=False, channels_last=channels_last), seed=0).batch(5)
    assert torch.equal(batch.images, data.images[batch.index] / 255)
    assert batch.images.is_contiguous(memory_format=torch.channels_last) == channels_last
    assert (batch.epoch, batch.step) == (1, 5)


def test_equal_seeds_see_equal_batches_in_any_order(data):
    first, second = Stream(data, config(), seed=3), Stream(data, config(), seed=3)
    forwards = [first.batch(step).images for step in range(8)]
    backwards = [second.batch(step).images for step in reversed(range(8))]
    assert all(torch.equal(a, b) for a, b in zip(forwards, reversed(backwards), strict=True))


def test_seeds_and_epochs_differ(data):
    first, second = Stream(data, config(), seed=0), Stream(data, config(), seed=1)
    assert not torch.equal(first.batch(0).index, second.batch(0).index)
    assert not torch.equal(first.batch(0).index, first.batch(4).index)


def test_augmentation_leaves_the_order_alone(data):
    with_it, without = Stream(data, config(), seed=0), Stream(data, config(augment=False), seed=0)
    assert torch.equal(with_it.batch(2).index, without.batch(2).index)
    assert not torch.equal(with_it.batch(2).images, without.batch(2).images)


def test_augmented_images_are_shifts_and_flips_of_their_own_image(data):
    batch = Stream(data, config(), seed=0).batch(1)
    for image, place in zip(batch.images, batch.index, strict=True):
        padded = torch.nn.functional.pad(data.images[place] / 255, (1, 1, 1, 1))
        crops = [padded[:, y : y + 6, x : x + 6] for y in range(3) for x in range(3)]
        assert any(torch.equal(image, crop) or torch.equal(image, crop.flip(-1)) for crop in crops)


def test_without_flip_only_shifts(data):
    flipped = Stream(data, config(pad=0), seed=0).batch(0)
    plain = Stream(data, config(pad=0, flip=False), seed=0).batch(0)
    assert torch.equal(plain.images, data.images[plain.index] / 255)
    assert not torch.equal(flipped.images, plain.images)


def test_the_same_step_is_the_same_object(data):
    stream = Stream(data, config(), seed=0)
    assert stream.batch(3) is stream.batch(3)


def test_every_epoch_augments_anew(data):
    alike = data.subset([0] * 8)
    stream = Stream(alike, config(), seed=0)
    assert not torch.equal(stream.batch(0).images, stream.batch(1).images)
