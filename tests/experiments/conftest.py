"""What the tests of sections share: running a quick version, and what the papers' numbers ask of it."""

import pytest

from lggkit.study.paper import PAPERS, cells, claims


@pytest.fixture(scope="module")
def records(quick, context):
    """The records of a module's experiment ``quick`` by arm and seed, in groups as the queue has them."""
    groups = [[s for s in quick.specs("smoke") if s.arm in names] for names in quick.groups()]
    return {(r.arm, r.seed): r for specs in groups for r in quick.measure(specs, context)}


@pytest.fixture
def compared():
    """A function from a section's name to the arms and metrics that all cells and claims compare."""

    def of(name):
        pairs = {(c.arm, c.metric) for paper in PAPERS for c in cells(paper) if c.experiment == name}
        for claim in (claim for paper in PAPERS for claim in claims(paper)):
            if claim.experiment == name and claim.kind != "all_of":
                for side in filter(None, (claim.left, claim.right)):
                    arm, _, own = side.partition(":")
                    pairs |= {(arm, metric.strip()) for metric in (own or claim.metric).split(";")}
        assert pairs, name
        return pairs

    return of
