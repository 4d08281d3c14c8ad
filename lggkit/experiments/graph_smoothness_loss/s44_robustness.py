"""Paper 2, section 4.4: robustness to corruptions of embeddings by graph smoothness (Table 2).

The reference of every mean is the cross-entropy network of the same seed, which answers by its largest
logit; embeddings answer by a vote of ten neighbours among the embedded training images. Corrupted images
are CIFAR-10-C where its files are found, else CIFAR-10-C-like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lggkit.data.corruptions import CORRUPTIONS, corruption_sheet
from lggkit.experiments.base import Arm, Context, Experiment
from lggkit.experiments.corruption_runs import (
    CorruptionSettings,
    first_images,
    robustness_records,
)
from lggkit.experiments.embedding_runs import (
    CROSS_ENTROPY,
    GRAPH_SMOOTHNESS,
    REDUCED_TRAINING,
    SMOKE_TRAINING,
    build_network,
    train_networks,
)
from lggkit.record import Record, Spec


def measure(specs: Sequence[Spec], context: Context) -> Iterator[Record]:
    """A record for each spec: errors clean and corrupted, MCE and relative MCE.

    Of the arm that trains nothing, the images that the corruptions make of the first test images.
    """
    networks = [spec for spec in specs if spec.protocol.trained]
    yield from robustness_records(networks, reference_of, context)
    for spec in specs:
        if spec not in networks:
            yield _sheet(spec, context)


def _sheet(spec: Spec, context: Context) -> Record:
    images = first_images(spec.protocol.data_name, len(CORRUPTIONS), context).images.cpu()
    made = corruption_sheet(images, version=spec.protocol.corruption_version).numpy()
    return context.record(spec, {"images": float(len(images))}, arrays={"images": made}, path="cpu")


def reference_of(spec: Spec) -> Spec:
    """The run whose errors those of a spec are divided by."""
    return EXPERIMENT.spec("cross_entropy", spec.scale, spec.seed)


SMOKE = CorruptionSettings(
    stand_in="digits",
    loss=GRAPH_SMOOTHNESS,
    network="small_net",
    width=4,
    training=SMOKE_TRAINING,
    corruptions=("gaussian_noise", "defocus_blur", "contrast"),
    severities=(3, 5),
    corruption_version=2,
)
REDUCED = CorruptionSettings(
    loss=GRAPH_SMOOTHNESS, width=8, training=REDUCED_TRAINING, corruption_images=1000
)
TABLE = (
    Arm("cross_entropy", "Cross-entropy", {"loss": CROSS_ENTROPY}),
    Arm("graph_smoothness", "Graph smoothness, d = 200", {"dimension": 200, "vote": 10}),
)
ABLATIONS = (
    Arm("cross_entropy_10nn", "Cross-entropy, 10-NN", {"loss": CROSS_ENTROPY, "vote": 10}, table=False),
    Arm("graph_smoothness_d10", "Graph smoothness, d = 10", {"vote": 10}, table=False),
)
ONE = {"smoke": 1, "reduced": 1, "paper": 1}
SHEET = Arm("contact_sheet", "the corruptions", {"trained": False}, table=False, seeds=ONE)

EXPERIMENT = Experiment(
    name="graph_smoothness_loss/s44_robustness",
    title="Robustness to corruptions of embeddings by graph smoothness (Table 2)",
    protocols={"smoke": SMOKE, "reduced": REDUCED, "paper": CorruptionSettings(corruption_version=2)},
    arms=(*TABLE, *ABLATIONS, SHEET),
    seeds={"smoke": 2, "reduced": 3, "paper": 3},
    ablation_seeds={"smoke": 1, "reduced": 3, "paper": 3},
    measure=measure,
    build=build_network,
    train=train_networks,
    together=(tuple(arm.name for arm in TABLE), tuple(arm.name for arm in ABLATIONS)),
    minutes={"smoke": 0.02, "reduced": 10, "paper": 5},
    priority=21,
)
