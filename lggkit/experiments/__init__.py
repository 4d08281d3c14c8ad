"""The papers' experiments, one module a section: arms, protocol per scale, and what is recorded."""

from lggkit.experiments.base import Arm, Context, Experiment, all_experiments, get

__all__ = ["Arm", "Context", "Experiment", "all_experiments", "get"]
