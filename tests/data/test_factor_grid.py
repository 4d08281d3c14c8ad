"""Grids of factors: every combination once, and what each factor does to an image."""

import sys
import types

import numpy as np
import pytest
import torch

from lggkit.data import DataCorrupt, DataUnavailable, FactorGrid, load_shapes3d, shapes3d

BASE = torch.zeros(2, 1, 12, 12, dtype=torch.uint8)
BASE[0, 0, 3:9, 5:7] = 255
BASE[1, 0, 2:10, 2:10] = 255


def test_every_combination_is_there_once():
    grid = FactorGrid.rendered(BASE, {"scale": (0.5, 1.0), "object": (0.0, 0.3, 0.6)}, 8)
    assert grid.sizes == (2, 2, 3) and len(grid) == 12 and grid.names == ("shape", "scale", "object")
    assert torch.equal(grid.index(grid.factors), torch.arange(12))
    image, factors = grid[7]
    again = FactorGrid.rendered(BASE, {"scale": (0.5, 1.0), "object": (0.0, 0.3, 0.6)}, 8)
    assert torch.equal(image, again.images[7]) and factors.tolist() == [1, 0, 1]


def test_without_factors_an_image_is_itself():
    grid = FactorGrid.rendered(BASE, {}, 12)
    assert torch.equal(grid.images, BASE.expand(-1, 3, -1, -1))


def test_a_turn_is_counterclockwise_and_a_shift_to_the_right_and_down():
    bar = torch.zeros(1, 1, 12, 12, dtype=torch.uint8)
    bar[0, 0, 1:6, 5:7] = 255
    turned = FactorGrid.rendered(bar, {"orientation": (90.0,)}, 12).images
    torch.testing.assert_close(turned[0, :1].float(), bar[0].rot90(1, (1, 2)).float(), atol=2, rtol=0)
    right = FactorGrid.rendered(bar, {"shift_x": (0.25,), "shift_y": (1 / 12,)}, 12).images
    assert torch.equal(right[0, :1], bar[0].roll((1, 3), (1, 2)))


def test_scales_are_of_lengths_and_hues_of_thing_and_ground():
    small = FactorGrid.rendered(BASE[1:], {"scale": (0.5,)}, 12).images
    assert small.float().mean() == pytest.approx(BASE[1].float().mean().item() / 4, rel=0.1)
    grid = FactorGrid.rendered(BASE[1:], {"background": (0.0, 1 / 3), "object": (2 / 3,)}, 12)
    thing, ground = grid.images[:, :, 6, 6], grid.images[:, :, 0, 0]
    assert thing.argmax(1).tolist() == [2, 2] and ground.argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: FactorGrid.rendered(BASE.float(), {}, 8), "give uint8"),
        (lambda: FactorGrid.rendered(BASE, {"hue": (0.1,)}, 8), "no factor 'hue'"),
        (lambda: FactorGrid.rendered(BASE, {"scale": ()}, 8), "at least one finite number"),
        (lambda: FactorGrid.rendered(BASE, {"scale": (0.0, 1.0)}, 8), "a scale is 0.0"),
        (lambda: FactorGrid(BASE, torch.zeros(2, 1, dtype=torch.int64), ("a",), (3,)), "has 3 images, not 2"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()


class Opened:
    """What h5py gives of a file: arrays by name, of which single rows are asked."""

    def __init__(self, path, mode):
        self.shape = (480_000, 64, 64, 3)

    def __enter__(self):
        return {"images": self} if not self.wrong else {}

    def __exit__(self, *_):
        return None

    def __getitem__(self, place):
        return np.full((64, 64, 3), place % 251, dtype=np.uint8)

    wrong = False


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "3dshapes").mkdir()
    (tmp_path / shapes3d.PATH).touch()
    monkeypatch.setitem(sys.modules, "h5py", types.SimpleNamespace(File=Opened))
    return tmp_path


def test_shapes_are_those_of_the_values_that_are_kept(folder):
    kept = {"floor_hue": (1,), "wall_hue": (2, 5), "object_hue": (0,), "scale": (3,), "shape": (0, 1)}
    grid = load_shapes3d(kept, folder)
    assert grid.sizes == (1, 2, 1, 1, 2, 15) and grid.images.shape == (60, 3, 64, 64)
    assert torch.equal(grid.index(grid.factors), torch.arange(60))
    place = ((((1 * 10 + 5) * 10 + 0) * 8 + 3) * 4 + 1) * 15 + 7
    assert int(grid.images[15 * 3 + 7, 0, 0, 0]) == place % 251


def test_what_is_missing_or_altered_is_said(folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no factor 'hue'"):
        load_shapes3d({"hue": (0,)}, folder)
    with pytest.raises(ValueError, match="ascending"):
        load_shapes3d({"scale": (1, 0)}, folder)
    with pytest.raises(DataUnavailable, match=r"3dshapes\.h5"):
        load_shapes3d(folder=tmp_path / "nowhere")
    monkeypatch.setattr(Opened, "wrong", True)
    with pytest.raises(DataCorrupt, match="truncated or altered"):
        load_shapes3d({"scale": (0,)}, folder)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataUnavailable, match="pip install h5py"):
        load_shapes3d(folder=folder)
