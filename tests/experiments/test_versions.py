"""A record says with which corruptions and attacks it was measured; what is stored keeps its key."""

from dataclasses import replace

import pytest

from lggkit import experiments
from lggkit.protocol import changed

VERSIONS = {
    (experiment.name, field): experiment
    for experiment in experiments.all_experiments()
    for field in ("attack_version", "corruption_version")
    if field in experiment.spec(experiment.arms[0].name, "smoke").settings
}


def test_the_sections_with_versions_are_known():
    assert set(VERSIONS) == {
        ("lgg/s43_robustness", "attack_version"),
        ("lgg/s43_robustness", "corruption_version"),
        ("lgg/s42_embeddings", "corruption_version"),
        ("graph_smoothness_loss/s44_robustness", "corruption_version"),
    }


@pytest.mark.parametrize(("name", "field"), VERSIONS)
def test_every_scale_is_measured_with_the_second_version(name, field):
    experiment = VERSIONS[name, field]
    for scale in experiment.protocols:
        specs = [experiment.spec(arm.name, scale) for arm in experiment.arms if field not in arm.changes]
        assert {spec.settings[field] for spec in specs} == {2}


@pytest.mark.parametrize(("name", "field"), VERSIONS)
def test_the_version_is_part_of_the_key(name, field):
    experiment = VERSIONS[name, field]
    spec = experiment.spec(experiment.arms[0].name, "short")
    keys = [replace(spec, protocol=changed(spec.protocol, {field: version})).key for version in (1, 2)]
    assert keys[1] == spec.key and keys[0] != keys[1]


@pytest.mark.parametrize(("name", "field"), VERSIONS)
def test_versions_are_of_measuring_and_no_network_depends_on_them(name, field):
    protocol = VERSIONS[name, field].protocols["short"]
    assert changed(protocol, {field: 2}).description == protocol.description
