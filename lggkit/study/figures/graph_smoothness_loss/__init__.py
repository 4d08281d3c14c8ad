"""Figures, tables and sentences of paper 2, one module a section."""
