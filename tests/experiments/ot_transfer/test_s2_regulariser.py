import pytest

from lggkit.experiments.ot_transfer.s2_regulariser import BETAS, DRAWN, EXPERIMENT, TRACED


def test_claims_that_are_identities_hold(records):
    metrics = records["exact", 0].metrics
    assert metrics["permutation_violation"] < 1e-12 < metrics["identity_change"]
    assert metrics["uniform_change"] < 1e-12
    gaps = metrics["gap_by_iterations"]
    assert len(gaps) == len(TRACED) and gaps[-1] < 1e-6
    assert metrics["ipot_cost_gap"] == gaps[TRACED.index(EXPERIMENT.protocols["smoke"].iterations)]


def test_recoveries_are_shares_and_those_at_the_entropy_of_the_settings(records):
    metrics, arrays = records["solvers", 0].metrics, records["solvers", 0].arrays
    place = BETAS.index(EXPERIMENT.protocols["smoke"].beta)
    for name in ("exact", "ipot", "sinkhorn"):
        values = metrics[f"recovery_{name}_by_beta"]
        assert (
            all(0 <= value <= 1 + 1e-9 for value in values) and metrics[f"recovery_{name}"] == values[place]
        )
        assert arrays[f"plan_{name}"].shape == (DRAWN, DRAWN)
        assert arrays[f"plan_{name}"].sum(1) == pytest.approx(1, abs=1e-4)
    assert metrics["recovery_exact"] == pytest.approx(metrics["recovery_exact_by_beta"][0])


def test_every_size_and_penalty_is_timed(records):
    metrics, smoke = records["timing", 0].metrics, EXPERIMENT.protocols["smoke"]
    for name in ("ipot", "linear_program"):
        assert len(metrics[f"seconds_{name}_by_size"]) == len(smoke.sizes)
        assert metrics[f"seconds_{name}"] == metrics[f"seconds_{name}_by_size"][-1] > 0
    for name in ("none", "parameter", "transport", "linear_program"):
        assert metrics[f"step_seconds_{name}"] > 0


def test_protocols_time_what_the_paper_times():
    paper = EXPERIMENT.protocols["paper"]
    assert (
        paper.batch == 64 and paper.sizes[-1] == 2048 and paper.iterations in TRACED and paper.beta in BETAS
    )
