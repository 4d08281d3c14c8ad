"""What an embedding makes of classes that it was not trained on, with no part of it changed."""

from __future__ import annotations

from dataclasses import replace

from lggkit.evaluation import knn_error
from lggkit.experiments.base import Context
from lggkit.experiments.embedding_runs import Labelled, embeddings, split_images, trained
from lggkit.record import Spec

NEIGHBORS = 10


def of_new_classes(spec: Spec, base: Labelled, queries: Labelled, context: Context) -> dict[str, float]:
    """``error_10nn_new`` on test images of the classes not trained on, and what not training on them cost.

    Ten neighbours vote among the training images of all classes. The cost, ``new_class_cost``, is this error
    less the one, on the same images, of the network that was trained on all classes from the same seed; it is
    left out where that one diverged. Both are in percent.

    Args:
        base, queries: the training and the test images of all classes as the network of ``spec`` embeds them
            (n, d), with their labels (n,).
    """
    settings, labels = spec.protocol, queries[1]
    new = labels >= settings.classes_kept
    own = knn_error(*base, queries[0][new], labels[new], NEIGHBORS)
    whole = replace(spec, protocol=replace(settings, classes_kept=None))
    (result,) = trained([whole], context).values()
    if result.diverged is not None:
        return {"error_10nn_new": own}
    kept, _ = split_images(settings, context)
    asked = context.data(settings.data_name, train=False).subset(new)
    held, places = (embeddings(result.model, data.images, whole.protocol) for data in (kept, asked))
    other = knn_error(held, base[1], places, labels[new], NEIGHBORS)
    return {"error_10nn_new": own, "new_class_cost": own - other}
