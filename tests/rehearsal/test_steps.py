"""One whole training step of every recipe on a GPU that is not there: it mixes no devices and never waits."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest
import torch

from lggkit.data import DataSet
from lggkit.experiments.lockstep import begun_run
from lggkit.experiments.networks import Architecture, Guide, Images, Network, Recipe
from lggkit.experiments.recipes.defense import Defended, Defense
from lggkit.experiments.recipes.distillation import METHODS, Distillation, Distilled
from lggkit.experiments.recipes.embedding import OPTIONS, Embedded, EmbeddingLoss
from lggkit.experiments.recipes.transfer import METHODS as PENALTIES
from lggkit.experiments.recipes.transfer import OF_NEURONS, Penalty, Regularised
from lggkit.training import TrainConfig
from lggkit.training.captured import Captured
from lggkit.training.step import tapped

CUDA = torch.device("cuda")
IMAGES = Images("cifar10")
PLAN = TrainConfig(epochs=1, batch_size=8, precision="bfloat16", nesterov=True)
SMALL = Architecture("small_net", (("width", 4),))
EMBEDDING = Architecture("small_net", (("width", 4),), embedding=10, normalization="batch_norm")
PREACT = Architecture("preact_resnet18", (("width", 4), ("parseval", True)))
LAYERS = ("stage1", "middle", "stage3")
TEACHER = Guide(Network(IMAGES, SMALL, PLAN), 0, (*LAYERS, "output"), "bfloat16")


def embedded(**options) -> tuple[Architecture, Recipe]:
    return EMBEDDING, Embedded(loss=EmbeddingLoss(**options))


def distilled(**options) -> tuple[Architecture, Recipe]:
    return SMALL, Distilled(guide=TEACHER, layers=LAYERS, losses=Distillation(**options))


def defended(**options) -> tuple[Architecture, Recipe]:
    return PREACT, Defended(defense=Defense(**options))


def regularised(method: str, **options) -> tuple[Architecture, Recipe]:
    layers = LAYERS if method in OF_NEURONS else ()
    penalty = Penalty(method, float(method != "none"), iterations=2, inner=2, **options)
    return SMALL, Regularised(guide=TEACHER if layers else None, penalty=penalty, layers=layers)


STEPS = {
    "cross_entropy": (SMALL, Recipe()),
    "embedded cross_entropy": embedded(loss="cross_entropy"),
    "embedded graph_smoothness": embedded(loss="graph_smoothness"),
    "embedded graph_smoothness, few neighbors": embedded(loss="graph_smoothness", k=3, reduction="mean"),
    **{f"distilled {method}": distilled(**{method: 1.0}) for method in METHODS},
    "distilled gkd, few neighbors": distilled(gkd=1.0, k=3, order="normalize-first", similarity="rbf"),
    "distilled gkd, inter": distilled(gkd=1.0, edges="inter", exponent=2),
    **{f"fine-tuned {method}": regularised(method) for method in PENALTIES},
    "fine-tuned omega_p, at the identity": regularised("omega_p", at_identity=True),
    "regularizer": defended(regularizer=1.0),
    "regularizer, few neighbors": defended(regularizer=1.0, k=3, power=1, normalized_laplacian=True),
    "parseval": defended(parseval=0.01),
    "adversarial": defended(adversarial_snr=33.0),
    "everything": defended(regularizer=1.0, parseval=0.01, adversarial_snr=33.0),
}
PEERS = {
    **{loss: embedded(loss=loss) for loss in OPTIONS if loss not in ("cross_entropy", "graph_smoothness")},
    "triplet, all": embedded(loss="triplet", mining="all"),
}


def images() -> DataSet:
    pixels = torch.zeros(20, 3, 8, 8, dtype=torch.uint8, device=CUDA)
    labels, moments = torch.zeros(20, dtype=torch.int64, device=CUDA), torch.ones(3, device=CUDA)
    return DataSet(pixels, labels, tuple("0123456789"), moments, moments, "cifar10", "train")


def untrained(network: Network, seed: int, context) -> SimpleNamespace:
    """What stands for a trained network: its steps are like any."""
    return SimpleNamespace(model=network.untrained(seed, context), precision=PLAN.precision)


@contextmanager
def begun(stage, architecture: Architecture, recipe: Recipe, plan: TrainConfig = PLAN):
    """A training whose epoch is drawn, with its taps on, and the watch over what its steps do."""
    with stage("read", "send") as watch:
        data = images()
        context = SimpleNamespace(device=CUDA, data=lambda name, train=True: data)
        context.networks = lambda wanted: [untrained(*each, context) for each in wanted]
        run = begun_run(Network(IMAGES, architecture, plan, recipe), 0, context)
        run.forward = tapped(run.model.train(), run.taps)
        run.stream.batch(0)
        with run.taps or nullcontext():
            watch.only()
            yield run, watch


def check(run) -> None:
    """Everything that a step leaves is on the device, and every weight has moved."""
    weights = dict(run.model.named_parameters())
    assert [name for name, weight in weights.items() if weight.grad is None] == []
    tensors = [x for state in run.optimizer.state.values() for x in state.values() if torch.is_tensor(x)]
    tensors += [run.meter.losses, run.meter.correct, *run.model.buffers()]
    tensors += [x for weight in weights.values() for x in (weight, weight.grad)]
    assert {x.device.type for x in tensors} == {"cuda"}
    assert {weight.grad.dtype for weight in weights.values()} == {torch.float32}


@pytest.mark.parametrize("name", STEPS)
def test_step(name, stage):
    with begun(stage, *STEPS[name]) as (run, watch):
        run.update(run.stream.make(1), 1)
        assert watch.seen == set()
        check(run)


@pytest.mark.parametrize("name", ("cross_entropy", "distilled gkd", "everything"))
def test_captured_step(name, stage):
    """What a CUDA graph records: the batch is gathered by a place on the device, and so is the rate."""
    with begun(stage, *STEPS[name]) as (run, watch):
        for group in run.optimizer.param_groups:
            group["lr"] = torch.full((), 0.1, device=CUDA)
        Captured([run], draws=False).body()
        assert watch.seen == set()
        check(run)


def test_step_of_adam(stage):
    plan = TrainConfig(epochs=1, batch_size=8, optimizer="adam", augment=False, channels_last=False)
    with begun(stage, SMALL, Recipe(), plan) as (run, _):
        run.update(run.stream.make(1), 1)
        check(run)


@pytest.mark.parametrize("name", PEERS)
def test_peers_wait(name, stage, waits):
    """pytorch-metric-learning looks for pairs, and its losses say so; they mix no devices for all that."""
    with begun(stage, *PEERS[name]) as (run, watch):
        with pytest.raises(waits):
            run.update(run.stream.make(1), 1)
        if name == "supervised_contrastive":
            return  # it asserts of values that there are none of
        watch.only("read")
        run.update(run.stream.make(1), 1)
        check(run)
