"""Settings of every chapter, of old and new form, are said in words."""

import dataclasses

import pytest

from lggkit import experiments, networks
from lggkit.data import DATASETS
from lggkit.experiments.networks import Architecture, Images, Network
from lggkit.study.records import words
from lggkit.study.shown import view
from lggkit.training import TrainConfig

DESCRIBED = Network(Images("cifar100"), Architecture("wide_resnet28"), TrainConfig(epochs=1))


def test_names_of_the_catalogues_have_titles():
    assert set(networks.TITLES) == set(networks.NETWORKS)
    assert all(entry.title for entry in DATASETS.values())


@pytest.mark.parametrize(
    "settings",
    [
        {"network": DESCRIBED},
        {"network": dataclasses.asdict(DESCRIBED)},
        {"teacher": {"net": dataclasses.asdict(DESCRIBED)}},
        dataclasses.asdict(DESCRIBED),
    ],
    ids=("description", "plain", "nested", "itself"),
)
def test_a_described_network_says_everything(settings):
    assert words.sentence(settings) == "WideResNet-28, trained for 1 epoch on CIFAR-100"
    assert (words.data_name(settings), words.class_count(settings)) == ("cifar100", 100)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, ("no data set", "no network", "nothing is trained", "nothing is trained")),
        (
            {"dataset": "mnist", "width": 8},
            ("MNIST", "no network", "nothing is trained", "on MNIST"),
        ),
        (
            {"network": "small_net", "training": {"epochs": 4}},
            ("no data set", "a small convolutional network", "4 epochs", None),
        ),
        (
            {"dataset": "cifar10", "network": "resnet18", "training": {"epochs": 4}, "trained": False},
            ("CIFAR-10", "ResNet-18", "nothing is trained", "ResNet-18, on CIFAR-10"),
        ),
        (
            {"dataset": None, "stand_in": None, "network": None, "training": None},
            ("no data set", "no network", "nothing is trained", "nothing is trained"),
        ),
        ({"dataset": "reviews", "network": "xlm"}, ("reviews", "xlm", "nothing is trained", None)),
    ],
    ids=str,
)
def test_what_is_not_there_is_said(settings, said):
    data, network, epochs, sentence = said
    assert (view.data_title(settings), view.network_title(settings)) == (data, network)
    assert view.epochs_text(settings) == epochs
    assert sentence is None or view.sentence(settings) == sentence


@pytest.mark.parametrize("settings", [{}, {"dataset": "reviews"}, {"dataset": 3}], ids=str)
def test_classes_of_no_data_set_are_no_number(settings):
    with pytest.raises(ValueError, match="no known classes"):
        view.class_count(settings)


@pytest.mark.parametrize("name", [one.name for one in experiments.all_experiments()])
def test_every_arm_of_every_chapter_is_said_in_words(name):
    others = (
        "text encoders and linear heads",
        "dense autoencoders",
        "block autoencoder",
        "networks of other sections",
        words.NO_NETWORK,
    )
    known = (*networks.TITLES.values(), *others)
    for spec in experiments.get(name).specs("smoke"):
        title = words.data_title(spec.settings)
        assert title in ("handwritten digits", "generated objects", "invented", words.NO_DATA)
        assert words.network_title(spec.settings) in known
        assert words.sentence(spec.settings)
