"""Figures of the book; colours and marks mean the same in every one."""

from lggkit.study.figures.style import ARM_COLORS, CLASS_COLORS, CLASS_MARKERS, arm_color, use_style

__all__ = ["ARM_COLORS", "CLASS_COLORS", "CLASS_MARKERS", "arm_color", "use_style"]
