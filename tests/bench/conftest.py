"""What the tests of benchmarks share: loading one as ``make bench`` does."""

import importlib.util
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def tool():
    """The tool that runs benchmarks, as a module."""
    spec = importlib.util.spec_from_file_location("tools_bench", HERE.parents[1] / "tools" / "bench.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def load(tool):
    """A function from a benchmark's name to its module."""
    return lambda name: tool.load(HERE / f"{name}.py")
