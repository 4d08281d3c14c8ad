"""Latent geometry graphs: what a batch looks like to a network, as a graph to measure and to train with."""

__version__ = "0.1.0"
