"""Notebooks as reviewed pairs, and the stage that the book is built from."""
