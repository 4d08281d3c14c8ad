"""What a record's settings say of data, network and training, in the words of a sentence.

Settings are those that a record states, of any chapter: names of a data set and a network (``dataset``,
``stand_in``, ``network``, ``width``, ``training``), or somewhere in them the description of a network
(`lggkit.experiments.networks.Network`) as plain data. Chapters may read no data set, and train nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from lggkit.data import DATASETS
from lggkit.networks import TITLES

NO_DATA, NO_NETWORK, NO_TRAINING = "no data set", "no network", "nothing is trained"
Settings = Mapping[str, Any]


def data_name(settings: Settings) -> str | None:
    """The data set that was read under a record's settings; None where none was."""
    described = _description(settings)
    named = (settings.get(key) for key in ("stand_in", "dataset", "data", "target"))
    last = described["images"].get("data") if described else None
    return next((name for name in (*named, last) if name and isinstance(name, str)), None)


def data_title(settings: Settings) -> str:
    """The same as a sentence names it."""
    name = data_name(settings)
    if name is None:
        return NO_DATA
    return DATASETS[name].title if name in DATASETS else str(name)


def class_count(settings: Settings) -> int:
    """The number of its classes.

    Raises:
        ValueError: no data set was read, or an unknown one.
    """
    name = data_name(settings)
    if name not in DATASETS:
        raise ValueError(f"the data set is {name!r}, which has no known classes; name one of the catalogue")
    return len(DATASETS[name].classes)


def network_name(settings: Settings) -> str | None:
    """The network of a record's settings; None where there is none."""
    named = settings.get("network")
    described = _description(settings)
    return named if isinstance(named, str) else described["architecture"].get("name") if described else None


def network_title(settings: Settings) -> str:
    """The same as a sentence names it."""
    name = network_name(settings)
    return NO_NETWORK if name is None else TITLES.get(name, name)


def epoch_count(settings: Settings) -> int | None:
    """Passes over the data of the training; None where nothing is trained."""
    described = _description(settings)
    schedules = settings.get("training"), described["schedule"] if described else None, settings
    epochs = (one.get("epochs") for one in schedules if isinstance(one, Mapping))
    return None if settings.get("trained") is False else next((n for n in epochs if n is not None), None)


def epochs_text(settings: Settings) -> str:
    """``1 epoch``, ``4 epochs``, or that nothing is trained."""
    count = epoch_count(settings)
    return NO_TRAINING if count is None else f"{count} epoch{'' if count == 1 else 's'}"


def sentence(settings: Settings) -> str:
    """Network, data and length of the training in one phrase, of what there is of them."""
    trained, network, data = epoch_count(settings), network_name(settings), data_name(settings)
    length = "" if trained is None else f"trained for {epochs_text(settings)}"
    where = f"on {data_title(settings)}" if data else ""
    parts = [network_title(settings) if network else "", " ".join(part for part in (length, where) if part)]
    return ", ".join(part for part in parts if part) or NO_TRAINING


def _description(value: Any) -> Mapping[str, Any] | None:
    """The first description of a network in settings, itself or nested, as plain data."""
    return next(_descriptions(value), None)


def _descriptions(value: Any) -> Iterator[Mapping[str, Any]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        if all(isinstance(value.get(part), Mapping) for part in ("images", "architecture", "schedule")):
            yield value
        for entry in value.values():
            yield from _descriptions(entry)
