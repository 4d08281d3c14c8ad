import pytest

from lggkit.data.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from lggkit.evaluation import robustness
from lggkit.experiments.lgg.s43_robustness import EXPERIMENT
from lggkit.experiments.networks import Recipe
from lggkit.experiments.recipes.defense import Defense
from lggkit.networks.blocks import ParsevalConv2d
from lggkit.training import OneCycle, Restart, TrainConfig

TABLE = ("vanilla", "regularizer", "parseval", "both")


def test_all_arms_of_a_seed_begin_with_the_same_weights(section):
    first, *others = (
        section.spec(arm).protocol.description.untrained(1, section.context).state_dict() for arm in TABLE
    )
    for other in others:
        assert all((value == other[name]).all() for name, value in first.items())


def test_parseval_networks_are_those_with_a_parseval_step(section):
    for arm in EXPERIMENT.arms:
        description = section.spec(arm.name).protocol.description
        model = description.untrained(0, section.context)
        has = any(isinstance(module, ParsevalConv2d) for module in model.modules())
        assert has == (arm.name in ("parseval", "both")) == (description.recipe.after_step() is not None)


def test_the_plain_network_is_anybodys_plain_network():
    plain = EXPERIMENT.spec("vanilla", "short").protocol.description
    assert plain.recipe == Recipe() and plain.architecture.size == (("width", 8),)


def test_arms_are_trained_in_lockstep_where_what_is_tapped_and_follows_a_step_is_alike():
    recipes = {a.name: EXPERIMENT.spec(a.name, "smoke").protocol.description.recipe for a in EXPERIMENT.arms}
    alike = {name: (type(recipe), recipe.lockstep) for name, recipe in recipes.items()}
    assert len({alike[arm] for arm in TABLE}) == 4
    assert alike["regularizer"] == alike["regularizer_m1"] == alike["regularizer_adversarial"]
    assert alike["adversarial"] not in {alike["regularizer"], alike["parseval"]}


def test_attacks_are_transferred_from_networks_of_the_same_seed(section, records):
    """A network's own images mislead it just as those that were moved along its own gradient."""
    test = section.context.data("digits", train=False)
    for seed in (0, 1):
        for arm in ("vanilla", "regularizer"):
            suite, model = section.spec(arm, seed).protocol.suite, section.network(arm, seed)
            metrics = records[arm, seed].metrics
            assert metrics[f"transfer_from_{arm}"] == metrics["error_fgsm_before"]
            for source in {"vanilla", "regularizer"} - {arm}:
                direction = suite.directions(section.network(source, seed), test)
                error = suite.transferred(model, test, direction)
                assert metrics[f"transfer_from_{source}"] == pytest.approx(error, abs=100 / 12 + 1e-6)


def test_only_the_table_is_attacked_from_every_arm_of_it(records):
    for (arm, seed), record in records.items():
        names = {name for name in record.metrics if name.startswith("transfer_from_")}
        sources = {name.removeprefix("transfer_from_") for name in names}
        assert sources == (set(TABLE) if arm in TABLE else {"vanilla"}), (arm, seed)


def test_corruption_errors_are_those_of_the_first_images(section, records, bounds):
    suite = section.spec("both").protocol.benchmark
    some = section.context.data("digits", train=False).first(suite.corruption_images)
    for place, severity in enumerate(suite.severities):
        images = corrupt(some.images, "contrast", severity) / 255
        error = records["both", 0].metrics["errors_contrast"][place]
        assert bounds.within(error, bounds.logits(section.network("both"), images, some.labels))


def test_spectral_norms_are_followed_through_training(records):
    for record in records.values():
        largest, mean = (record.curves[f"spectral_norm_{which}"] for which in ("largest", "mean"))
        assert len(largest) == len(mean) == len(record.curves["test_epoch"]) == 1
        assert largest[0] >= mean[0] > 0


@pytest.mark.parametrize(
    ("scale", "epochs"), [("smoke", (1,)), ("short", (1, 2, 3)), ("paper", tuple(range(10, 101, 10)))]
)
def test_norms_are_looked_at_every_so_often_and_at_the_end(scale, epochs):
    assert EXPERIMENT.protocols[scale].norms.epochs == epochs


def test_the_papers_protocol_is_that_of_its_code():
    paper = {arm.name: EXPERIMENT.spec(arm.name, "paper").protocol for arm in EXPERIMENT.arms}
    plain = paper["vanilla"]
    assert plain.own_training == TrainConfig(
        epochs=100,
        batch_size=100,
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=5e-4,
        augment=False,
        flip=False,
        schedule=Restart(milestones=(50,), gamma=0.01),
    )
    assert (plain.network, plain.width, plain.defense) == ("preact_resnet18", 64, Defense())
    assert paper["regularizer"].defense == Defense(regularizer=1e-4, power=2, reduction="mean")
    assert paper["parseval"].defense == Defense(parseval=0.01)
    assert paper["both"].defense == Defense(regularizer=1e-4, parseval=0.01)
    assert all(p.own_training.augment == ("augmented" in name) for name, p in paper.items())
    assert (robustness.SNR, robustness.NOISE, robustness.DROPOUTS, robustness.BITS) == (33, 0.1, (25, 40), 5)
    assert (plain.suite.attacked_images, plain.suite.pgd_steps) == (None, 20)
    assert plain.benchmark.corruption_images is None
    assert (plain.benchmark.corruptions, plain.benchmark.severities) == (CORRUPTIONS, SEVERITIES)


@pytest.mark.parametrize("scale", ["short", "reduced"])
def test_below_paper_it_is_a_narrower_network_on_a_shorter_schedule(scale):
    settings = EXPERIMENT.spec("vanilla", scale).protocol
    assert (settings.data_name, settings.network, settings.width) == ("cifar10", "preact_resnet18", 8)
    assert settings.own_training.schedule == OneCycle() and settings.benchmark.corruption_images == 1000
    assert {EXPERIMENT.seed_count(EXPERIMENT.arm(arm), scale) for arm in TABLE} == {3}
