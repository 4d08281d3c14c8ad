from types import SimpleNamespace

import numpy as np
import pytest

from lggkit.study.figures import stitching

pytestmark = pytest.mark.usefixtures("no_window")
NAMES = ["en words", "fr words", "en network", "fr network"]


@pytest.fixture
def shown():
    """Two seeds of one arm, whose accuracies are those of seed 0 and two points more."""
    base = np.arange(16.0).reshape(4, 4)
    arrays = [{"accuracy": base + 2 * seed, "names": np.array(NAMES)} for seed in range(2)]
    runs = [SimpleNamespace(seed=seed) for seed in range(2)]
    return SimpleNamespace(arm=lambda name: runs, arrays=lambda name, seed: arrays[seed])


def test_languages_are_those_of_pairs_of_one_kind(shown):
    table = stitching.languages_table(shown, {"robust": "robust"})
    assert list(table["decoder, encoder"]) == ["en, en", "en, fr", "fr, en", "fr, fr"]
    # Places 0, 0 and 2, 2 of the matrix, then 0, 1 and 2, 3, ...
    means = [np.mean([0, 10]) + 1, np.mean([1, 11]) + 1, np.mean([4, 14]) + 1, np.mean([5, 15]) + 1]
    assert [float(cell.split()[0]) for cell in table["robust"]] == means


def test_a_pair_without_a_number_is_a_dash_and_no_zero(shown):
    for seed in range(2):
        shown.arrays("", seed)["accuracy"][0, 3] = np.nan
    figure = stitching.stitching_figure(shown, {"robust": "robust"}, (0, 20), digits=1)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[3] == "–" and texts.count("–") == 1 and texts[0] == "1.0"
    with pytest.raises(ValueError):
        stitching.over_pairs(shown, "robust", [("en words", "fr network")])


def test_encoders_may_be_called_otherwise(shown):
    figure = stitching.stitching_figure(shown, {"robust": "robust"}, label=str.upper)
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == [name.upper() for name in NAMES]
