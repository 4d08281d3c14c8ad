import itertools
import sys
import types

import numpy as np
import pytest

from lggkit import experiments
from lggkit.experiments import Arm, Experiment
from lggkit.record import Protocol
from lggkit.study import paths
from lggkit.study.records.ledger import Ledger, LedgerError
from lggkit.study.shown import view

NAME = "lgg/s00_toy"


def measure(specs, context):
    for spec in specs:
        metrics = {"error": 10.0 + spec.seed, "curve": [1.0, 2.0]}
        yield context.record(spec, metrics, arrays={"sigma": np.full(2, float(spec.seed))}, seconds=1.0)


@pytest.fixture
def root(tmp_path, monkeypatch):
    toy = Experiment(
        name=NAME,
        title="toy",
        protocols=dict.fromkeys(("smoke", "short", "reduced", "paper"), Protocol()),
        arms=(Arm("base", "b"), Arm("ours", "c"), Arm("ablation", "a", table=False)),
        seeds={"smoke": 2, "short": 3, "reduced": 3, "paper": 5},
        measure=measure,
    )
    monkeypatch.setattr(experiments, "all_experiments", lambda: [toy])
    monkeypatch.setattr(experiments, "get", lambda name: toy)
    monkeypatch.setattr(paths, "repository", lambda: tmp_path)
    return tmp_path


def test_smoke_is_measured_live_each_time_and_kept_apart(root):
    first = view.measure(NAME, "smoke")
    assert len(first.records) == 5 and first.scale == "smoke"
    files = {f.name for f in (root / "_build/results/lgg").iterdir() if not f.name.startswith(".")}
    assert "s00_toy.smoke.jsonl" in files and len(files) == 6
    again = view.measure(NAME, "smoke")
    assert len(again.records) == 5, "a second run replaces the first"
    assert not (root / "data/results").exists()
    assert not [f for f in (root / "_build/results").iterdir() if f.name != "lgg"], "no folder is left behind"


def test_other_scales_measure_only_what_is_missing(root, monkeypatch):
    before = view.measure(NAME, "reduced")
    assert len(before.records) == 8 and (root / "data/results/lgg/s00_toy.reduced.jsonl").exists()
    monkeypatch.setattr(experiments.get(NAME).measure, "__code__", (lambda specs, context: 1 / 0).__code__)
    assert view.measure(NAME, "reduced").records == before.records


def test_values_intervals_and_arrays(root):
    shown = view.measure(NAME, "smoke")
    assert shown.values("base", "error") == [10.0, 11.0]
    assert shown.interval("base", "error").mean == 10.5
    assert shown.arrays("base", 1)["sigma"].tolist() == [1.0, 1.0]
    assert shown.devices == shown.records[0].device.split(",")[0] != ""
    with pytest.raises(LedgerError, match="no run of base, seed 7, at smoke scale"):
        shown.arrays("base", 7)


def test_highest_is_the_highest_whose_table_is_whole(root, make_record):
    with pytest.raises(LedgerError, match="no scale of lgg/s00_toy is complete"):
        view.highest(NAME)
    view.measure(NAME, "smoke")
    assert view.highest(NAME).scale == "smoke"
    ledger = Ledger(root / "data/results")
    ledger.append(make_record("base", 0, "paper", NAME))
    ledger.append(make_record("ours", 0, "paper", NAME, status="diverged", reason="loss", metrics={}))
    assert view.highest(NAME).scale == "smoke", "begun is not whole, and a diverged run is no number"
    ledger.append(make_record("ours", 1, "paper", NAME))
    assert view.highest(NAME).scale == "paper"


def test_a_longer_scale_is_shown_once_it_has_its_seeds(root, make_record):
    ledger = Ledger(root / "data/results")
    for arm, seed in itertools.product(("base", "ours"), range(3)):
        ledger.append(make_record(arm, seed, "short", NAME))
    for seed in range(3):
        assert view.highest(NAME).scale == "short"
        for arm in ("base", "ours"):
            ledger.append(make_record(arm, seed, "reduced", NAME))
    assert view.highest(NAME).scale == "reduced"


