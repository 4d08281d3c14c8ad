"""The benchmark of death times, with a few points."""

import pytest
import torch

from lggkit.study.records.bench_rows import check_rows


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_topology")
    for name, value in {"SETS": 2, "WIDTH": 3, "ROUNDS": 1, "SECONDS": 0.0}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_both_sides_have_the_same_gradient_in_all_sizes(bench):
    rows = [bench.step("cpu"), *bench.growth("cpu", [2, 9])]
    check_rows(rows)
    assert all(row["equal"] for row in rows)
    assert rows[0]["smallest_ratio"] == 4.0 and [row["n"] for row in rows[1:]] == [2, 9]


def test_other_deaths_are_told_apart(bench, monkeypatch):
    monkeypatch.setattr(bench, "component_deaths", lambda x: 1.1 * bench.by_scipy(x))
    assert not bench.compare("wrong", bench.points(6, "cpu"), "cpu")["equal"]


def test_the_loop_gives_the_deaths_of_a_line(bench):
    line = torch.tensor([[[0.0], [1.0], [4.0]]])
    assert bench.by_scipy(line).tolist() == [[1.0, 3.0]]
