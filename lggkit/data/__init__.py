"""Labelled sets as whole tensors on the device, their batches, and augmentation of images in one gather."""

from lggkit.data.augmentation import apply_augmentation, augment, draw_augmentation
from lggkit.data.batches import batches, epoch_order
from lggkit.data.catalog import DATASETS
from lggkit.data.class_batches import class_batches, class_order
from lggkit.data.dataset import DataSet
from lggkit.data.factor_grid import FactorGrid
from lggkit.data.files import DataCorrupt, DataUnavailable, root
from lggkit.data.fine_grained import FINE_GRAINED, fine_grained
from lggkit.data.labelled import LabelledSet
from lggkit.data.loading import load
from lggkit.data.numeric import TokenSet, VectorSet
from lggkit.data.parallel_text import ParallelText, read_table, verses
from lggkit.data.parallel_toy import invented
from lggkit.data.pixels import channel_statistics, normalize, to_float
from lggkit.data.shapes3d import load_shapes3d
from lggkit.data.vocabulary import Vocabulary, word_vocabulary

__all__ = [
    "DATASETS",
    "FINE_GRAINED",
    "DataCorrupt",
    "DataSet",
    "DataUnavailable",
    "FactorGrid",
    "LabelledSet",
    "ParallelText",
    "TokenSet",
    "VectorSet",
    "Vocabulary",
    "apply_augmentation",
    "augment",
    "batches",
    "channel_statistics",
    "class_batches",
    "class_order",
    "draw_augmentation",
    "epoch_order",
    "fine_grained",
    "invented",
    "load",
    "load_shapes3d",
    "normalize",
    "read_table",
    "root",
    "to_float",
    "verses",
    "word_vocabulary",
]
