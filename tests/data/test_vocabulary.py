"""Words become numbers: the most frequent ones their own, others one that they share."""

import pytest
import torch

from lggkit.data import Vocabulary, word_vocabulary
from lggkit.data.vocabulary import units

TEXTS = ["The cat, the dog", "A cat's tail; THE end", "été"]


def test_frequent_words_come_first_and_ties_in_order():
    words = word_vocabulary(TEXTS, size=5, length=4)
    assert words.words == ("the", "cat", "a") and len(words) == 5
    assert words(["The end of a cat"]).tolist() == [[2, 1, 1, 4]], "cut, and unknown where not counted"
    assert words(["cat", "", "?!"]).tolist() == [[3, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]
    assert words([]).shape == (0, 4) and words(TEXTS).dtype == torch.int64


def test_sequences_stay_within_words():
    assert list(units("ab c", "characters")) == [" ab", "ab ", " c "]
    letters = word_vocabulary(["ab ab c"], unit="characters", length=3)
    assert letters.words == (" ab", "ab ", " c ") and letters(["ab"]).tolist() == [[2, 3, 0]]


def test_what_makes_no_vocabulary_is_refused():
    with pytest.raises(TypeError, match="texts is a single string"):
        word_vocabulary("the cat")
    with pytest.raises(ValueError, match="there is no word in 2 texts"):
        word_vocabulary(["?", ""])
    with pytest.raises(ValueError, match="size is 2: give an integer from 3 on"):
        word_vocabulary(TEXTS, size=2)
    with pytest.raises(ValueError, match="length is 0"):
        word_vocabulary(TEXTS, length=0)
    with pytest.raises(ValueError, match="unit is 'bytes': choose one of words, characters"):
        word_vocabulary(TEXTS, unit="bytes")


def test_equal_texts_give_equal_vocabularies():
    assert word_vocabulary(TEXTS) == word_vocabulary(tuple(TEXTS)) != Vocabulary(("the",), 48)
