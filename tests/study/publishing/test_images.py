import base64
import io

import nbformat
import numpy as np
import pytest
from PIL import Image

from lggkit.study.publishing.images import lean_outputs, lean_png


def encoded(pixels):
    """A PNG of uint8 (h, w, channels)."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "png")
    return out.getvalue()


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def colored(count):
    """Opaque pixels (120, 160, 4) of so many colours, strewn about."""
    rng = np.random.default_rng(0)
    colors = np.column_stack(
        [rng.permuted(np.arange(count)) % 256, np.arange(count) // 8, np.arange(count) % 7]
    )
    picked = colors[rng.integers(0, count, (120, 160))]
    return np.dstack([picked, np.full((120, 160), 255)]).astype(np.uint8)


@pytest.fixture
def plot():
    return colored(200)


def test_a_plot_keeps_its_colours_in_fewer_bytes(plot):
    png = encoded(plot)
    lean = lean_png(png)
    assert len(lean) < 0.6 * len(png) and Image.open(io.BytesIO(lean)).mode == "P"
    np.testing.assert_array_equal(decoded(lean), plot)


def test_many_shades_are_rounded_by_little():
    shades = colored(1500)
    lean = lean_png(encoded(shades))
    change = np.abs(decoded(lean).astype(int) - shades)
    assert Image.open(io.BytesIO(lean)).mode == "P"
    assert change.mean() < 8 and (change[..., 3] == 0).all()


def test_a_photograph_takes_the_colours_that_are_nearest():
    shades = np.linspace(0, 255, 160)[None, :, None] * np.linspace(0.3, 1, 120)[:, None, None]
    photograph = encoded((shades * [1.0, 0.8, 0.5]).astype(np.uint8))
    change = np.abs(decoded(lean_png(photograph)).astype(int) - decoded(photograph))
    assert change.mean() < 4 and change.max() < 32


def test_what_is_transparent_stays_as_it_is(plot):
    plot[0, 0, 3] = 100
    assert lean_png(encoded(plot)) == encoded(plot)


def test_an_image_that_would_grow_stays(plot):
    smallest = lean_png(encoded(plot))
    assert lean_png(smallest) == smallest


def test_every_image_among_the_outputs_is_made_lean(plot):
    png = encoded(plot)
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": "<Figure>"}
    shown = nbformat.v4.new_output("display_data", data=data)
    printed = nbformat.v4.new_output("stream", text="words")
    code = nbformat.v4.new_code_cell("plot()", outputs=[printed, shown])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("title"), code])
    lean_outputs(notebook)
    nbformat.validate(notebook)
    assert base64.b64decode(code.outputs[1].data["image/png"]) == lean_png(png)
    assert code.outputs[1].data["text/plain"] == "<Figure>" and code.outputs[0].text == "words"


def test_few_odd_pixels_take_no_more_colours_than_lines_need():
    """The edges of lines have many shades and little room; 64 colours are enough for them."""
    drawing = np.full((120, 160, 4), 255, np.uint8)
    drawing[::24, :, :3] = np.random.default_rng(0).integers(0, 256, (5, 160, 1))
    lean = lean_png(encoded(drawing))
    assert len(np.unique(decoded(lean).reshape(-1, 4), axis=0)) <= 64
    assert np.abs(decoded(lean).astype(int) - drawing).mean() < 0.5
