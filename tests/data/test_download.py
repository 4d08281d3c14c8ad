"""torchvision's downloader against a server on this machine; no test needs a network."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import socket
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lggkit.data import DATASETS, DataUnavailable, download, load

UNREACHABLE = "http://127.0.0.1:9/"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def served(tmp_path):
    """(folder, its address)."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = lambda *args: Quiet(*args, directory=str(folder))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def publish(monkeypatch, name: str, folder: Path, addresses: list[str], files: list[Path]) -> None:
    """Points the archives of ``name`` at ``files`` in the served folder."""
    archives = tuple(
        replace(
            archive,
            urls=tuple(address + file.name for address in addresses),
            md5=hashlib.md5(file.read_bytes()).hexdigest(),
        )
        for archive, file in zip(DATASETS[name].read.archives, files, strict=True)
    )
    source = replace(DATASETS[name].read, archives=archives)
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], read=source))


def pack(tmp_path: Path, folder: Path, member: str) -> Path:
    archive = folder / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / member, arcname=member)
    return archive


def compress(source: Path, folder: Path) -> Path:
    target = folder / (source.name + ".gz")
    target.write_bytes(gzip.compress(source.read_bytes()))
    return target


def test_a_missing_archive_is_downloaded_into_torchvisions_layout(served, layouts, tmp_path, monkeypatch):
    folder, address = served
    images, _ = layouts("cifar10")
    publish(monkeypatch, "cifar10", folder, [address], [pack(tmp_path, folder, "cifar-10-batches-py")])
    target = tmp_path / "new" / "root"
    np.testing.assert_array_equal(load("cifar10", root=target).images.numpy(), images)
    assert [path.name for path in target.iterdir()] == ["cifar-10-batches-py"]
    assert len(list((target / "cifar-10-batches-py").iterdir())) == 7
    folder.joinpath("archive.tar.gz").unlink()
    assert len(load("cifar10", train=False, root=target)) == 12


def test_the_next_mirror_is_asked_and_only_missing_files_are_fetched(served, layouts, tmp_path, monkeypatch):
    folder, address = served
    images, _ = layouts("mnist")
    source = DATASETS["mnist"].read
    files = [compress(tmp_path / file.path, folder) for file in source.train + source.test]
    publish(monkeypatch, "mnist", folder, [UNREACHABLE, address], files)
    target = tmp_path / "root"
    np.testing.assert_array_equal(load("mnist", root=target).images.numpy(), images)
    fetched = sorted(path.name for path in (target / "MNIST" / "raw").iterdir())
    assert fetched == ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]


def test_a_plain_file_is_downloaded(served, layouts, tmp_path, monkeypatch):
    folder, address = served
    images, _ = layouts("svhn")
    files = [tmp_path / archive.files[0] for archive in DATASETS["svhn"].read.archives]
    for file in files:
        folder.joinpath(file.name).write_bytes(file.read_bytes())
    publish(monkeypatch, "svhn", folder, [address], files)
    np.testing.assert_array_equal(load("svhn", root=tmp_path / "root").images.numpy(), images)


def test_no_connection_is_one_sentence_that_says_what_to_put_where(layouts, tmp_path, monkeypatch):
    layouts("cifar10")
    archive = replace(DATASETS["cifar10"].read.archives[0], urls=(UNREACHABLE + "cifar.tar.gz",))
    source = replace(DATASETS["cifar10"].read, archives=(archive,))
    monkeypatch.setitem(DATASETS, "cifar10", replace(DATASETS["cifar10"], read=source))
    target = tmp_path / "root"
    with pytest.raises(DataUnavailable) as refusal:
        load("cifar10", root=target)
    message = str(refusal.value)
    for part in (
        str(target),
        "cifar-10-batches-py/data_batch_1",
        archive.urls[0],
        "LGGKIT_DATA",
        "scale=smoke needs no",
    ):
        assert part in message
    assert "\n" not in message
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("before", [None, 7.0])
def test_the_timeout_is_this_downloads_alone(before):
    outside = socket.getdefaulttimeout()
    socket.setdefaulttimeout(before)
    try:
        with download._timeout(30.0):
            assert socket.getdefaulttimeout() == 30.0
        assert socket.getdefaulttimeout() == before
    finally:
        socket.setdefaulttimeout(outside)


@pytest.mark.parametrize("damage", ["cut short", "altered"])
def test_a_damaged_download_leaves_nothing_behind(damage, served, layouts, tmp_path, monkeypatch):
    folder, address = served
    layouts("cifar10")
    archive = pack(tmp_path, folder, "cifar-10-batches-py")
    publish(monkeypatch, "cifar10", folder, [address], [archive])
    content = archive.read_bytes()
    archive.write_bytes(content[:-100] if damage == "cut short" else b"\0" + content[1:])
    with pytest.raises(DataUnavailable, match="corrupted"):
        load("cifar10", root=tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(layouts, tmp_path, monkeypatch):
    layouts("cifar10")

    def interrupted(url, folder, md5):
        folder.joinpath("half").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("torchvision.datasets.utils.download_and_extract_archive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load("cifar10", root=tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_a_root_that_cannot_be_made_is_said(layouts, tmp_path):
    layouts("cifar10")
    tmp_path.joinpath("file").write_text("in the way")
    with pytest.raises(DataUnavailable, match="cifar10 is not in"):
        load("cifar10", root=tmp_path / "file" / "root")
