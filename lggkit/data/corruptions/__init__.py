"""The corruption benchmark: fifteen corruptions at five severities, CIFAR-10-C where it is found."""

from lggkit.data.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.data.corruptions.official import Corrupted, corrupted, source_of
from lggkit.data.corruptions.sheet import corruption_sheet

__all__ = ["CORRUPTIONS", "SEVERITIES", "Corrupted", "corrupt", "corrupted", "corruption_sheet", "source_of"]
