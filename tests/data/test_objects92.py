"""The loader of the 92 objects, on files of the same format that are made here, and on the published ones."""

import io

import numpy as np
import pytest
import torch
from scipy.io import savemat

from lggkit.data import DataCorrupt, DataUnavailable, objects92
from lggkit.data.objects92 import FILES, generated_objects, load_objects92, parse_objects92

NAMES = ("animate", *objects92.COLUMNS)


def structs(rows):
    """A MATLAB structure array of (RDM, name) in rows."""
    kind = [("RDM", "O"), ("name", "O"), ("color", "O")]
    array = np.zeros((1, len(rows)), dtype=kind)
    for place, (rdm, name) in enumerate(rows):
        array[0, place]["RDM"], array[0, place]["name"], array[0, place]["color"] = rdm, name, np.ones(3)
    return array


def cells(values):
    array = np.empty((1, len(values)), dtype=object)
    array[0, :] = values
    return array


def written(**arrays):
    file = io.BytesIO()
    savemat(file, arrays)
    return file.getvalue()


def files(made):
    """The contents of files in the published form."""
    people = [(r, f"hIT | {n} | Session: {i + 1}") for n, s in made for i, r in enumerate(s)]
    pictures = np.zeros((1, 4), dtype=[("category", "O"), ("image", "O")])
    for i in range(4):
        pictures[0, i]["image"] = np.full((5, 6, 3), 10 * i, dtype=np.uint8)
        pictures[0, i]["category"] = "thing"
    vectors = np.concatenate([np.array([[1, 1, 0, 0]]).T, np.eye(4)], 1).astype(np.uint8)
    rdm = made[0][1][0]
    return {
        "brains": written(RDMs=structs(people).reshape(1, 2, 2)),
        "judgements": written(rdms_behav_92=structs([(rdm, "simJudge | subject1")] * 3)),
        "models": written(Models=structs([(rdm, "monkeyIT"), (2 * rdm, "V1")])),
        "stimuli": written(categoryLabels=cells(NAMES), categoryVectors=vectors, stimuli_92objs=pictures),
    }


@pytest.fixture
def made():
    def rdm(seed):
        half = np.random.default_rng(seed).random((4, 4)).astype(np.float32)
        return np.triu(half, 1) + np.triu(half, 1).T

    return [("AB", [rdm(0), rdm(1)]), ("CD", [rdm(2), rdm(3)])]


def test_files_are_read_as_published(made):
    objects = parse_objects92(files(made))
    assert objects.people == ("AB", "CD") and objects.human.shape == (2, 2, 4, 4)
    np.testing.assert_array_equal(objects.human[1, 0].numpy(), made[1][1][0])
    assert objects.images.shape == (4, 3, 5, 6) and objects.images.dtype == torch.uint8
    assert objects.images[2].unique().tolist() == [20] and objects.labels.tolist() == [0, 1, 2, 3]
    assert objects.animate.tolist() == [True, True, False, False]
    assert list(objects.models) == ["V1"] and objects.judgements.shape == (3, 4, 4)
    assert objects.monkey.dtype == torch.float64


def test_what_does_not_fit_is_told(made):
    small = [(name, [r[:3, :3] for r in sessions]) for name, sessions in made]
    with pytest.raises(DataCorrupt, match="not of the same 4 objects"):
        parse_objects92(files(made) | {"brains": files(small)["brains"]})
    uneven = [(made[0][0], [made[0][1][0], np.triu(made[0][1][1])]), made[1]]
    with pytest.raises(DataCorrupt, match="differs from its transpose"):
        parse_objects92(files(uneven))
    with pytest.raises(DataCorrupt, match="not as published"):
        parse_objects92(files(made) | {"models": written(other=np.ones(3))})


def test_missing_and_altered_files_are_named(tmp_path):
    with pytest.raises(DataUnavailable, match=r"92_brainRDMs\.mat is missing"):
        load_objects92(tmp_path)
    (tmp_path / objects92.FOLDER).mkdir()
    (tmp_path / FILES["brains"].path).write_bytes(b"other")
    with pytest.raises(DataCorrupt, match=r"92_brainRDMs\.mat is truncated or altered"):
        load_objects92(tmp_path)


def test_a_generated_set_has_the_same_form():
    objects, again = generated_objects(3, people=2, seed=1), generated_objects(3, people=2, seed=1)
    assert objects.human.shape == (2, 2, 12, 12) and (objects.human == again.human).all()
    objects92._check(objects)
    assert objects.labels.bincount().tolist() == [3, 3, 3, 3] and objects.images.dtype == torch.uint8
