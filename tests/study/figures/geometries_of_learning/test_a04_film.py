"""The film of pieces: one frame a title, well formed, light where the second output is larger."""

import xml.etree.ElementTree as ET

import torch

from lggkit.experiments.recipes.small_mlps import mlp
from lggkit.experiments.recipes.toy_maps import drawn
from lggkit.study.figures.geometries_of_learning.a04_film import SIDE, film

SVG = "{http://www.w3.org/2000/svg}"


def split(offset):
    """A network whose second output is larger where x₁ > ``offset``."""
    network = mlp((2, 2, 2), 0).requires_grad_(False)
    network[0].weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    network[0].bias.copy_(torch.tensor([-offset, offset]))
    network[2].weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    network[2].bias.zero_()
    return network


def test_a_frame_a_title_with_its_light_side():
    arrays = drawn(split(0.0), 1.0, "_0") | drawn(split(0.5), 1.0, "_1")
    root = ET.fromstring(film(arrays, ["first", "last"]))
    frames = root.findall(f"{SVG}g")
    assert [frame.find(f"{SVG}text").text for frame in frames] == ["first", "last"]
    lights = [next(p.get("d") for p in one.iter(f"{SVG}path") if p.get("class") == "on") for one in frames]
    for light, left in zip(lights, (SIDE / 2, 3 * SIDE / 4), strict=True):
        corners = [tuple(map(float, point.split())) for point in light.strip("Mz").split("L")]
        assert {x for x, _ in corners} == {left, SIDE} and {y for _, y in corners} == {0.0, SIDE}


def test_frames_take_turns_and_pause_for_those_who_ask_for_it():
    arrays = drawn(split(0.0), 1.0, "_0") | drawn(split(0.5), 1.0, "_1")
    text = film(arrays, ["first", "last"])
    assert "animation-delay:0.000s" in text and "animation-delay:6.000s" in text
    assert "50.000% { visibility: hidden }" in text and "prefers-reduced-motion" in text
