"""Paper 2, section 4.4: robustness to corruptions of embeddings by graph smoothness (Table 2).

The reference of every mean is the cross-entropy network of the same seed, which answers by its largest
logit; embeddings answer by a vote of ten neighbours among the embedded training images. Corrupted images
are CIFAR-10-C where its files are found, else CIFAR-10-C-like.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from lggkit.data.corruptions import CORRUPTIONS, corruption_sheet
from lggkit.experiments.base import Arm, Context, Experiment, how_trained, trained
from lggkit.experiments.recipes.answers import (
    PAPER_BENCHMARK,
    REDUCED_BENCHMARK,
    SHORT_BENCHMARK,
    SMOKE_BENCHMARK,
    Answering,
    corrupted_errors,
)
from lggkit.experiments.recipes.embedder import (
    AS_IN_SWEEPS,
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    REDUCED_EMBEDDER,
    SHORT_EMBEDDER,
    SMOKE_TRAINING,
    Embedder,
)
from lggkit.record import Record, Spec


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean and corrupted.

    Of the arm that trains nothing, the images that the corruptions make of the first test images.
    """
    results = trained([spec for spec in specs if spec.protocol.embedder.trained], context)
    begun = time.monotonic()
    errors = corrupted_errors(results, context)
    seconds = (time.monotonic() - begun) / max(len(errors), 1)
    for spec, result in results.items():
        yield context.record(spec, errors.get(spec, {}), seconds=seconds, **how_trained(result))
    for spec in specs:
        if spec not in results:
            yield _sheet(spec, context)


def _sheet(spec: Spec, context: Context) -> Record:
    test = context.data(spec.protocol.embedder.data_name, train=False)
    images = test.first(len(CORRUPTIONS)).images.cpu()
    made = corruption_sheet(images, version=spec.protocol.benchmark.corruption_version).numpy()
    return context.record(spec, {"images": float(len(images))}, arrays={"images": made}, path="cpu")


SMOKE = Answering(
    embedder=Embedder(
        stand_in="digits", loss=GRAPH_SMOOTHNESS, network="small_net", width=4, training=SMOKE_TRAINING
    ),
    benchmark=SMOKE_BENCHMARK,
)
SHORT = Answering(embedder=SHORT_EMBEDDER, benchmark=SHORT_BENCHMARK)
REDUCED = Answering(embedder=REDUCED_EMBEDDER, benchmark=REDUCED_BENCHMARK)
PAPER = Answering(benchmark=PAPER_BENCHMARK)
ENTROPY = {**AS_IN_SWEEPS, "loss": CROSS_ENTROPY}
TABLE = (
    Arm("cross_entropy", "Cross-entropy", ENTROPY),
    Arm("graph_smoothness", "Graph smoothness, d = 200", {"dimension": 200, "vote": 10}),
)
ABLATIONS = (
    Arm("cross_entropy_10nn", "Cross-entropy, 10-NN", {**ENTROPY, "vote": 10}, table=False),
    Arm("graph_smoothness_d10", "Graph smoothness, d = 10", {"vote": 10}, table=False),
)
ONE = {"smoke": 1, "short": 1, "reduced": 1, "paper": 1}
SHEET = Arm("contact_sheet", "the corruptions", {**AS_IN_SWEEPS, "trained": False}, table=False, seeds=ONE)

EXPERIMENT = Experiment(
    name="graph_smoothness_loss/s44_robustness",
    title="Robustness to corruptions of embeddings by graph smoothness (Table 2)",
    protocols={"smoke": SMOKE, "short": SHORT, "reduced": REDUCED, "paper": PAPER},
    arms=(*TABLE, *ABLATIONS, SHEET),
    seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 3},
    measure=measure,
    reference="cross_entropy",
    derived=("corruption",),
    together=(tuple(arm.name for arm in TABLE), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "short": 10, "reduced": 20, "paper": 5},
    priority=21,
)
