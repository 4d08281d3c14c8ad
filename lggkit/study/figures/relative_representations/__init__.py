"""Figures, tables and sentences of paper 4, one module a section."""
