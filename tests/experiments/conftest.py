"""What the tests of sections share: each in a quick version, measured once, and bounds of its errors."""

import copy
import os
from dataclasses import dataclass, replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from lggkit import experiments
from lggkit.experiments import Experiment
from lggkit.protocol import changed
from lggkit.study import paths
from lggkit.study.entered.paper import cells, claims
from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext
from lggkit.training import OneCycle, TrainConfig

FAST = TrainConfig(epochs=1, batch_size=256, learning_rate=0.05, augment=False)
CORRUPTED = {"corruptions": ("gaussian_noise", "contrast"), "severities": (3, 5), "corruption_images": 80}
FILMED = {"moments": (0, 2, 3), "points": 80, "base": 200, "queries": 100}
ATTACKED = {
    "attacked_images": 12,
    "strong_images": 4,
    "levels": (20.0,),
    "batches": 1,
    "corruption_images": 40,
}
QUICK = {
    "lgg/s33_latent_geometry_graphs": {"draws": 12, "neighbor_base": 150, "neighbor_queries": 60},
    "lgg/s41_distillation": {"teacher_training": FAST, "draws": 2},
    "lgg/s42_embeddings": {"sweep_training": FAST, **CORRUPTED},
    "lgg/s43_robustness": {**ATTACKED, "training": replace(FAST, flip=False, schedule=OneCycle())},
    "graph_smoothness_loss/s42_visualisation": {**FILMED, "training": replace(FAST, epochs=3)},
    "graph_smoothness_loss/s43_classification": {"sweep_training": FAST, "timed_steps": 2},
    "graph_smoothness_loss/s44_robustness": CORRUPTED,
}
"""What a section's smoke protocol is changed by, beside `FAST`; a section that is not here stays as it is."""
TWICE = {"baseline", "gkd", "vanilla", "regularizer", "cross_entropy", "cross_entropy-cifar10"}


def quickened(experiment: Experiment) -> Experiment:
    """The section with a quick protocol at smoke scale, and a second seed for a few arms only."""
    if experiment.name not in QUICK:
        return experiment
    changes = {"training": FAST, **QUICK[experiment.name]}
    protocols = {**experiment.protocols, "smoke": changed(experiment.protocols["smoke"], changes)}
    arms = [replace(a, seeds={**a.seeds, "smoke": 1 + (a.name in TWICE)}) for a in experiment.arms]
    return replace(experiment, protocols=protocols, arms=arms)


@dataclass(frozen=True)
class Measured:
    """A section in its quick version, its records by arm and seed, and the context that has its networks."""

    experiment: Experiment
    context: StudyContext
    records: dict

    def spec(self, arm, seed=0):
        return self.experiment.spec(arm, "smoke", seed)

    def network(self, arm, seed=0):
        return self.context.network(self.spec(arm, seed).protocol.description, seed).eval()

    def groups(self):
        """The runs of arms that are measured together, all seeds, as the queue has them."""
        specs = self.experiment.specs("smoke")
        return [[s for s in specs if s.arm in names] for names in self.experiment.groups()]

    def again(self, file=None):
        """A context with the same networks that has none in memory; what it trains is a line of a file."""
        trainings = None if file is None else NetworkLedger(file)
        return StudyContext(weights=self.context.weights, commit="test", trainings=trainings)


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A function from a section's name to what its quick version gives; equal networks are trained once."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "networks"
    context = StudyContext(weights=folder, commit="test")

    @cache
    def of(name):
        section = Measured(quickened(experiments.get(name)), context, {})
        for specs in section.groups():
            for record in section.experiment.measure(specs, context):
                section.records[record.arm, record.seed] = record
        return section

    return of


@pytest.fixture(scope="module")
def section(request, measured):
    """The section that a module's ``EXPERIMENT`` is."""
    return measured(request.module.EXPERIMENT.name)


@pytest.fixture(scope="module")
def records(section):
    return section.records


@pytest.fixture(scope="module")
def context(section):
    return section.context


def logit_bounds(model, images, labels):
    """The least and the most error in percent of float images, whatever way near ties of logits fall."""
    logits = copy.deepcopy(model).double().eval()(images.double()).detach()
    near = logits >= logits.amax(1, keepdim=True) - 1e-3 * logits.abs().amax(1, keepdim=True)
    own = near.gather(1, labels[:, None])[:, 0]
    return percent(~own), percent(~own | (near.sum(1) > 1))


def vote_bounds(base, queries, k):
    """The same of a vote of k among ``base``, embeddings (n, d) and labels (n,), on ``queries`` alike."""
    (points, classes), (asked, labels) = base, queries
    squares = torch.cdist(asked.double(), points.double()).square()
    slack = 1e-4 * points.double().square().sum(1).max()
    last = squares.kthvalue(k, dim=1, keepdim=True).values
    one_hot = torch.nn.functional.one_hot(classes).double()
    sure, maybe = (inside.double() @ one_hot for inside in (squares < last - slack, squares <= last + slack))
    free, doubtful = k - sure.sum(1, keepdim=True), maybe - sure
    most = sure + doubtful.clamp(max=free)
    least = sure + (free - (doubtful.sum(1, keepdim=True) - doubtful)).clamp(min=0)
    own = torch.nn.functional.one_hot(labels, one_hot.shape[1]).bool()
    beaten = least.masked_fill(own, -1).amax(1) > most[own]
    unbeaten = least[own] > most.masked_fill(own, -1).amax(1)
    return percent(beaten), percent(~unbeaten)


def percent(wrong):
    return 100 * wrong.double().mean().item()


def within(value, bounds):
    least, most = bounds
    return least - 1e-6 <= value <= most + 1e-6


@pytest.fixture
def bounds():
    """What an error must lie between when it is computed again in another precision: ties fall anyhow."""
    return SimpleNamespace(logits=logit_bounds, votes=vote_bounds, within=within)


@pytest.fixture
def compared():
    """A function from a section's name to the arms and metrics that measurable cells and claims compare."""

    def of(name):
        papers = [folder.parent.name for folder in (paths.repository() / "data/paper").glob("*/claims.csv")]
        pairs = {
            (c.arm, c.metric)
            for paper in papers
            for c in cells(paper)
            if c.experiment == name and c.available and c.kind == "measured"
        }
        for claim in (claim for paper in papers for claim in claims(paper)):
            if claim.experiment == name and claim.kind != "all_of":
                for side in filter(None, (claim.left, claim.right)):
                    arm, _, own = side.partition(":")
                    pairs |= {(arm, metric.strip()) for metric in (own or claim.metric).split(";")}
        return pairs

    return of
