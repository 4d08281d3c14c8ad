"""What a section costs to write: one that trains nothing, and one that fine-tunes, each run by the queue."""

from dataclasses import dataclass, replace

import pytest

from lggkit import experiments
from lggkit.evaluation import model_error
from lggkit.experiments import Arm, Experiment
from lggkit.experiments.base import how_trained, trained
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.protocol import Protocol
from lggkit.study.records.ledger import Ledger
from lggkit.study.running import queue
from lggkit.training import TrainConfig


@pytest.fixture
def run(tmp_path, monkeypatch, context):
    """A function that has the queue measure all of an experiment at smoke scale; its records."""

    def through(experiment):
        monkeypatch.setattr(experiments, "all_experiments", lambda: [experiment])
        ledger = Ledger(tmp_path / "results")
        outcome = queue.run(queue.pending([ledger], "smoke"), ledger, context)
        assert outcome.failed == [] and queue.pending([ledger], "smoke") == []
        return {(r.arm, r.seed): r for r in ledger.records(experiment.name, "smoke")}

    return through


def test_a_section_that_trains_nothing(run, context):
    @dataclass(frozen=True)
    class Settings(Protocol):
        power: int = 1

    def measure(specs, context):
        images = context.data("digits").images.double()
        for spec in specs:
            yield context.record(spec, {"mean": float((images**spec.protocol.power).mean())})

    arms = Arm("plain", "plain"), Arm("squared", "squared", {"power": 2})
    toy = Experiment("toys/s1_means", "Means", {"smoke": Settings()}, arms, {"smoke": 1}, measure)
    records = run(toy)
    assert records["squared", 0].metrics["mean"] > records["plain", 0].metrics["mean"] ** 2
    assert records["plain", 0].network == "" and context.trainings.lines() == []


def test_a_section_that_fine_tunes(run, context):
    @dataclass(frozen=True)
    class Settings(Protocol):
        rate: float = 0.01
        tuned: bool = True

        @property
        def description(self):
            network = Architecture("small_net", (("width", 2),))
            schedule = TrainConfig(epochs=1, batch_size=256, augment=False)
            before = Network(Images("digits"), network, schedule)
            after = Network(before.images, network, replace(schedule, learning_rate=self.rate), start=before)
            return after if self.tuned else before

    def measure(specs, context):
        for spec, result in trained(specs, context).items():
            error = model_error(result.model, context.data("digits", train=False))
            yield context.record(spec, {"test_error": error}, **how_trained(result))

    arms = Arm("tuned", "tuned"), Arm("slowly", "slowly", {"rate": 1e-9}), Arm("not", "not", {"tuned": False})
    toy = Experiment("toys/s2_tuning", "Tuning", {"smoke": Settings()}, arms, {"smoke": 2}, measure)
    records = run(toy)
    assert len(records) == 6 and len(context.trainings.lines()) == 6, "the start is an arm's network"
    for seed in (0, 1):
        begun, still = (records[arm, seed] for arm in ("not", "slowly"))
        assert still.network != begun.network and still.curves["train_loss"][0] > 0
