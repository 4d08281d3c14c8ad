"""A file is read again where it changed, and only there."""

import os
import time

import pytest

from lggkit.study import file_cache
from lggkit.study.file_cache import unless_changed


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("one")
    settle(path)
    return path


@pytest.fixture
def now(monkeypatch):
    """A clock ten seconds on: what was written just now has lain still."""
    monkeypatch.setattr(file_cache.time, "time_ns", lambda: CLOCK() + 10 * 10**9)


CLOCK = time.time_ns


def settle(path):
    os.utime(path, (1e9, 1e9))


def reader(path, calls):
    def read():
        calls.append(1)
        return path.read_text() if path.exists() else ""

    return read


def test_an_unchanged_file_is_read_once(file, now):
    calls = []
    assert [unless_changed(file, "text", reader(file, calls)) for _ in range(3)] == ["one"] * 3
    assert len(calls) == 1
    assert unless_changed(file, "length", lambda: 3) == 3


@pytest.mark.parametrize("text", ["more than one", "two"])
def test_a_changed_file_is_read_again_whatever_its_length_and_time(file, now, text):
    assert unless_changed(file, "text", reader(file, [])) == "one"
    time.sleep(0.05)  # more than a tick of the file system's clock
    file.write_text(text)
    settle(file)
    assert unless_changed(file, "text", reader(file, [])) == text


def test_what_was_written_just_now_is_not_kept(file):
    calls = []
    os.utime(file)
    for _ in range(2):
        unless_changed(file, "text", reader(file, calls))
    assert len(calls) == 2


def test_a_file_that_went_or_came_is_looked_at_again(file, now):
    assert unless_changed(file, "text", reader(file, [])) == "one"
    file.unlink()
    assert unless_changed(file, "text", reader(file, [])) == ""
    file.write_text("new")
    assert unless_changed(file, "text", reader(file, [])) == "new"
