"""What the tests of objectives share: a seed, and the backends that a compiled step is tried with."""

import pytest
import torch

from lggkit.training.processor import has_compiler

NEEDS_COMPILER = [pytest.mark.slow, pytest.mark.skipif(not has_compiler(), reason="needs a compiler")]


@pytest.fixture(params=["eager", pytest.param("inductor", marks=NEEDS_COMPILER)])
def backend(request):
    return request.param


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)
