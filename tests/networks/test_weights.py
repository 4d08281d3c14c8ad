import os

import pytest
import torch

from lggkit.networks import build, load_weights, save_weights, with_normalization


@pytest.fixture
def network():
    network = build("small_net", seed=0, width=4)
    network(torch.rand(4, 1, 8, 8))
    return network


def test_roundtrip_is_exact(network, tmp_path):
    path = save_weights(network, tmp_path / "deep" / "net.pt")
    other = load_weights(build("small_net", seed=1, width=4), path)
    x = torch.rand(2, 1, 8, 8)
    assert torch.equal(other.eval()(x), network.eval()(x))
    assert os.listdir(path.parent) == ["net.pt"]


def test_the_file_holds_plain_cpu_tensors_and_no_more_than_the_model(network, tmp_path):
    big = torch.zeros(1000, 10)
    network.classifier.bias = torch.nn.Parameter(big[3])
    path = save_weights(network, tmp_path / "net.pt")
    state = torch.load(path, weights_only=True)
    assert set(state) == set(network.state_dict())
    assert state["classifier.bias"].untyped_storage().nbytes() == 40


def test_normalization_travels_with_the_weights(network, tmp_path):
    path = save_weights(with_normalization(network, [0.3], [0.2]), tmp_path / "net.pt")
    other = load_weights(with_normalization(build("small_net", width=4), [0.0], [1.0]), path)
    torch.testing.assert_close(other.normalization.mean.flatten(), torch.tensor([0.3]))


def test_a_compiled_model_has_the_names_of_the_plain_one(network, tmp_path):
    path = save_weights(torch.compile(network, backend="eager"), tmp_path / "net.pt")
    load_weights(torch.compile(build("small_net", width=4), backend="eager"), path)
    load_weights(network, path)


@pytest.mark.parametrize("wrap", [torch.nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_wrapped_model_has_the_names_of_the_plain_one(network, tmp_path, wrap):
    path = save_weights(wrap(network), tmp_path / "net.pt")
    assert set(torch.load(path, weights_only=True)) == set(network.state_dict())
    other = wrap(build("small_net", seed=1, width=4))
    load_weights(other, path)
    assert torch.equal(other.module.stem[0].weight, network.stem[0].weight)


def test_a_failed_write_keeps_the_old_file(network, tmp_path, monkeypatch):
    path = save_weights(network, tmp_path / "net.pt")
    before = path.read_bytes()

    def stop_half_way(state, file):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        save_weights(network, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net.pt"]


def test_a_missing_file_is_named(network, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*none\.pt"):
        load_weights(network, tmp_path / "none.pt")


def altered(network, tmp_path, change):
    state = dict(network.state_dict())
    change(state)
    torch.save(state, tmp_path / "net.pt")
    return tmp_path / "net.pt"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("stage1.conv1.weight"), r"lacks 'stage1\.conv1\.weight' \(4, 4, 3, 3\)"),
        (lambda s: s.update(extra=torch.zeros(1)), "holds 'extra', which the network does not have"),
        (
            lambda s: s.update({"classifier.bias": torch.zeros(3)}),
            r"'classifier\.bias' is \(3,\), but the network's is \(10,\)",
        ),
        (lambda s: s.update({"classifier.bias": torch.full((10,), torch.nan)}), "is not finite"),
        (lambda s: s.update(note="words"), "holds other things than tensors"),
    ],
)
def test_weights_that_do_not_fit_are_refused_and_change_nothing(network, tmp_path, change, message):
    path = altered(network, tmp_path, change)
    other = build("small_net", seed=3, width=4)
    with pytest.raises(ValueError, match=message):
        load_weights(other, path)
    untouched = build("small_net", seed=3, width=4).state_dict()
    assert all(torch.equal(value, untouched[name]) for name, value in other.state_dict().items())


def test_another_architecture_is_refused(network, tmp_path):
    path = save_weights(network, tmp_path / "net.pt")
    with pytest.raises(ValueError, match=r"lacks 'blocks\.0\.conv1\.weight'|is .*, but the network's"):
        load_weights(build("resnet18", width=4), path)


@pytest.mark.parametrize("keep", [0, 10, 2000])
def test_a_truncated_file_is_refused(network, tmp_path, keep):
    path = save_weights(network, tmp_path / "net.pt")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"net\.pt is not a readable file of weights"):
        load_weights(network, path)


def test_pickled_code_is_not_run(network, tmp_path):
    torch.save({"weight": print}, tmp_path / "net.pt")
    with pytest.raises(ValueError, match="is not a readable file"):
        load_weights(network, tmp_path / "net.pt")


def test_diverged_weights_are_not_written(network, tmp_path):
    path = save_weights(network, tmp_path / "net.pt")
    before = path.read_bytes()
    with torch.no_grad():
        network.classifier.bias[0] = torch.inf
    with pytest.raises(ValueError, match=r"'classifier\.bias' is not finite"):
        save_weights(network, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("saved", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("loaded", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("name", ["small_net", "preact_resnet18"])
def test_weights_come_back_as_they_lay_in_memory(tmp_path, name, saved, loaded):
    model = build(name, seed=0, width=5, channels=1).to(memory_format=saved).eval()
    other = build(name, seed=1, width=5, channels=1).to(memory_format=loaded).eval()
    parameters = dict(other.named_parameters())
    load_weights(other, save_weights(model, tmp_path / "w.pt"))
    strides = [[value.stride() for value in net.state_dict().values()] for net in (model, other)]
    assert strides[0] == strides[1] and all(parameters[n] is p for n, p in other.named_parameters())
    images = torch.rand(6, 1, 12, 12).contiguous(memory_format=saved)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            assert torch.equal(model(images), other(images))
