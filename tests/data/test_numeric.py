"""Sets of vectors and of ids: what they keep, and what they refuse in one sentence."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lggkit.data import TokenSet, VectorSet

LABELS = torch.tensor([0, 1, 2, 0])


@pytest.fixture
def vectors():
    return VectorSet(torch.arange(8.0).view(4, 2), LABELS, ("a", "b", "c"))


@pytest.fixture
def tokens():
    return TokenSet(torch.tensor([[1, 2, 0], [3, 0, 0], [1, 1, 1], [0, 2, 0]]), LABELS, 4)


def test_they_are_chosen_from_as_images_are(vectors, tokens):
    for data in (vectors, tokens):
        part = data.subset([3, 0])
        assert torch.equal(part.samples, data.samples[[3, 0]]) and part.labels.tolist() == [0, 0]
        assert len(data.subset([])) == 0 and data.to("cpu").classes == data.classes
        assert data.first_classes(2).labels.tolist() == [0, 1, 0] and len(data.first(2)) == 2
        assert data.per_class(1, torch.Generator().manual_seed(0)).labels.tolist() == [0, 1, 2]
    assert tokens.classes == ("0", "1", "2") and tokens.shape == (3,) and tokens.subset([0]).vocabulary == 4
    with pytest.raises(ValueError, match="class 1 of texts has 1 texts, not 2: ask for fewer"):
        tokens.per_class(2, torch.Generator())


def test_arrays_and_labels_of_other_types_are_taken():
    data = VectorSet(np.ones((2, 3), np.float32), np.array([1, 0], np.uint8))
    assert data.labels.dtype == torch.int64 and data.vectors.shape == (2, 3)


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        (torch.ones(2, 3, dtype=torch.float64), ValueError, r"vectors must be float32 \(n, d\), not float64"),
        (torch.ones(2), ValueError, r"not float32 \(2,\): convert"),
        (torch.ones(2, 0), ValueError, r"not float32 \(2, 0\)"),
        (
            torch.tensor([[0.0, 1.0], [torch.nan, 1.0]]),
            ValueError,
            "vector 1 has an entry that is not finite",
        ),
        ([[1.0]], TypeError, "vectors are a list: give a tensor or a NumPy array"),
    ],
)
def test_other_vectors_are_refused(values, error, said):
    with pytest.raises(error, match=said):
        VectorSet(values, torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize(
    ("ids", "vocabulary", "error", "said"),
    [
        ([[1, 4], [1, 0]], 4, ValueError, "ids run from 0 to 4, but the vocabulary has 4, padding included"),
        ([[1, -1], [1, 0]], 4, ValueError, "ids run from -1 to 1"),
        ([[1, 2], [0, 0]], 4, ValueError, "text 1 is padding throughout: leave it out"),
        ([1, 2], 4, ValueError, r"ids must be int64 \(n, length\), not int64 \(2,\)"),
        ([[1.0], [2.0]], 4, ValueError, "not float32"),
        ([[1, 2], [1, 0]], 1, ValueError, "vocabulary is 1: give an integer from 2 on"),
        ([[1, 2], [1, 0]], 3.0, TypeError, "vocabulary is 3.0: give an integer"),
    ],
)
def test_other_ids_are_refused(ids, vocabulary, error, said):
    with pytest.raises(error, match=said):
        TokenSet(torch.tensor(ids), torch.zeros(2, dtype=torch.int64), vocabulary)


def test_labels_have_one_for_each_and_a_class(vectors, tokens):
    with pytest.raises(ValueError, match=r"labels must be int64 \(4,\), one for each text, not int64 \(3,\)"):
        replace(tokens, labels=LABELS[:3])
    with pytest.raises(ValueError, match="labels run from 0 to 2, but there are 2 classes"):
        replace(vectors, classes=("a", "b"))
