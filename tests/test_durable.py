import errno
import os

import pytest

from lggkit.durable import draft, require_writable, set_aside, whole, write_whole


def test_a_file_is_there_whole_and_synced_before_it_is_named(tmp_path, monkeypatch):
    order = []
    sync, name = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("sync"), sync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda *paths: (order.append("name"), name(*paths))[1])
    write_whole(tmp_path / "a.txt", "schön")
    assert (tmp_path / "a.txt").read_bytes() == "schön".encode()
    assert order == ["sync", "name"] and os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt(), ValueError("no")])
def test_what_fails_leaves_the_file_before_and_no_draft(tmp_path, error):
    write_whole(tmp_path / "a", b"old")
    with pytest.raises(type(error)), whole(tmp_path / "a") as file:
        file.write(b"half")
        raise error
    assert (tmp_path / "a").read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with draft(tmp_path / "a") as first, draft(tmp_path / "a") as second:
        assert first != second and str(os.getpid()) in first.name
        first.write_bytes(b"1"), second.write_bytes(b"2")
    assert (tmp_path / "a").read_bytes() == b"1" and os.listdir(tmp_path) == ["a"]


def test_a_folder_is_tried_and_left_as_it_was(tmp_path):
    require_writable(tmp_path / "new" / "folder")
    assert os.listdir(tmp_path / "new" / "folder") == []
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", f"{tmp_path}/nul\0"):
        with pytest.raises(OSError, match=r"^cannot write to .*; make room or name a folder"):
            require_writable(folder)


def test_a_damaged_file_is_renamed(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"")
    assert set_aside(tmp_path / "a.pt").name == "a.pt.damaged" and not (tmp_path / "a.pt").exists()
