"""Optimal transport between the neurons of two layers, or two sets of samples (paper 3, section 2).

Plain functions on tensors: a cost matrix (..., n, m), a solver, a plan. `ipot` is batched, runs on any device
and belongs in a training step; `exact_transport` and `empirical_wasserstein` run SciPy's and POT's solvers on
the CPU, one problem at a time, and wait for the device. Gradients are those of the envelope theorem: the plan
is a constant. float16 and bfloat16 are accumulated in float32 and give float32, also under autocast.
"""

from lggkit.transport.costs import cost_matrix, neurons
from lggkit.transport.exact import empirical_wasserstein, exact_transport
from lggkit.transport.ipot import ipot
from lggkit.transport.plans import Transport
from lggkit.transport.problems import Marginals

__all__ = [
    "Marginals",
    "Transport",
    "cost_matrix",
    "empirical_wasserstein",
    "exact_transport",
    "ipot",
    "neurons",
]
