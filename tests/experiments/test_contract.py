"""What holds for every section alike, on quick versions of their smoke protocols."""

import dataclasses
import importlib
import pathlib

import pytest

from lggkit import experiments
from lggkit.experiments.networks import Network
from lggkit.protocol import changed
from lggkit.record import SCALES
from lggkit.study import paths
from lggkit.study.judging.derived import with_derived
from lggkit.study.records.ledger import Ledger
from lggkit.study.records.network_ledger import NetworkLedger
from lggkit.study.running.context import StudyContext

ALL = {experiment.name: experiment for experiment in experiments.all_experiments()}
CLOCKED = ("relative_step_time", "seconds_", "step_seconds_", "ms_", "slope_", "speedup")
"""What the names of metrics that a clock gives begin with."""


@pytest.fixture(params=ALL)
def experiment(request):
    return ALL[request.param]


@pytest.fixture(scope="module", params=ALL)
def section(request, measured):
    return measured(request.param)


@pytest.fixture
def records(section):
    return section.records


def of(record):
    """What two runs of one spec have in common, bit for bit."""
    stamps = {"seconds", "date", "metrics", "arrays"}
    fields = {f.name: getattr(record, f.name) for f in dataclasses.fields(record) if f.name not in stamps}
    arrays = {name: (a.dtype, a.shape, a.tobytes()) for name, a in record.arrays.items()}
    return (
        fields | {"metrics": {n: v for n, v in record.metrics.items() if not n.startswith(CLOCKED)}} | arrays
    )


def test_a_section_is_named_like_its_file(experiment):
    module = importlib.import_module("lggkit.experiments." + experiment.name.replace("/", "."))
    assert module.EXPERIMENT is experiment
    assert module.__doc__.startswith("Paper ")


def test_no_section_file_is_forgotten():
    root = pathlib.Path(experiments.__file__).parent
    files = {f"{p.parent.name}/{p.stem}" for p in root.glob("*/*.py") if p.stem != "__init__"}
    assert {name for name in files if not name.startswith("recipes/")} == set(ALL)


def test_every_scale_is_complete(experiment):
    for scale in SCALES:
        specs = experiment.specs(scale)
        assert {s.arm for s in specs} == {a.name for a in experiment.arms if experiment.seed_count(a, scale)}
        assert len({s.key for s in specs}) == len(specs)
        tables = [experiment.arm(s.arm).table for s in specs]
        assert tables == sorted(tables, reverse=True), "table arms come first"
        assert experiment.minutes[scale] > 0
    assert all(experiment.seed_count(arm, "smoke") for arm in experiment.arms), "smoke measures every arm"


def test_arms_that_are_measured_together_exist_once(experiment):
    arms = {arm.name: arm for arm in experiment.arms}
    grouped = [name for names in experiment.groups() for name in names]
    assert sorted(grouped) == sorted(arms)
    for names in experiment.groups():
        assert len({arms[name].table for name in names}) == 1, "table arms wait for no ablation"


def test_protocols_are_frozen(experiment):
    for protocol in experiment.protocols.values():
        with pytest.raises(dataclasses.FrozenInstanceError):
            protocol.revision = 3


def test_unknown_names_list_what_there_is(experiment):
    with pytest.raises(KeyError, match=experiment.name):
        experiments.get("lgg/s99")
    with pytest.raises(KeyError, match=experiment.arms[0].name):
        experiment.arm("nobody")


@pytest.mark.parametrize("scale", [scale for scale in SCALES if scale != "smoke"])
def test_what_is_recorded_has_the_key_of_todays_run(experiment, scale):
    """Unless a higher revision has retired it."""
    names = {arm.name for arm in experiment.arms}
    for record in Ledger(paths.results()).records(experiment.name, scale):
        if record.arm in names:
            spec = experiment.spec(record.arm, scale, record.seed)
            revised = spec.protocol.revision > record.settings.get("revision", 1)
            assert revised or spec.key == record.key, (record.arm, record.seed)


def test_descriptions_are_values(experiment):
    """Equal settings describe equal networks, whose keys are those of their content."""
    for scale in SCALES:
        for spec in experiment.specs(scale):
            first = getattr(spec.protocol, "description", None)
            if first is not None:
                second = experiment.spec(spec.arm, scale, spec.seed).protocol.description
                assert isinstance(first, Network) and hash(first) == hash(second)
                assert first == second and first.key(spec.seed) == second.key(spec.seed)


