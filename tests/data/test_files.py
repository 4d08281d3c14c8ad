"""Folders that are not there: unplugged drives, broken links, files in their place."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from lggkit.data import DATASETS, DataUnavailable, load

IN_ITS_PLACE = {
    "nothing": lambda folder: None,
    "a broken link": lambda folder: folder.symlink_to("/nowhere"),
    "a file": lambda folder: folder.write_text("in the way"),
    "a loop": lambda folder: folder.symlink_to(folder),
}


@pytest.fixture
def downloads(monkeypatch) -> list[str]:
    """What a download was tried of."""
    tried: list[str] = []
    monkeypatch.setattr("lggkit.data.download._fetch", lambda archive, folder: tried.append(archive.urls[0]))
    return tried


@pytest.fixture
def drive(layouts, tmp_path, monkeypatch) -> Path:
    """A drive with CIFAR-10, named by LGGKIT_DATA."""
    layouts("cifar10")
    folder = tmp_path / "drive"
    folder.mkdir()
    (tmp_path / "cifar-10-batches-py").rename(folder / "cifar-10-batches-py")
    monkeypatch.setenv("LGGKIT_DATA", str(folder))
    return folder


@pytest.mark.parametrize("place", IN_ITS_PLACE)
def test_an_unplugged_drive_is_one_sentence_and_nothing_is_written_in_its_place(drive, downloads, place):
    aside = drive.rename(drive.with_name("unplugged"))
    IN_ITS_PLACE[place](drive)
    before = os.path.lexists(drive)
    with pytest.raises(DataUnavailable) as refusal:
        load("cifar10")
    said = str(refusal.value)
    assert said.startswith(f"{drive}, the folder that LGGKIT_DATA names, is ") and "\n" not in said
    assert "plug it in or make it, or set LGGKIT_DATA" in said
    assert ("is not there" in said) == (place == "nothing")
    assert not downloads and os.path.lexists(drive) == before and not drive.is_dir()
    drive.unlink(missing_ok=True)
    aside.rename(drive)
    assert len(load("cifar10")) == 60


def test_a_folder_below_a_file_is_refused_likewise(drive, downloads, monkeypatch):
    (drive / "file").write_text("no folder")
    monkeypatch.setenv("LGGKIT_DATA", str(drive / "file" / "data"))
    with pytest.raises(DataUnavailable, match=r"file/data, the folder that LGGKIT_DATA names, is not there"):
        load("cifar10")
    assert not downloads


def test_a_drive_that_goes_between_two_splits_is_named_and_may_come_back(drive, downloads):
    assert len(load("cifar10", train=True)) == 60
    shutil.move(drive, drive.with_name("away"))
    with pytest.raises(DataUnavailable, match="is not there: plug it in"):
        load("cifar10", train=False)
    shutil.move(drive.with_name("away"), drive)
    assert len(load("cifar10", train=False)) == 12


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ENODEV, errno.ESTALE])
def test_a_file_that_no_longer_answers_is_named(drive, monkeypatch, code):
    read = Path.read_bytes

    def failing(path):
        if path.name == "data_batch_3":
            raise OSError(code, os.strerror(code))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", failing)
    with pytest.raises(DataUnavailable) as refusal:
        load("cifar10")
    path = drive / DATASETS["cifar10"].read.train[2].path
    assert str(refusal.value) == (
        f"{path} cannot be read ({os.strerror(code)}): see that its drive is plugged in, "
        "or set LGGKIT_DATA to a folder that holds the data."
    )


def test_a_drive_that_refuses_to_be_looked_at_counts_as_missing(drive, downloads, monkeypatch):
    stat = os.stat

    def refusing(path, *arguments, **settings):
        if "cifar-10-batches-py" in str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return stat(path, *arguments, **settings)

    monkeypatch.setattr(os, "stat", refusing)
    with pytest.raises(DataUnavailable, match="cifar10 is not in"):
        load("cifar10")
    assert downloads


def test_a_folder_that_is_given_and_is_a_broken_link_is_refused(drive, downloads, tmp_path):
    (tmp_path / "link").symlink_to("/nowhere")
    with pytest.raises(DataUnavailable, match="link, the folder of the data sets, is no folder that can be"):
        load("cifar10", root=tmp_path / "link")
    assert not downloads


def test_the_digits_need_no_folder(drive, monkeypatch):
    monkeypatch.setenv("LGGKIT_DATA", str(drive / "nowhere"))
    assert len(load("digits")) == 1297
