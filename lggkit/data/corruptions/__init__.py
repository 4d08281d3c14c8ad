"""The corruption benchmark: fifteen corruptions at five severities, CIFAR-10-C where it is found."""

from lggkit.data.corruptions.catalog import CORRUPTIONS, SEVERITIES, corrupt, corruption_sheet
from lggkit.data.corruptions.official import Corrupted, corrupted, source_of
from lggkit.data.corruptions.textures import Textures, frost_photographs
from lggkit.data.corruptions.versions import NEWEST, VERSIONS, Version

__all__ = [
    "CORRUPTIONS",
    "NEWEST",
    "SEVERITIES",
    "VERSIONS",
    "Corrupted",
    "Textures",
    "Version",
    "corrupt",
    "corrupted",
    "corruption_sheet",
    "frost_photographs",
    "source_of",
]
