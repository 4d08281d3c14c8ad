"""The five sets of photographs, on a few generated files that lie as the published ones do."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from lggkit.data import FINE_GRAINED, DataUnavailable, fine_grained
from lggkit.data.fine_grained import square

CLASSES = 3
EACH = {True: 2, False: 1}


def photograph(path, label, size=(30, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (60 * label + 10, 0, 0)).save(path, quality=95)


def aircraft(root):
    data = root / "fgvc-aircraft-2013b" / "data"
    for train, split in ((True, "trainval"), (False, "test")):
        names = [(f"{split}{c}{i}", c) for c in range(CLASSES) for i in range(EACH[train])]
        for name, c in names:
            photograph(data / "images" / f"{name}.jpg", c)
        lines = [f"{name} Boeing 70{c}\n" for name, c in names]
        (data / f"images_variant_{split}.txt").write_text("".join(lines))
    (data / "variants.txt").write_text("".join(f"Boeing 70{c}\n" for c in range(CLASSES)))


def birds(root):
    folder, rows = root / "CUB_200_2011", []
    for c in range(CLASSES):
        for i, train in enumerate((True, True, False)):
            rows.append((f"{c + 1:03d}.Bird/{i}.jpg", c, train))
            photograph(folder / "images" / rows[-1][0], c)
    for name, value in {
        "images": lambda row: row[0],
        "image_class_labels": lambda row: row[1] + 1,
        "train_test_split": lambda row: int(row[2]),
    }.items():
        lines = [f"{number} {value(row)}\n" for number, row in enumerate(rows, start=1)]
        (folder / f"{name}.txt").write_text("".join(lines))
    (folder / "classes.txt").write_text("".join(f"{c + 1} {c + 1:03d}.Bird\n" for c in range(CLASSES)))


def cars(root):
    folder = root / "stanford_cars"
    (folder / "devkit").mkdir(parents=True)
    for train, where, file in (
        (True, "cars_train", folder / "devkit" / "cars_train_annos.mat"),
        (False, "cars_test", folder / "cars_test_annos_withlabels.mat"),
    ):
        rows = [(f"{c}{i}.jpg", c) for c in range(CLASSES) for i in range(EACH[train])]
        for name, c in rows:
            photograph(folder / where / name, c)
        kind = [("fname", object), ("class", object)]
        savemat(file, {"annotations": np.array([(name, c + 1) for name, c in rows], dtype=kind)})
    names = np.array([f"Car {c}" for c in range(CLASSES)], dtype=object)
    savemat(folder / "devkit" / "cars_meta.mat", {"class_names": names})


def dogs(root):
    folder, listed = root / "stanford_dogs", []
    for c in range(CLASSES):
        for i in range(EACH[True]):
            listed.append(f"n0{c}-breed_{c}/{i}.jpg")
            photograph(folder / "Images" / listed[-1], c)
        photograph(root / "imagenet" / "val" / f"n0{c}" / "0.JPEG", c)
    photograph(folder / "Images" / "n00-breed_0" / "unlisted.jpg", 0)
    savemat(folder / "train_list.mat", {"file_list": np.array([[one] for one in listed], dtype=object)})


def food(root):
    for train, split in ((True, "train"), (False, "test")):
        listed = {f"food{c}": [f"food{c}/{split}{i}" for i in range(EACH[train])] for c in range(CLASSES)}
        for c, paths in enumerate(listed.values()):
            for path in paths:
                photograph(root / "food-101" / "images" / f"{path}.jpg", c)
        (root / "food-101" / "meta").mkdir(exist_ok=True)
        (root / "food-101" / "meta" / f"{split}.json").write_text(json.dumps(listed))


WRITERS = {"aircraft100": aircraft, "birds200": birds, "cars196": cars, "dogs120": dogs, "foods101": food}


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", FINE_GRAINED)
def test_photographs_are_squares_with_their_labels(name, train, tmp_path):
    WRITERS[name](tmp_path)
    found = fine_grained(name, train, tmp_path, side=8)
    assert found.images.shape == (CLASSES * EACH[train], 3, 8, 8) and len(found.classes) == CLASSES
    assert found.labels.bincount().tolist() == [EACH[train]] * CLASSES
    reds = found.images[:, 0].double().mean((1, 2))
    assert ((reds - 60 * found.labels - 10).abs() < 3).all()
    assert (found.name, found.split) == (name, "train" if train else "test")
    assert found.mean.tolist() == pytest.approx([0.485, 0.456, 0.406])


@pytest.mark.parametrize("name", FINE_GRAINED)
def test_missing_files_are_one_sentence_that_says_what_lies_where(name, tmp_path):
    place = FINE_GRAINED[name].where.split(",")[0]
    with pytest.raises(DataUnavailable, match=rf"cannot be read under .*put {place}") as raised:
        fine_grained(name, True, tmp_path)
    assert "\n" not in str(raised.value) and "download" not in str(raised.value).partition("): ")[2]


@pytest.mark.parametrize(
    ("name", "file"),
    [("birds200", "CUB_200_2011/train_test_split.txt"), ("dogs120", "stanford_dogs/train_list.mat")],
)
def test_lists_that_do_not_fit_the_photographs_are_one_sentence(name, file, tmp_path):
    WRITERS[name](tmp_path)
    if name == "birds200":
        (tmp_path / file).write_text("1 1\n")
    else:
        savemat(tmp_path / file, {"file_list": np.array([["n09-other/1.jpg"]], dtype=object)})
    with pytest.raises(DataUnavailable, match="as published"):
        fine_grained(name, True, tmp_path, side=8)


def test_the_middle_of_a_photograph_is_kept():
    image = Image.fromarray(np.tile(np.arange(40, dtype=np.uint8), (20, 1))).convert("RGB")
    found = square(image, 20)
    assert torch.equal(found[0, 0], torch.arange(10, 30, dtype=torch.uint8)) and found.shape == (3, 20, 20)


def test_unknown_names_and_sides_are_refused(tmp_path):
    with pytest.raises(ValueError, match="there are no photographs 'cats': choose one of aircraft100"):
        fine_grained("cats", root=tmp_path)
    with pytest.raises(ValueError, match="side"):
        fine_grained("birds200", root=tmp_path, side=0)
