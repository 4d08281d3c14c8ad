"""What the tests of several folders share: the backends that a compiled step is tried with."""

import pytest

from lggkit.training.processor import has_compiler

NEEDS_COMPILER = [pytest.mark.slow, pytest.mark.skipif(not has_compiler(), reason="needs a compiler")]


@pytest.fixture(params=["eager", pytest.param("inductor", marks=NEEDS_COMPILER)])
def backend(request):
    return request.param