def test_there_is_one_record_for_each_run(section, records):
    keys = {(r.arm, r.seed): r.key for r in records.values()}
    assert keys == {(s.arm, s.seed): s.key for s in section.experiment.specs("smoke")}
    assert all(r.experiment == section.experiment.name and r.scale == "smoke" for r in records.values())


def test_every_arm_is_complete_at_smoke_scale(records):
    assert {r.status for r in records.values()} == {"complete"}
    assert all(r.metrics for r in records.values())


def test_records_name_the_described_network_where_one_was_trained(section, records):
    for (arm, seed), record in records.items():
        if record.network:
            assert record.network == section.spec(arm, seed).protocol.description.key(seed)
            assert record.trained_on and record.curves["train_loss"] and record.path
        else:
            assert not record.trained_on and "train_loss" not in record.curves


def harmed(record):
    """The record as if every corruption had done harm: means over a reference that has none are left out."""
    errors = {name: [90.0] * len(row) for name, row in record.metrics.items() if name.startswith("errors_")}
    return dataclasses.replace(
        record, metrics=record.metrics | ({**errors, "clean_error": 9.0} if errors else {})
    )


def test_all_that_cells_and_claims_compare_is_there(section, records, compared):
    complete = with_derived(section.experiment, map(harmed, records.values()))
    measured = {(r.arm, name) for r in complete if r.seed == 0 for name in r.metrics}
    assert compared(section.experiment.name) <= measured


def test_an_arm_alone_is_what_it_is_in_its_group_and_nothing_is_trained_again(section, records, tmp_path):
    """Every arm of a table; of ablations that are measured together, the first and the last."""
    context = section.again(tmp_path / "networks.jsonl")
    for group in section.groups():
        first = [spec for spec in group if spec.seed == 0]
        table = section.experiment.arm(first[0].arm).table
        for spec in first if table else dict.fromkeys((first[0], first[-1])):
            (alone,) = section.experiment.measure([spec], context)
            assert of(alone) == of(records[spec.arm, 0]), spec.arm
    assert context.trainings.lines() == []


class Losing(StudyContext):
    """A context in which the training of some networks diverged."""

    lost: tuple[str, ...] = ()

    def networks(self, wanted, observe=None):
        results = super().networks(wanted, observe)
        told = {"diverged": "the loss was nan at step 0 (epoch 0)"}
        return [dataclasses.replace(r, **told) if r.key in self.lost else r for r in results]


def test_a_diverged_network_is_a_diverged_record_and_leaves_the_others_alone(section, records):
    specs = next((group for group in section.groups() if records[group[0].arm, 0].network), None)
    if specs is None:
        pytest.skip("it trains nothing")
    context = Losing(weights=section.context.weights, commit="test")
    context.lost = (records[specs[0].arm, 0].network,)
    for record in section.experiment.measure(specs, context):
        before = records[record.arm, record.seed]
        if record.network in context.lost:
            assert record.status == "diverged" and record.reason.startswith("the loss was nan")
            assert record.metrics == {} and record.curves == before.curves and record.arrays == {}
        else:
            assert record.status == "complete" and record.metrics
            rest, whole = of(record)["metrics"], of(before)["metrics"]
            assert rest.items() <= whole.items(), "what needs the other network may be missing"


def test_a_training_that_diverges_is_a_record(section, records, tmp_path):
    experiment = section.experiment
    first = next((spec for spec in experiment.specs("smoke") if records[spec.arm, 0].network), None)
    if first is None:
        pytest.skip("it trains nothing")
    schedule = first.protocol.description.schedule
    wild = dataclasses.replace(schedule, learning_rate=1e30)
    names = ("training", "teacher_training", "sweep_training")
    settings = {name: wild for name in names if first.settings.get(name)} or {"learning_rate": 1e30}
    spec = dataclasses.replace(first, protocol=changed(first.protocol, settings))
    trainings = NetworkLedger(tmp_path / "networks.jsonl")
    context = StudyContext(weights=tmp_path, commit="test", trainings=trainings)
    (record,) = experiment.measure([spec], context)
    assert record.status == "diverged" and record.reason
    assert record.metrics == {} and record.network == spec.protocol.description.key(spec.seed)
    assert record.reason in [line.diverged for line in trainings.lines() if line.key == record.network]
