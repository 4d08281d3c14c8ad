"""Figures, tables and sentences of paper 3."""
