"""The benchmark of transport, with layers of a few neurons."""

import numpy as np
import pytest

from lggkit.study.records.bench_rows import check_rows
from lggkit.transport import ipot


@pytest.fixture
def bench(load, monkeypatch):
    module = load("bench_transport")
    for name, value in {"NEURONS": 24, "ROUNDS": 1}.items():
        monkeypatch.setattr(module, name, value)
    return module


def test_every_solver_comes_near_the_least(bench):
    rows = bench.solvers("cpu", 24)
    check_rows(rows)
    assert [row["smallest_ratio"] for row in rows] == [3.0, 8.0, 13.0, 0.0]
    assert all(row["equal"] and row["relative_gap"] < 0.02 for row in rows)
    assert all(-1e-9 <= row["reference_relative_gap"] < 0.1 for row in rows)
    assert rows[0]["reference_relative_gap"] == pytest.approx(0)


def test_another_cost_is_not_taken_for_the_least(bench, monkeypatch):
    monkeypatch.setattr(bench, "OURS", {"beta": 100, "iterations": 1})
    cost = bench.costs(24)
    assert not bench.compare("wrong", cost, bench.exact(cost), None, 0.0, "cpu")["equal"]


def test_the_plain_iteration_is_ours_with_its_settings(bench, monkeypatch):
    monkeypatch.setattr(bench, "PLAIN_ITERATIONS", 300)
    cost = bench.costs(12, disturbed=True)
    least = bench.exact(cost)
    plans = bench.plain_ipot(cost), ipot(bench.torch.from_numpy(cost), iterations=300).plan.numpy()
    assert all(bench.relative_gap(plan, cost, least) < 0.01 for plan in plans)


def test_the_exact_solver_stops_when_it_becomes_too_slow(bench, monkeypatch):
    monkeypatch.setattr(bench, "PATIENCE", 0.0)
    rows = bench.growth("cpu", [8, 16, 32])
    check_rows(rows)
    assert [row["n"] for row in rows] == [8, 16]
    assert rows[0]["ratio"] is not None and rows[1]["ratio"] is None and rows[1]["relative_gap"] is None


def test_a_disturbed_layer_has_a_partner_for_every_neuron(bench):
    cost = bench.costs(24, disturbed=True)
    assert np.array_equal(np.sort(cost.argmin(1)), np.arange(24))


def test_memory_is_measured_in_processes_of_their_own(bench):
    row = bench.memory("cpu", 64)
    check_rows([row])
    assert row["ours_bytes"] > 0 and row["reference_bytes"] > 0
