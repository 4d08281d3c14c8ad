import pytest

from lggkit.experiments import get
from lggkit.experiments.ot_transfer.s5_analyses import EXPERIMENT


def test_networks_are_those_of_the_transfer():
    transfer = get("ot_transfer/s42_transfer")
    for arm in ("l2_sp-cifar10", "omega_p-overlap"):
        for scale in ("smoke", "short", "reduced"):
            ours, theirs = (e.spec(arm, scale).protocol.description for e in (EXPERIMENT, transfer))
            assert ours.key(2) == theirs.key(2)


def test_traces_tell_the_same_in_all_forms(records):
    for (arm, _), record in records.items():
        metrics, depths = record.metrics, EXPERIMENT.protocols["smoke"].depths
        assert len(metrics["trace_by_depth"]) == len(depths)
        assert metrics["mean_trace"] == pytest.approx(sum(metrics["trace_by_depth"]) / len(depths)), arm
        assert metrics["trace_shortfall"] == pytest.approx(1 - min(metrics["trace_by_depth"]))
        plan = record.arrays["plan"]
        assert plan.sum(0) == pytest.approx(1) and plan.sum(1) == pytest.approx(1)
        assert plan.trace() / len(plan) == pytest.approx(metrics["trace_by_depth"][-1])


def test_controls_have_their_known_answers(records):
    reordered, random = (records[name, 0].metrics for name in ("permuted", "untrained"))
    assert reordered["relative_cost"] == pytest.approx(0, abs=1e-9) and random["relative_cost"] > 0.01
    assert reordered["mean_trace"] < 1


def test_the_trace_through_training_ends_where_the_analysis_begins(records):
    record = records["omega_p-cifar10", 0]
    assert record.metrics["final_trace"] == pytest.approx(record.metrics["trace_by_depth"][-1])
