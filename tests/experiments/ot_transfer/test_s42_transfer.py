import torch

from lggkit.experiments.ot_transfer.s42_transfer import EXPERIMENT, GRID, METHODS, TARGETS
from lggkit.experiments.recipes.finetuning import CHOSEN
from lggkit.study.judging.derived import with_derived
from lggkit.study.shown import view


def of(name, scale="reduced"):
    return EXPERIMENT.spec(name, scale).protocol


def test_every_penalty_is_on_every_target_and_searched_over_the_grid_of_the_paper():
    names = {arm.name for arm in EXPERIMENT.arms}
    assert {f"{method}-{target}" for method in METHODS for target in TARGETS} <= names
    assert {f"search-{method}-{alpha:g}" for method in METHODS[1:] for alpha in GRID} <= names
    assert GRID == (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def test_all_but_the_penalty_is_shared():
    described = [of(f"{method}-cifar10").description for method in METHODS]
    assert (
        len({(d.images, d.architecture, d.schedule, d.start, d.start_seed, d.fresh) for d in described}) == 1
    )
    assert len({d.key(0) for d in described}) == len(METHODS)
    assert {d.start for d in described} == {of("source").description}
    assert of("scratch-cifar10").description.start is None


def test_a_fine_tuned_network_begins_with_the_start_but_for_its_last_layer(section, context):
    spec = section.spec("none-cifar10")
    start = context.network(spec.protocol.start, 0).state_dict()
    begun = [spec.protocol.description.begun(seed, context).state_dict() for seed in (0, 1)]
    for name, weight in start.items():
        same = [torch.equal(one[name], weight) for one in begun]
        assert same == [not name.startswith("model.classifier")] * 2, name
    assert not torch.equal(begun[0]["model.classifier.weight"], begun[1]["model.classifier.weight"])


def test_the_same_few_labels_for_all_seeds(section, context):
    images = section.spec("none-cifar10").protocol.images
    first, again = (images.training(context) for _ in range(2))
    assert (
        torch.equal(first.images, again.images)
        and first.labels.bincount().tolist() == [images.per_class] * 10
    )


def test_searched_networks_do_not_see_what_they_are_judged_on(section, context):
    images = section.spec(f"search-l2-{GRID[0]:g}").protocol.images
    seen = {image.numpy().tobytes() for image in images.training(context).images}
    held = {image.numpy().tobytes() for image in images.split(context)[1].images}
    assert len(held) > 100 and not seen & held


def test_traces_are_followed_where_there_is_a_start(records):
    for method in METHODS:
        record = records[f"{method}-cifar10", 0]
        trace = record.curves["trace_penultimate"]
        assert trace[0] == 1 and record.metrics["final_trace"] == trace[-1]
    assert "final_trace" not in records["scratch-cifar10", 0].metrics
    assert "validation_accuracy" in records["search-l2-0.01", 0].metrics


def test_gains_are_those_over_the_methods_on_the_same_target(records):
    found = {r.arm: r.metrics for r in with_derived(EXPERIMENT, records.values())}
    own, none = (found[f"{m}-overlap"]["accuracy"] for m in ("omega_p", "none"))
    assert found["omega_p-overlap"]["gain_over_none"] == own - none
    assert found["omega_p-overlap"]["half_gain_over_none"] == (own - none) / 2
    best = max(found[f"{m}-cifar10"]["accuracy"] for m in METHODS)
    assert {found[f"{m}-cifar10"]["best_accuracy"] for m in METHODS} == {best}
    assert "best_accuracy" not in found["source"] and "best_accuracy" not in found["scratch-cifar10"]


def test_the_chosen_weights_are_those_that_the_records_of_the_search_are_best_at():
    shown = view.at(EXPERIMENT.name, "reduced")
    for method in METHODS[1:]:
        arms = {alpha: f"search-{method}-{alpha:g}" for alpha in GRID}
        found = {alpha: shown.values(arm, "validation_accuracy")[0] for alpha, arm in arms.items()}
        assert CHOSEN[method] == max(found, key=found.get), method
