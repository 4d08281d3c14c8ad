"""A record says which ensemble it was measured with; what is stored keeps its key."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lggkit.experiments import robust_runs
from lggkit.experiments.lgg.s43_robustness import EXPERIMENT

STORED = Path(__file__).parents[2] / "data/results/lgg/s43_robustness.reduced.jsonl"


def test_new_protocols_have_the_targeted_ensemble_and_reduced_the_one_it_was_measured_with():
    versions = {scale: protocol.attack_version for scale, protocol in EXPERIMENT.protocols.items()}
    assert versions == {"smoke": 2, "reduced": 1, "paper": 2}


def test_stored_records_keep_their_keys():
    if not STORED.exists():
        pytest.skip("nothing is recorded at reduced scale")
    lines = [json.loads(line) for line in STORED.read_text().splitlines() if line.strip()]
    stored = {line["key"] for line in lines if "experiment" in line}
    planned = {spec.key for spec in EXPERIMENT.specs("reduced")}
    assert stored & planned
    spec = EXPERIMENT.spec("vanilla", "reduced")
    assert spec.key in stored
    assert replace(spec, protocol=replace(spec.protocol, attack_version=2)).key not in stored


@pytest.mark.parametrize(("version", "targeted"), [(1, False), (2, True)])
def test_the_version_chooses_the_members(version, targeted):
    settings = replace(EXPERIMENT.protocols["reduced"], attack_version=version)
    assert robust_runs.ensemble(settings) == {"restarts": 5, "steps": 40, "targeted": targeted}
    assert set(robust_runs.ensemble(settings)) <= set(inspect.signature(robust_runs.strong).parameters)
