import pytest
import torch

from lggkit.experiments.ot_transfer.s43_compression import EXPERIMENT
from lggkit.experiments.recipes.compression import BATCH, CHOSEN, GRID, METHODS, STEPS
from lggkit.experiments.recipes.distillation import Distilled
from lggkit.experiments.recipes.transfer import Regularised
from lggkit.networks import build, parameter_count
from lggkit.study.entered.paper import cells
from lggkit.study.judging.derived import with_derived
from lggkit.study.shown import view


def of(name, scale="reduced"):
    return EXPERIMENT.spec(name, scale).protocol


def test_every_cell_of_the_table_has_its_arm():
    arms = {arm.name for arm in EXPERIMENT.arms if arm.table}
    assert {cell.arm for cell in cells("ot_transfer") if cell.table == "table-2"} == arms
    assert {f"search-{method}-{alpha:g}" for method in METHODS[1:] for alpha in GRID} <= {
        arm.name for arm in EXPERIMENT.arms
    }


@pytest.mark.parametrize(
    ("arm", "scale", "parameters"),
    [
        ("teacher-cifar10-l", "paper", 10_327_706),
        ("teacher-cifar10-w", "paper", 36_479_194),
        ("teacher-cifar100-w", "paper", 36_536_884),
        ("none-cifar10-m", "paper", 590_426),
        ("none-cifar10-s", "paper", 150_386),
        ("teacher-cifar10-l", "reduced", 175_066),
        ("teacher-cifar10-w", "short", 303_706),
        ("omega_p-cifar10-l_m", "reduced", 77_850),
        ("kd-cifar10-w_s", "short", 20_794),
    ],
)
def test_networks_have_the_size_that_the_page_says(arm, scale, parameters):
    description = of(arm, scale).description
    with torch.device("meta"):
        network = build(
            description.architecture.name,
            classes=description.images.classes,
            **dict(description.architecture.size),
        )
    assert parameter_count(network) == parameters


@pytest.mark.parametrize("scale", ["short", "reduced", "paper"])
def test_the_identity_joins_networks_of_equal_widths(scale):
    settings = of("omega_i-cifar10-l_m", scale)
    widths = []
    for described in (settings.description, settings.teaching.description):
        with torch.device("meta"):
            network = build(described.architecture.name, **dict(described.architecture.size))
        widths.append(network.classifier.in_features)
    assert widths[0] == widths[1] == (256 if scale == "paper" else 64)


def test_the_papers_protocol_is_that_of_its_section():
    training = of("omega_p-cifar10-l_m", "paper").description.schedule
    assert (training.batch_size, training.learning_rate, training.weight_decay) == (BATCH, 0.1, 1e-4)
    assert training.epochs * STEPS == pytest.approx(160_000, rel=0.003)
    assert [m * STEPS for m in training.schedule.milestones] == pytest.approx([80_000, 120_000])
    assert training == of("teacher-cifar10-l", "paper").description.schedule


def test_students_differ_in_what_they_are_taught_and_in_nothing_else():
    described = [of(f"{method}-cifar10-l_m").description for method in METHODS[1:]]
    described.append(of("none-cifar10-m").description)
    assert len({(d.images, d.architecture, d.schedule) for d in described}) == 1
    assert len({d.key(0) for d in described}) == len(METHODS)
    teacher = of("teacher-cifar10-l").description
    assert {d.recipe.guide.network for d in described[:-1]} == {teacher}
    assert described[-1].recipe.guide is None
    assert [type(d.recipe) for d in described[:-1]] == [Regularised, Regularised, Distilled, Regularised]


def test_searched_students_do_not_see_what_they_are_judged_on(section, context):
    images = section.spec(f"search-kd-{GRID[0]:g}").protocol.images
    seen = {image.numpy().tobytes() for image in images.training(context).images}
    held = {image.numpy().tobytes() for image in images.split(context)[1].images}
    assert len(held) > 100 and not seen & held


def test_gains_are_over_the_student_without_a_teacher(records):
    found = {r.arm: r.metrics for r in with_derived(EXPERIMENT, records.values())}
    own, none, kd = (
        found[name]["accuracy"] for name in ("omega_p-cifar10-l_s", "none-cifar10-s", "kd-cifar10-l_s")
    )
    assert found["omega_p-cifar10-l_s"]["gain_over_none"] == own - none
    assert found["omega_p-cifar10-l_s"]["gain_over_kd"] == own - kd
    assert found["kd-cifar10-l_s"]["gain_over_none"] == kd - none
    assert "gain_over_omega_p" not in found["none-cifar10-s"]


def test_students_are_compared_with_their_teacher(section, records):
    metrics = records["omega_p-cifar10-l_m", 0].metrics
    assert 0 <= metrics["agreement"] <= 100 and 0 <= metrics["relative_cost"] <= 1
    assert "agreement" not in records["teacher-cifar10-l", 0].metrics
    assert "validation_accuracy" in records["search-kd-1", 0].metrics


def test_every_method_trains_another_network(section):
    names = ["none-cifar10-m", *(f"{method}-cifar10-l_m" for method in METHODS[1:])]
    found = [torch.cat([p.detach().flatten() for p in section.network(arm).parameters()]) for arm in names]
    assert not any(torch.equal(a, b) for i, a in enumerate(found) for b in found[:i])


def test_the_chosen_weights_are_those_that_the_longest_recorded_search_is_best_at():
    for method in METHODS[1:]:
        searches = []
        for scale in ("reduced", "short"):
            shown = view.at(EXPERIMENT.name, scale)
            rows = {a: shown.values(f"search-{method}-{a:g}", "validation_accuracy") for a in GRID}
            searches += [rows] * all(rows.values())
        best = [max(rows, key=rows.get) for rows in searches[:1]]
        assert [weight for name, weight in CHOSEN.items() if name == method] == best, method


def test_a_method_waits_for_its_search_below_paper_scale():
    for method in METHODS[1:]:
        arm = EXPERIMENT.arm(f"{method}-cifar10-l_m")
        counts = [EXPERIMENT.seed_count(arm, scale) for scale in ("short", "reduced", "paper")]
        assert counts == ([3, 3, 3] if method in CHOSEN else [0, 0, 3])
        assert EXPERIMENT.seed_count(EXPERIMENT.arm(f"search-{method}-1"), "short") == 1
