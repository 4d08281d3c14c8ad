from dataclasses import replace

import pytest

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.protocol import Protocol
from lggkit.record import SCALES, Record, Spec
from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext
from lggkit.training import TrainConfig


@pytest.fixture
def no_window():
    """Figures are drawn into memory and closed."""
    import matplotlib

    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture
def make_record():
    """A factory of records: everything but what a test is about has a default."""

    def make(arm="gkd", seed=0, scale="reduced", experiment="lgg/s41_distillation", arrays=None, **fields):
        metrics = fields.pop("metrics", {"test_error": 10.0})
        spec = Spec(experiment, arm, scale, seed)
        return Record(
            key=spec.key,
            experiment=experiment,
            arm=arm,
            scale=scale,
            seed=seed,
            settings=spec.settings,
            metrics=metrics,
            arrays=arrays or {},
            **fields,
        )

    return make


def measure(specs, context):
    for spec in specs:
        yield context.record(spec, {"error": float(spec.seed)}, seconds=10.0)


@pytest.fixture
def experiment(monkeypatch):
    """A toy experiment, alone in the registry: an ablation written before two table arms."""
    toy = Experiment(
        name="lgg/s00_toy",
        title="toy",
        protocols=dict.fromkeys(SCALES, Protocol()),
        arms=(Arm("ablation", "a", table=False), Arm("base", "b"), Arm("ours", "c")),
        seeds={"smoke": 1, "short": 3, "reduced": 3, "paper": 5},
        measure=measure,
        minutes={"smoke": 0.1, "short": 1.0, "reduced": 1.0, "paper": 1.0},
    )
    monkeypatch.setattr(experiments, "all_experiments", lambda: [toy])
    monkeypatch.setattr(experiments, "get", lambda name: toy)
    return toy


@pytest.fixture
def tiny():
    """The description of a network that is trained for a few steps on 97 images, in no time."""
    schedule = TrainConfig(epochs=2, batch_size=40, augment=False, learning_rate=0.05)
    return Network(Images("digits", held_out=1200), Architecture("small_net", (("width", 2),)), schedule)


@pytest.fixture
def wild(tiny):
    """One whose training diverges."""
    return replace(tiny, schedule=replace(tiny.schedule, learning_rate=1e30))


@pytest.fixture
def context(tmp_path):
    """A context with a network ledger, by which trainings are counted."""
    trainings = NetworkLedger(tmp_path / "networks.jsonl")
    return StudyContext(weights=tmp_path / "weights", commit="abc", trainings=trainings)


@pytest.fixture
def trained(context):
    """A function to the seeds of all trainings of the context so far, in their order."""
    return lambda: [training.seed for training in context.trainings.lines()]
