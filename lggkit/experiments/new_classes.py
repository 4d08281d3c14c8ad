"""What an embedding makes of classes that it was not trained on, with no part of it changed."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from lggkit.data import DataSet
from lggkit.evaluation import knn_error
from lggkit.experiments.base import Context
from lggkit.experiments.embedding_runs import EmbeddingSettings, embeddings, split_images, trained
from lggkit.record import Spec

NEIGHBORS = 10


def of_new_classes(spec: Spec, model: nn.Module, context: Context) -> dict[str, float]:
    """``error_10nn_new`` on test images of the classes not trained on, and what not training on them cost.

    Ten neighbours vote among the training images of all classes. The cost, ``new_class_cost``, is this error
    less the one, on the same images, of the network that was trained on all classes from the same seed; it is
    left out where that one diverged. Both are in percent.
    """
    settings = spec.protocol
    test = context.data(settings.data_name, train=False)
    asked = test.subset(test.labels >= settings.classes_kept)
    whole = replace(spec, protocol=replace(settings, classes_kept=None))
    (result,) = trained([whole], context).values()
    own = _error(model, settings, asked, context)
    if result.diverged is not None:
        return {"error_10nn_new": own}
    cost = own - _error(result.model, whole.protocol, asked, context)
    return {"error_10nn_new": own, "new_class_cost": cost}


def _error(model: nn.Module, settings: EmbeddingSettings, queries: DataSet, context: Context) -> float:
    base, _ = split_images(settings, context)
    held, asked = (embeddings(model, data.images, settings) for data in (base, queries))
    return knn_error(held, base.labels.cpu(), asked, queries.labels.cpu(), NEIGHBORS)
