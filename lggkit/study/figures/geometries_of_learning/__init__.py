"""Figures, tables and sentences of the articles of the ebook."""
