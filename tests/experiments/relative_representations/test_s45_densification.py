from lggkit.experiments.relative_representations.s45_densification import EXPERIMENT


def test_connectedness_has_no_counterexample(records):
    assert records["exact", 0].metrics["beta_connected_violations"] == 0


def test_all_arms_begin_alike_and_the_penalty_changes_them(records):
    robust, both = (records[arm, 0] for arm in ("robust", "robust_topology"))
    assert robust.arrays["deaths_after"].shape == both.arrays["deaths_after"].shape
    assert (robust.arrays["deaths_after"] != both.arrays["deaths_after"]).any()


def test_paper_protocol_is_the_codes():
    both = EXPERIMENT.spec("robust_topology", "paper").protocol
    assert (both.weight, both.beta, both.before, both.after) == (0.02, 3.0, 0.1, 0.9)
