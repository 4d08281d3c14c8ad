import pytest
import torch
from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation import error_rate, model_error, predict


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 5)
    )


def images(count=10):
    return torch.randint(256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


@pytest.mark.parametrize("batch_size", [1, 3, 10, 1000])
def test_predictions_are_the_models_in_evaluation_mode_for_any_batch_size(batch_size):
    model, x = network(), images()
    predicted = predict(model, x, batch_size=batch_size)
    with torch.no_grad():
        expected = model.eval()(x / 255)
    torch.testing.assert_close(predicted, expected)


def test_every_modules_mode_is_as_before_and_no_statistics_move():
    model = network().train()
    model[1].eval()
    predict(model, images())
    assert [m.training for m in model] == [True, False, True, True, True] and model.training
    model.train()
    predict(model, images())
    assert torch.equal(model[1].running_mean, torch.zeros(4))


def test_modes_are_restored_after_an_error():
    model = network().train()
    with pytest.raises(RuntimeError):
        predict(model, images()[:, :1])
    assert all(module.training for module in model.modules())


def test_the_result_can_be_used_in_autograd():
    predicted = predict(network(), images())
    weight = torch.ones(5, requires_grad=True)
    (predicted * weight).sum().backward()
    torch.testing.assert_close(weight.grad, predicted.sum(0))


def test_preprocessing_precision_and_memory_format():
    model, x = network(), images()
    torch.testing.assert_close(
        predict(model, x, preprocess=lambda part: part / 510), predict(model, x, lambda part: part / 255 / 2)
    )
    low = predict(model, x, dtype=torch.bfloat16)
    assert low.dtype is torch.float32 and not torch.equal(low, predict(model, x))
    torch.testing.assert_close(low, predict(model, x), rtol=0.05, atol=0.05)
    last = model.to(memory_format=torch.channels_last)
    torch.testing.assert_close(predict(last, x), predict(network(), x))


def test_a_model_in_channels_last_is_fed_channels_last():
    model, seen = network().to(memory_format=torch.channels_last), []
    model.register_forward_pre_hook(lambda _, args: seen.append(args[0].stride(1)))
    predict(model, images())
    predict(network(), images())
    assert seen == [1]


def test_error_rate_is_the_percentage_of_wrong_answers():
    labels = torch.tensor([0, 1, 2, 2])
    assert error_rate(torch.eye(3)[[0, 1, 2, 0]], labels) == 25.0
    assert error_rate(torch.tensor([1, 0, 0, 2]), labels) == 75.0
    assert isinstance(error_rate(labels, labels), float)


def test_logits_that_are_no_numbers_are_wrong():
    logits = torch.tensor([[2.0, 1.0], [float("nan"), 1.0], [float("nan"), float("nan")]])
    assert error_rate(logits, torch.tensor([0, 0, 0])) == pytest.approx(200 / 3)


def test_model_error_is_the_error_on_a_data_set():
    model, x = network(), images()
    labels = predict(model, x).argmax(1)
    labels[:3] = (labels[:3] + 1) % 5
    data = DataSet(x, labels, tuple("abcde"), torch.zeros(3), torch.ones(3), "x", "test")
    assert model_error(model, data, batch_size=4) == pytest.approx(30)


@pytest.mark.parametrize("answers", [torch.zeros(3, 2), torch.zeros(0)])
def test_unequal_or_no_answers_are_refused(answers):
    with pytest.raises(ValueError, match="give one answer for each label"):
        error_rate(answers, torch.zeros(4) if len(answers) else torch.zeros(0))


def test_no_images_and_no_batches_are_refused():
    with pytest.raises(ValueError, match="no images"):
        predict(network(), images()[:0])
    with pytest.raises(ValueError, match="batch_size is 0"):
        predict(network(), images(), batch_size=0)
