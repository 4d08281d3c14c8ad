"""Geometries of learning: a collection of articles."""
