"""Topology of point sets: when the components of a growing complex die (paper 4, section 4).

Plain functions on tensors: (..., n, d) are independent sets of n points. Differentiable, on any device, with
static shapes; nothing waits for the device.
"""

from lggkit.topology.deaths import beta_connected, component_deaths, spanning_tree

__all__ = ["beta_connected", "component_deaths", "spanning_tree"]
