"""Image sets as whole tensors on the device, their batches, and augmentation of a batch in one gather."""

from lggkit.data.augmentation import apply_augmentation, augment, draw_augmentation
from lggkit.data.batches import batches, epoch_order
from lggkit.data.catalog import DATASETS
from lggkit.data.dataset import DataSet
from lggkit.data.files import DataCorrupt, DataUnavailable, root
from lggkit.data.loading import load
from lggkit.data.pixels import channel_statistics, normalize, to_float

__all__ = [
    "DATASETS",
    "DataCorrupt",
    "DataSet",
    "DataUnavailable",
    "apply_augmentation",
    "augment",
    "batches",
    "channel_statistics",
    "draw_augmentation",
    "epoch_order",
    "load",
    "normalize",
    "root",
    "to_float",
]
