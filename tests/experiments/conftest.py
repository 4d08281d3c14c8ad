"""What the tests of sections share: running a quick version, and what the papers' numbers ask of it."""

import copy
from types import SimpleNamespace

import pytest
import torch

from lggkit.study.paper import cells, claims
from lggkit.study.papers import papers


@pytest.fixture(scope="module")
def records(quick, context):
    """The records of a module's experiment ``quick`` by arm and seed, in groups as the queue has them."""
    groups = [[s for s in quick.specs("smoke") if s.arm in names] for names in quick.groups()]
    return {(r.arm, r.seed): r for specs in groups for r in quick.measure(specs, context)}


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


def within(found, bounds):
    least, most = bounds
    return least - 1e-6 <= found <= most + 1e-6


@pytest.fixture
def bounds():
    """What an error must lie between when it is computed again in another precision: ties fall anyhow."""
    return SimpleNamespace(logits=logit_bounds, votes=vote_bounds, within=within)


@pytest.fixture
def compared():
    """A function from a section's name to the arms and metrics that all cells and claims compare."""

    def of(name):
        known = [paper.name for paper in papers()]
        pairs = {(c.arm, c.metric) for paper in known for c in cells(paper) if c.experiment == name}
        for claim in (claim for paper in known for claim in claims(paper)):
            if claim.experiment == name and claim.kind != "all_of":
                for side in filter(None, (claim.left, claim.right)):
                    arm, _, own = side.partition(":")
                    pairs |= {(arm, metric.strip()) for metric in (own or claim.metric).split(";")}
        assert pairs, name
        return pairs

    return of
