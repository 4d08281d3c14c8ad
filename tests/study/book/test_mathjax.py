from types import SimpleNamespace

import pytest

from lggkit.study.book import mathjax

pytest.importorskip(mathjax.PACKAGE)


class App(SimpleNamespace):
    def connect(self, event, function):
        self.connected = (event, function)


def test_pages_load_a_file_that_lies_beside_them(tmp_path):
    app = App(config=SimpleNamespace(), outdir=tmp_path, builder=SimpleNamespace(format="html"))
    mathjax.setup(app)
    event, copy = app.connected
    assert event == "build-finished" and "//" not in app.config.mathjax_path
    copy(app, None)
    copied = tmp_path / "_static" / app.config.mathjax_path
    assert copied.read_bytes() == mathjax.mathjax_file().read_bytes()
    assert copied.stat().st_size > 1_000_000


def test_nothing_is_copied_after_a_failed_build(tmp_path):
    app = App(config=SimpleNamespace(), outdir=tmp_path, builder=SimpleNamespace(format="html"))
    mathjax.setup(app)
    app.connected[1](app, RuntimeError("failed"))
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(mathjax, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install sphinx-mathjax-offline"):
        mathjax.mathjax_file()
