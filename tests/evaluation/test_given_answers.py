"""Answers and labels that do not fit each other are refused; all widths of integers are taken."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from lggkit.evaluation import (
    agreement,
    consistency,
    error_rate,
    margins,
    predict,
    scatter_ratio,
)
from lggkit.evaluation._arrays import rows


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def batch():
    x = torch.rand(8, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    return x, network()(x).argmax(1)


def test_answers_are_tensors_of_classes_or_of_logits():
    y = torch.tensor([0, 1, 1])
    for function in (error_rate, agreement, partial(consistency, labels=y)):
        with pytest.raises(TypeError, match=r"(answers|labels) are a list: give a tensor"):
            function([0, 1, 1], y)
        with pytest.raises(TypeError, match=r"answers are torch.float32; give integers"):
            function(torch.tensor([0.9, 0.1, 0.2]), y)
        with pytest.raises(ValueError, match=r"answers have shape \(3, 1\); give logits of at least two"):
            function(torch.zeros(3, 1), y)
    with pytest.raises(TypeError, match="labels are a ndarray"):
        error_rate(y, y.numpy())
    assert error_rate(y.to(torch.uint16), y.to(torch.uint16)) == 0
    assert agreement(y.int(), y.to(torch.uint8)) == 100
    assert consistency(y.int(), y, y.to(torch.uint16)).on_correct == 100


def test_embeddings_are_tensors():
    for given in ([[1.0]], np.ones((1, 2))):
        with pytest.raises(
            TypeError, match=r"embeddings must be a tensor, got \w+: convert it by torch\.as_tensor"
        ):
            rows(given)
    with pytest.raises(TypeError, match=r"labels must be a tensor, got list: convert it by torch\.as_tensor"):
        scatter_ratio(torch.ones(2, 2), [0, 1])


def test_a_label_that_is_no_class_is_never_right():
    logits = torch.tensor([[float("nan"), 1.0], [1.0, 0.0]])
    with pytest.raises(ValueError, match="a label is -1; give classes from 0 to 1"):
        error_rate(logits, torch.tensor([-1, 0]))
    with pytest.raises(ValueError, match="a label is 2; give classes from 0 to 1"):
        margins(logits, torch.tensor([2, 0]))


def test_predictions_of_a_double_network_stay_double():
    x = batch()[0].double()
    assert predict(network().double(), x).dtype == torch.float64
    assert predict(network().half(), x.half()).dtype == torch.float32
    with pytest.raises(ValueError, match=r"dtype is torch.float64; choose one of"):
        predict(network(), x, dtype=torch.float64)
