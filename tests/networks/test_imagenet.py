import pytest
import torch

from lggkit.latents import latents
from lggkit.networks import imagenet_resnet, parameter_count

TINY = (1, 1, 1, 1)


def test_it_is_torchvisions_resnet101_with_33_units():
    with torch.device("meta"):
        network = imagenet_resnet()
        widths = latents(network, torch.empty(2, 3, 32, 32), ["unit1", "unit19", "unit33", "penultimate"])
    assert parameter_count(network) == 44_549_160 and len(network.depths) == 34
    assert network.depths["unit19"] == "net.layer3.11"
    assert [value.shape[1] for value in widths.values()] == [256, 1024, 2048, 2048]


def test_weights_come_from_a_file_and_the_last_layer_is_fresh_for_other_classes(tmp_path):
    first = imagenet_resnet(units=TINY)
    file = tmp_path / "imagenet.pth"
    torch.save(first.net.state_dict(), file)
    again, other = (imagenet_resnet(classes, file, TINY).net.state_dict() for classes in (1000, 5))
    for name, weight in first.net.state_dict().items():
        assert torch.equal(weight, again[name]), name
        assert name.startswith("fc.") or torch.equal(weight, other[name]), name
    assert other["fc.weight"].shape == (5, 2048)


def test_files_that_are_missing_or_of_another_network_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        imagenet_resnet(weights=tmp_path / "none.pth", units=TINY)
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth"):
        imagenet_resnet(weights=tmp_path / "other.pth", units=TINY)