def test_highest_for_chosen_arms_counts_runs_that_diverged(root, make_record):
    view.measure(NAME, "smoke")
    ledger = Ledger(root / "data/results")
    ledger.append(make_record("ours", 0, "reduced", NAME, status="diverged", reason="loss", metrics={}))
    assert view.highest(NAME, arms=("ours",)).scale == "reduced"
    assert view.highest(NAME, arms=("ours", "base")).scale == "smoke"


def test_pairs_are_made_of_seeds_that_both_arms_have(root, make_record):
    ledger = Ledger(root / "data/results")
    errors = {"base": {0: 12.0, 1: 14.0, 2: 50.0}, "ours": {1: 11.0, 0: 11.0, 3: 0.0}}
    for arm, by_seed in errors.items():
        for seed, error in by_seed.items():
            ledger.append(make_record(arm, seed, "paper", NAME, metrics={"test_error": error}))
    difference = view.at(NAME, "paper").paired("base", "ours", "test_error")
    assert (difference.mean, difference.n) == (2.0, 2)


def test_failures_and_unknown_scales_are_one_sentence(root, monkeypatch):
    def failing(specs, context):
        raise RuntimeError("out of memory")
        yield

    object.__setattr__(experiments.get(NAME), "measure", failing)
    with pytest.raises(LedgerError, match=r"lgg/s00_toy, base, seed 0: out of memory"):
        view.measure(NAME, "smoke")
    with pytest.raises(ValueError, match="choose one of smoke, short, reduced, paper"):
        view.measure(NAME, "huge")


def test_settings_are_named_as_in_a_sentence():
    digits = {"dataset": "cifar10", "stand_in": "digits", "network": "small_net"}
    assert view.data_title(digits) == "handwritten digits"
    assert view.network_title(digits) == "a small convolutional network"
    assert view.data_title({"dataset": "cifar100"}) == "CIFAR-100"
    assert (view.data_name(digits), view.class_count(digits)) == ("digits", 10)
    assert view.class_count({"dataset": "cifar100"}) == 100
    assert view.network_title({"network": "preact_resnet18"}) == "PreActResNet-18"


def test_what_is_shown_is_named_where_there_is_nothing_to_show(root, make_record):
    ledger = Ledger(root / "data/results")
    ledger.append(make_record("base", 0, "paper", NAME, metrics={"curve": [1.0, 2.0], "error": 3.0}))
    shown = view.at(NAME, "paper")
    place = r"lgg/s00_toy at paper scale, base"
    with pytest.raises(ValueError, match=rf"{place}, no_such: values are \[\]"):
        shown.interval("base", "no_such")
    with pytest.raises(ValueError, match=rf"{place}, curve: a value is no number"):
        shown.interval("base", "curve")
    with pytest.raises(ValueError, match=rf"{place} less ours, error: values are \[\]"):
        shown.paired("base", "ours", "error")


def test_differences_that_are_rounding_are_not_resolved(root, make_record):
    ledger = Ledger(root / "data/results")
    for arm, errors in {"base": [10.9, 11.0, 11.1], "ours": [10.0, 10.1, 10.2]}.items():
        for seed, error in enumerate(errors):
            ledger.append(make_record(arm, seed, "paper", NAME, metrics={"error": error}))
    difference = view.at(NAME, "paper").paired("base", "ours", "error")
    assert difference.mean == pytest.approx(0.9) and not difference.resolved


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), [1.0], None], ids=str)
def test_only_finite_numbers_and_texts_are_glued(bad, monkeypatch):
    handed = {}
    glue = lambda name, value, display: handed.update({name: value})  # noqa: E731
    monkeypatch.setitem(sys.modules, "myst_nb", types.SimpleNamespace(glue=glue))
    view.glue({"a": np.float32(2), "b": "text"})
    assert handed == {"a": 2.0, "b": "text"}
    with pytest.raises(ValueError, match="new to glue is"):
        view.glue({"other": 1.0, "new": bad})
    assert "other" not in handed


def test_arms_may_be_an_array(root):
    view.measure(NAME, "smoke")
    assert view.highest(NAME, arms=np.array(["base", "ours"])).scale == "smoke"
    assert view.highest(NAME, arms="base").scale == "smoke"
