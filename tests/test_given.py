"""Every public function of a wing says in a sentence of its own what it cannot work with."""

import importlib
import inspect
import re

import numpy as np
import pytest
import torch

from lggkit.graph import median_bandwidth, two_sample_test
from lggkit.similarity import mean_reciprocal_rank, neighbour_jaccard
from lggkit.subspaces import orthonormal_basis

WINGS = ("graph", "transport", "similarity", "topology", "regions", "subspaces", "generative")
GIVEN = {
    "an array": np.ones((8, 5)),
    "a list": [[1.0, 2.0]],
    "a text": "x",
    "complex numbers": torch.ones(8, 5, dtype=torch.complex64),
}
NOT_TENSORS = {"square", "flatten"}  # a length, and any tensor whatever
PYTHONS = re.compile(r"object|attribute|iterable|subscriptable|operand|index|size of tensor|not implemented")


def functions():
    for wing in WINGS:
        module = importlib.import_module(f"lggkit.{wing}")
        for name in module.__all__:
            function = getattr(module, name)
            if inspect.isfunction(function) and name not in NOT_TENSORS:
                yield pytest.param(function, id=f"{wing}.{name}")


@pytest.mark.parametrize("what", GIVEN)
@pytest.mark.parametrize("function", list(functions()))
def test_what_is_no_real_tensor_is_refused_in_a_sentence(function, what):
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    places = [p for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
    with pytest.raises((TypeError, ValueError)) as refusal:
        function(*[GIVEN[what]] * len(places))
    said = str(refusal.value)
    assert len(said.split()) > 4 and not PYTHONS.search(said), said


def test_nan_never_becomes_a_score():
    x, y = torch.randn(2, 12, 5, generator=torch.Generator().manual_seed(0))
    spoilt = x.clone()
    spoilt[3, 1] = torch.nan
    for score in (mean_reciprocal_rank, lambda a, b: neighbour_jaccard(a, b, 3)):
        assert 0 < score(x, y) <= 1 and score(spoilt, y).isnan() and score(y, spoilt).isnan()
    assert median_bandwidth(spoilt).isnan() and median_bandwidth(torch.stack([x, spoilt]))[0] > 0
    for refuses in (orthonormal_basis, lambda a: two_sample_test(a, y)):
        with pytest.raises(ValueError, match="NaN or infinite"):
            refuses(spoilt)
