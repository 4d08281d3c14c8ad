"""Figures, tables and sentences of paper 1, one module a section."""
