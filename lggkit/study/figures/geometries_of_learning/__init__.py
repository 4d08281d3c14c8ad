"""Figures, tables and sentences of the articles, one module an article."""
