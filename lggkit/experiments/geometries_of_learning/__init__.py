"""Geometries of learning: the articles of the ebook."""
