"""What the tests of several folders share: a compiled step's backends, and no haste for hypothesis."""

import hypothesis
import pytest

from lggkit.training.processor import has_compiler

# No test rests on a clock: a first example on a busy machine takes longer than hypothesis allows.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

NEEDS_COMPILER = [pytest.mark.slow, pytest.mark.skipif(not has_compiler(), reason="needs a compiler")]


@pytest.fixture(params=["eager", pytest.param("inductor", marks=NEEDS_COMPILER)])
def backend(request):
    return request.param
