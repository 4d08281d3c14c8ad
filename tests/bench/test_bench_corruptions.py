"""The benchmark of the corruptions, with two images."""

import pytest


@pytest.fixture
def bench(monkeypatch, load):
    module = load("bench_corruptions")
    monkeypatch.setattr(module, "IMAGES", {"cpu": 32})
    monkeypatch.setattr(module, "FEW", 32)
    monkeypatch.setattr(module, "CORRUPTIONS", ("contrast", "gaussian_noise", "frost"))
    return module


def test_rows_are_ours_against_image_after_image_and_their_sum(bench):
    *rows, total = bench.compare("cpu", rounds=1)
    assert [row["name"] for row in rows] == ["contrast", "gaussian noise", "frost"]
    assert total["ours_seconds"] == pytest.approx(sum(row["ours_seconds"] for row in rows))
    assert total["ratio"] == pytest.approx(total["reference_seconds"] / total["ours_seconds"])
    assert total["equal"] and total["goal_met"] == (total["ours_seconds"] <= 10.4e-3 / 5)


def test_another_severity_is_not_alike(bench, monkeypatch):
    few = bench.pictures(4).permute(0, 2, 3, 1).numpy()
    right = bench.corrupt
    monkeypatch.setattr(bench, "corrupt", lambda images, name, severity: right(images, name, 6 - severity))
    assert not any(bench.alike(few, name, 1) for name in ("contrast", "gaussian_noise", "impulse_noise"))
