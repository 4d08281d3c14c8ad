import dataclasses
import importlib
import pathlib

import pytest

from lggkit import experiments
from lggkit.record import SCALES


@pytest.fixture(params=experiments.all_experiments(), ids=lambda e: e.name)
def experiment(request):
    return request.param


def test_every_section_module_is_an_experiment_named_like_its_file(experiment):
    module = importlib.import_module("lggkit.experiments." + experiment.name.replace("/", "."))
    assert module.EXPERIMENT is experiment
    assert module.__doc__.startswith("Paper ")


def test_no_section_file_is_forgotten():
    root = pathlib.Path(experiments.__file__).parent
    files = {f"{p.parent.name}/{p.stem}" for p in root.glob("*/*.py") if p.stem != "__init__"}
    assert files == {e.name for e in experiments.all_experiments()}


def test_every_scale_is_complete(experiment):
    for scale in SCALES:
        specs = experiment.specs(scale)
        assert {s.arm for s in specs} == {a.name for a in experiment.arms if experiment.seed_count(a, scale)}
        assert len({s.key for s in specs}) == len(specs)
        tables = [experiment.arm(s.arm).table for s in specs]
        assert tables == sorted(tables, reverse=True), "table arms come first"
        assert experiment.minutes[scale] > 0
    assert all(experiment.seed_count(arm, "smoke") for arm in experiment.arms), "smoke measures every arm"


def test_arms_that_are_measured_together_exist_once(experiment):
    arms = {arm.name: arm for arm in experiment.arms}
    grouped = [name for names in experiment.groups() for name in names]
    assert sorted(grouped) == sorted(arms)
    for names in experiment.groups():
        assert len({arms[name].table for name in names}) == 1, "table arms wait for no ablation"


def test_protocols_are_frozen(experiment):
    for protocol in experiment.protocols.values():
        with pytest.raises(dataclasses.FrozenInstanceError):
            protocol.revision = 3


def test_what_the_papers_are_compared_with_exists(experiment):
    """Arms named by cells and claims are arms of the experiment, for a misspelt one is never measured."""
    from lggkit.study.paper import cells, claims

    named = {c.arm for c in cells(experiment.paper) if c.experiment == experiment.name}
    for claim in claims(experiment.paper):
        if claim.experiment == experiment.name:
            named |= {side.split(":")[0] for side in (claim.left, claim.right) if side}
    assert named <= {arm.name for arm in experiment.arms}


def test_unknown_names_list_what_there_is(experiment):
    with pytest.raises(KeyError, match=experiment.name):
        experiments.get("lgg/s99")
    with pytest.raises(KeyError, match=experiment.arms[0].name):
        experiment.arm("nobody")
