from dataclasses import dataclass, field

import pytest

from lggkit.protocol import Part, Protocol, changed
from lggkit.record import Spec


@dataclass(frozen=True)
class Flat(Protocol):
    width: int = 8
    loss: str = "sum"
    vote: int | None = None


@dataclass(frozen=True)
class Network(Part):
    width: int = 8
    loss: str = "sum"


@dataclass(frozen=True)
class Composed(Protocol):
    network: Network = field(default_factory=Network)
    vote: int | None = None


@dataclass(frozen=True)
class OtherDefaults(Protocol):
    network: Network = field(default_factory=lambda: Network(width=2))


def spec(protocol):
    return Spec("lgg/s00_toy", "arm", "smoke", 0, protocol)


@pytest.mark.parametrize("changes", [{}, {"width": 4}, {"vote": 3, "loss": "mean"}])
def test_sharing_settings_changes_no_key_and_no_record(changes):
    flat, composed = spec(changed(Flat(), changes)), spec(changed(Composed(), changes))
    assert flat.key == composed.key and flat.settings == composed.settings


def test_changes_reach_fields_of_parts():
    assert changed(Composed(), {"width": 4, "vote": 1}) == Composed(network=Network(4), vote=1)
    with pytest.raises(TypeError, match="has no field 'depth'"):
        changed(Composed(), {"depth": 1})


def test_defaults_of_a_part_are_those_of_its_owner():
    plain, same = spec(OtherDefaults()), spec(OtherDefaults(network=Network(width=2)))
    assert plain.key == same.key != spec(OtherDefaults(network=Network())).key
    assert spec(Protocol()).key == plain.key
