"""The 92 objects of Kriegeskorte et al. (2008): stimuli, brains, judgements and models, as published.

Four MATLAB files of the RSA toolboxes. Read as they are; nothing is downloaded.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lggkit.data.files import DataCorrupt, File, read_verified, root

FOLDER = "objects92"
FILES = {
    "brains": File(f"{FOLDER}/92_brainRDMs.mat", "f562b895d93eac142724525f11226092"),
    "judgements": File(f"{FOLDER}/92_behavRDMs.mat", "79813942c9fe965707ef1ce33aafcac4"),
    "models": File(f"{FOLDER}/92_modelRDMs.mat", "44eb0f031e80a379de3c7a6dbc0b72b4"),
    "stimuli": File(
        f"{FOLDER}/Kriegeskorte_Neuron2008_supplementalData.mat", "d680895b747044338f32fdbd3e96074b"
    ),
}
CATEGORIES = ("body", "face", "natural", "artificial")
COLUMNS = ("body", "face", "natObj", "artiObj")
"""The categories, and what the file calls them."""


@dataclass(frozen=True)
class Objects:
    """Stimuli and RDMs of the same m objects; RDMs are float64 (m, m), one minus correlation where measured.

    ``human`` is (people, sessions, m, m), of inferior temporal cortex (IT), ``monkey`` one of monkeys' IT,
    ``judgements`` (people, m, m) of other people, ``models`` RDMs by name, ``images`` uint8 (m, 3, h, w),
    ``labels`` int64 (m,) number `CATEGORIES`.
    """

    images: Tensor
    labels: Tensor
    people: tuple[str, ...]
    human: Tensor
    monkey: Tensor
    judgements: Tensor
    models: Mapping[str, Tensor]

    @property
    def animate(self) -> Tensor:
        """Bodies and faces, bool (m,)."""
        return self.labels < 2


def load_objects92(folder: Path | None = None) -> Objects:
    """The published set; ``folder`` is that of all data sets, by default `lggkit.data.root`.

    Raises:
        DataUnavailable: a file is not there; the message names it.
        DataCorrupt: a file is not what was published.
    """
    return parse_objects92({name: read_verified(folder or root(), file) for name, file in FILES.items()})


def parse_objects92(contents: Mapping[str, bytes]) -> Objects:
    """The set of the contents of its files, by the names of `FILES`, of any number of objects.

    Raises:
        DataCorrupt: an array is not there, or the files are of different objects.
    """
    from scipy.io import loadmat

    files = {name: loadmat(io.BytesIO(content)) for name, content in contents.items()}
    try:
        objects = _objects(files)
    except (KeyError, ValueError, IndexError) as error:
        raise DataCorrupt(f"the files of the 92 objects are not as published ({error})") from error
    _check(objects)
    return objects


def _objects(files: Mapping[str, Mapping[str, Any]]) -> Objects:
    stimuli, brains = files["stimuli"], files["brains"]["RDMs"][0]
    members = [_text(name) for name in stimuli["categoryLabels"].ravel()]
    chosen = stimuli["categoryVectors"][:, [members.index(name) for name in COLUMNS]]
    pictures = np.stack([one["image"] for one in stimuli["stimuli_92objs"].ravel()])
    models = {_text(one["name"]): _rdm(one["RDM"]) for one in files["models"]["Models"].ravel()}
    return Objects(
        images=torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()),
        labels=torch.from_numpy(chosen.argmax(1).astype(np.int64)),
        people=tuple(_text(person[0]["name"]).split(" | ")[1] for person in brains),
        human=torch.stack([torch.stack([_rdm(one["RDM"]) for one in person]) for person in brains]),
        monkey=models["monkeyIT"],
        judgements=torch.stack([_rdm(one["RDM"]) for one in files["judgements"]["rdms_behav_92"].ravel()]),
        models={name: rdm for name, rdm in models.items() if name != "monkeyIT"},
    )


def _rdm(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float64))


def _text(value: np.ndarray) -> str:
    return str(np.ravel(value)[0])


def _check(objects: Objects) -> None:
    m = len(objects.labels)
    rdms = [objects.human, objects.monkey, objects.judgements, *objects.models.values()]
    if len(objects.images) != m or any(rdm.shape[-2:] != (m, m) for rdm in rdms):
        raise DataCorrupt(f"the files of the 92 objects are not of the same {m} objects; put them back")
    if any(not bool((rdm == rdm.mT).all()) for rdm in rdms):
        raise DataCorrupt("an RDM of the 92 objects differs from its transpose; put the file back")


def generated_objects(per_category: int = 8, people: int = 4, seed: int = 0) -> Objects:
    """A set of the same form made of random numbers, for tests and trials; it stands for no brain.

    People's RDMs are of categories in two groups, with noise of their own; the images are grey noise that
    is brighter for animate ones.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(4).repeat_interleave(per_category)
    m = len(labels)

    def rdm(shift: float, noise: float) -> Tensor:
        wide = torch.randn(4, 40, generator=generator, dtype=torch.float64)[labels]
        kind = torch.randn(40, generator=generator, dtype=torch.float64) * (
            1 - 2 * (labels < 2).double()[:, None]
        )
        x = wide + shift * kind + noise * torch.randn(m, 40, generator=generator, dtype=torch.float64)
        r = 1 - torch.from_numpy(np.corrcoef(x.numpy()))
        return ((r + r.T) / 2).fill_diagonal_(0)

    def several(count: int, noise: float) -> Tensor:
        return torch.stack([rdm(1.0, noise) for _ in range(count)])

    names = ("animacy", "FaceBodyManmadeNatobj", "EVA", "HMAX", "V1", "Silhouette", "RADON")
    light = 90 + 60 * (labels < 2).double()[:, None, None, None]
    noise = 30 * torch.randn(m, 3, 24, 24, generator=generator, dtype=torch.float64)
    animate = labels < 2
    models = {name: rdm(0.2, 3.0) for name in names}
    models["animacy"] = (animate[:, None] != animate[None]).double()
    models["FaceBodyManmadeNatobj"] = (labels[:, None] != labels[None]).double()
    return Objects(
        images=(light + noise).clamp(0, 255).to(torch.uint8),
        labels=labels,
        people=tuple(f"P{i + 1}" for i in range(people)),
        human=torch.stack([several(2, 2.0) for _ in range(people)]),
        monkey=rdm(1.0, 2.0),
        judgements=several(3, 1.0),
        models=models,
    )
