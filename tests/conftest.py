"""What the tests of several folders share: a compiled step's backends, and no haste for hypothesis."""

import os

import hypothesis
import pytest
import torch

from lggkit.training.processor import has_compiler

# Triton reads this when it is imported: without a GPU its kernels are run number by number.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# No test rests on a clock: a first example on a busy machine takes longer than hypothesis allows.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

NEEDS_COMPILER = [pytest.mark.slow, pytest.mark.skipif(not has_compiler(), reason="needs a compiler")]


@pytest.fixture(params=["eager", pytest.param("inductor", marks=NEEDS_COMPILER)])
def backend(request):
    return request.param
