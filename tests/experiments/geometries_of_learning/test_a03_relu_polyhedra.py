import numpy as np
import pytest

from lggkit.experiments.geometries_of_learning.a03_relu_polyhedra import EXPERIMENT, PAPER


def test_the_drawn_partition_fills_its_square(records):
    arrays = records["toy1", 0].arrays
    pieces = np.split(arrays["corners"], np.cumsum(arrays["counts"])[:-1])
    turned = [(p[:, 0] * np.roll(p[:, 1], -1) - p[:, 1] * np.roll(p[:, 0], -1)).sum() / 2 for p in pieces]
    assert np.abs(turned).sum() == pytest.approx(64, rel=1e-4)
    assert len(arrays["slopes"]) == len(pieces)


def test_identities_hold(records):
    toy, segments = records["toy1", 0].metrics, records["segments", 0].metrics
    assert toy["walk_and_cut_differ"] == 0 and toy["area_missing"] < 1e-9
    assert toy["pieces_plane"] == toy["pieces_bounded"] + toy["pieces_unbounded"] >= toy["pieces_square"]
    assert segments["crossings_below_hamming"] == segments["parity_violations"] == 0


def test_balls_are_within_the_cells_and_all_are_there(records):
    arrays = records["balls", 0].arrays
    assert {name: len(radii) for name, radii in arrays.items()} == {
        f"radii_{name}": 2 for name in ("train", "test", "fgsm", "signs")
    }
    assert all((radii > 0).all() for radii in arrays.values())


def test_facets_are_counted_of_every_set_and_methods_agree(records):
    metrics = records["cells-digits", 0].metrics
    assert metrics["methods_differ"] == 0
    for name in ("train", "test", "fgsm", "signs"):
        assert 0 < metrics[f"facets_{name}"] <= 30 and 0 <= metrics[f"bounded_{name}"] <= 100
        assert 0 < metrics[f"room_{name}"] <= metrics[f"radius_wide_{name}"]
        assert metrics[f"radius_tight_{name}"] <= metrics[f"radius_wide_{name}"] + 1e-9
    assert all(metrics[f"apart_{name}"] <= 100 + 1e-6 for name in ("fgsm", "signs"))
    assert "facets_test" not in records["cells-cifar", 0].metrics


def test_facets_are_counted_by_width_and_by_dimension(records):
    widths, dimensions = records["widths", 0].metrics, records["dimensions", 0].metrics
    assert all(
        widths[f"share_5x{n}_40"] == 100 * widths[f"facets_5x{n}_40"] / (n // 20 * 5) for n in (300, 500)
    )
    assert {f"facets_3x200_{m}" for m in (10, 20, 40, 60)} <= dimensions.keys()


def test_the_protocol_is_the_articles_where_it_states_one():
    assert (PAPER.samples, PAPER.most_epochs, PAPER.distances) == (10_000, 50, (0.5, 0.75, 1.0))
    assert EXPERIMENT.spec("toy1", "paper").protocol.grid == ((2, 10),)
    assert EXPERIMENT.seed_count(EXPERIMENT.arm("layers"), "paper") == 50
