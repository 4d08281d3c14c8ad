"""Latent geometry graphs: what a batch looks like to a network, as a graph that can be measured and trained."""

__version__ = "0.1.0"
