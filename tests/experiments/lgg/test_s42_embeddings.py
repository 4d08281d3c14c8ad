import dataclasses

import pytest
import torch

from lggkit.evaluation import clusters_per_class, scatter_ratio, silhouette
from lggkit.experiments.graph_smoothness_loss.s44_robustness import EXPERIMENT as S44
from lggkit.experiments.lgg.s42_embeddings import EXPERIMENT, RIVALS, SWEEPS
from lggkit.experiments.recipes.embedding import EmbeddingLoss
from lggkit.protocol import changed
from lggkit.record import SCALES

LOSSES = ("graph_smoothness", "triplet", "soft_nearest_neighbor", "supervised_contrastive")
TABLE = ("cross_entropy", *LOSSES)
SWEPT = tuple(arm.name for arm in EXPERIMENT.arms if not arm.table)
TRIED = ("triplet_all-margin0.3", "soft_nearest_neighbor-temperature0.3")


def test_embeddings_answer_by_a_vote_and_cross_entropy_by_its_logits():
    for scale in SCALES:
        votes = {arm: EXPERIMENT.spec(arm, scale).protocol.vote for arm in TABLE}
        assert votes == {"cross_entropy": None} | dict.fromkeys(LOSSES, 10)


def test_all_embeddings_have_one_size_and_start_alike(section):
    descriptions = [section.spec(loss).protocol.description for loss in LOSSES]
    images = section.context.data("digits").images[:3] / 255
    outputs = [d.untrained(0, section.context).eval()(images) for d in descriptions]
    assert all(torch.equal(x, outputs[0]) for x in outputs) and outputs[0].shape == (3, 200)
    torch.testing.assert_close(outputs[0].norm(dim=1), torch.ones(3))


def test_every_loss_trains_another_network(section):
    """A loss that does not reach the network would leave it as it began."""
    begun = section.spec(LOSSES[0]).protocol.description.untrained(0, section.context)
    networks = [begun, *map(section.network, LOSSES)]
    weights = [torch.cat([p.detach().flatten() for p in network.parameters()]) for network in networks]
    assert not any(torch.equal(a, b) for i, a in enumerate(weights) for b in weights[:i])


@pytest.mark.parametrize("scale", SCALES)
def test_the_networks_of_section_44_are_trained_once(scale):
    def keys(experiment, *arms):
        return [experiment.spec(arm, scale).protocol.description.key(1) for arm in arms]

    shared = ("cross_entropy", "graph_smoothness")
    assert keys(EXPERIMENT, *shared) == keys(S44, *shared)
    assert not set(keys(EXPERIMENT, *LOSSES[1:])) & set(keys(S44, *(arm.name for arm in S44.arms)))
    assert len(set(keys(EXPERIMENT, *TABLE))) == len(TABLE)


@pytest.mark.parametrize("scale", ["short", "reduced", "paper"])
def test_the_protocol_is_that_of_section_44(scale):
    for arm in ("cross_entropy", "graph_smoothness"):
        ours, theirs = (experiment.spec(arm, scale).settings for experiment in (EXPERIMENT, S44))
        assert {name: ours[name] for name in theirs} | {"sweep_training": None} == theirs


def test_how_the_classes_lie_is_seen_on_the_first_embeddings(section, records):
    test = section.context.data("digits", train=False)
    for arm in ("triplet", "cross_entropy"):
        settings, metrics = section.spec(arm).protocol, records[arm, 0].metrics
        points = settings.embedder.embeddings(section.network(arm), test.images[:200])
        where = points, test.labels[:200]
        clusters = clusters_per_class(*where)
        assert metrics["clusters_per_class"] == pytest.approx(sum(clusters) / len(clusters))
        assert metrics["scatter_ratio"] == pytest.approx(scatter_ratio(*where))
        assert metrics["silhouette"] == pytest.approx(silhouette(*where))


def test_a_sweep_changes_one_option_of_one_loss_and_holds_images_out():
    temperatures = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    expected = {f"triplet-margin{m:g}": EmbeddingLoss("triplet", margin=m) for m in (0.1, 0.3, 1.0)}
    expected |= {
        f"triplet_all-margin{m:g}": EmbeddingLoss("triplet", margin=m, mining="all") for m in (0.1, 0.3, 1.0)
    }
    expected |= {
        f"{name}-temperature{t:g}": EmbeddingLoss(name, temperature=t)
        for name, tried in (
            ("soft_nearest_neighbor", temperatures[2:5]),
            ("supervised_contrastive", temperatures),
        )
        for t in tried
    }
    assert set(expected) == set(SWEPT)
    usual = changed(EXPERIMENT.spec("triplet", "short").protocol, {"corruption_version": 1})
    for arm, loss in expected.items():
        own = dataclasses.replace(usual.embedder, sweep=True, loss=loss)
        assert EXPERIMENT.spec(arm, "short").protocol == dataclasses.replace(usual, embedder=own)
        assert own.images.held_out == 5000 and own.own_training == usual.embedder.own_training


@pytest.mark.parametrize("rival", RIVALS)
def test_the_rivals_have_options_that_were_tried_on_images_held_out_and_no_outermost(rival):
    """Whether they err least is for the records to say, and they change when they are measured again."""
    chosen = RIVALS[rival]
    (sweep,) = (s for s in SWEEPS if s.rival == rival and s.loss.mining == chosen.mining)
    value = getattr(chosen, sweep.option)
    assert min(sweep.values) < value < max(sweep.values) and value in sweep.values
    assert chosen == dataclasses.replace(sweep.loss, **{sweep.option: value})
    embedder = EXPERIMENT.spec(sweep.arms[value], "short").protocol.embedder
    assert embedder.loss == chosen and embedder.images.held_out == 5000


@pytest.mark.parametrize("arm", TRIED)
def test_a_swept_network_answers_for_images_that_it_did_not_see(arm, section, records, bounds):
    embedder, test = section.spec(arm).protocol.embedder, section.context.data("digits", train=False)
    training, validation = embedder.images.split(section.context)
    model, metrics = section.network(arm), records[arm, 0].metrics
    base, *asked = (embedder.embedded(model, part) for part in (training, validation, test))
    assert len(validation) == 200 and set(metrics) == {"validation_error_10nn", "error_10nn"}
    for name, queries in zip(("validation_error_10nn", "error_10nn"), asked, strict=True):
        assert bounds.within(metrics[name], bounds.votes(base, queries, 10)), name
