import copy

import pytest
import torch
from torch import nn

from lggkit.latents import latents, resolve_depths
from lggkit.networks import build
from lggkit.training.teacher import folded

IMAGES = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def as_if_trained(model):
    source = torch.Generator().manual_seed(2)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d) and part.track_running_stats:
            for tensor in (part.running_mean, part.running_var, part.weight.data, part.bias.data):
                tensor.copy_(torch.rand(tensor.shape, generator=source) + 0.1)
    return model


def count(model, kind):
    return sum(type(part) is kind for part in model.modules())


def in_place(model):
    return [path for path, part in model.named_modules() if getattr(part, "inplace", False)]


def assert_equal_latents(model, names):
    model = model.eval()
    ours = latents(folded(model, resolve_depths(model, names).values()), IMAGES, names)
    for name, theirs in latents(model, IMAGES, names).items():
        assert (ours[name] - theirs).norm() <= 1e-4 * theirs.norm(), name


@pytest.mark.parametrize(
    ("name", "shape", "norms_left", "tapped_sums"),
    [
        ("wide_resnet28", {"widen": 0.5}, 0, 0),
        ("resnet18", {"width": 4}, 0, 0),
        ("preact_resnet18", {"width": 4}, 8, 1),
        ("small_net", {"width": 4, "channels": 3}, 0, 0),
    ],
)
def test_latents_are_the_same_to_rounding(name, shape, norms_left, tapped_sums):
    model = as_if_trained(build(name, seed=0, **shape))
    twin = folded(model, model.depths.values())
    assert count(twin, nn.BatchNorm2d) == norms_left < count(model, nn.BatchNorm2d)
    assert len(in_place(twin)) == count(model, nn.ReLU) - tapped_sums
    assert_equal_latents(model, [*model.depths, "output"])


def test_the_model_is_left_alone(equal):
    model = as_if_trained(build("small_net", seed=0, channels=3)).train()
    before = copy.deepcopy(model)
    folded(model).stem[0].weight.data.zero_()
    assert equal(model, before) and model.training and not in_place(model)
    assert count(model, nn.BatchNorm2d) == count(before, nn.BatchNorm2d)


@pytest.mark.parametrize(
    "path", ["stem.0", "stem.1", "stem", "stage1.bn2", "stage2.shortcut", "stage2.shortcut.0", "stage2.conv1"]
)
def test_what_is_tapped_stays_what_it_was(path):
    assert_equal_latents(as_if_trained(build("small_net", seed=0, channels=3)), [path])


class Tangle(nn.Module):
    """Everything that must not be folded: shared values, shared modules, containers that are tapped."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.twice, self.norm2, self.norm3 = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)
        self.first = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.relu, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.drop, self.drop2 = nn.Dropout(), nn.Dropout()
        self.statistics = nn.BatchNorm2d(3, track_running_stats=False)
        self.before = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        seen = self.conv(x)
        x = self.norm(seen) + seen
        x = self.relu(x) + self.drop(x)
        x = self.norm2(self.twice(x)) + self.norm3(self.twice(x))
        x = x + self.relu2(self.drop2(x))
        return self.statistics(self.before(self.relu3(self.first(x))))


def test_only_what_nobody_else_sees_is_folded():
    model = as_if_trained(Tangle())
    assert_equal_latents(model, ["output"])
    assert_equal_latents(model, ["first", "output"])
    assert count(folded(model, ["first"]), nn.BatchNorm2d) == 4
    assert in_place(folded(model)) == ["relu3"] and not in_place(folded(model, ["first"]))


class Choosing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.norm(self.conv(x)) if x.sum() > 0 else x


def test_what_cannot_be_traced_or_has_hooks_inside_is_copied_as_it_is():
    model = as_if_trained(Choosing())
    assert count(folded(model), nn.BatchNorm2d) == 1
    assert_equal_latents(model, ["output"])
    hooked = as_if_trained(build("small_net", seed=0, channels=3))
    hooked.stem[0].register_forward_hook(lambda module, _, output: output + 1)
    assert count(folded(hooked), nn.BatchNorm2d) == count(hooked, nn.BatchNorm2d)
    assert_equal_latents(hooked, ["output"])
    scaled = as_if_trained(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)))
    torch.nn.utils.parametrizations.weight_norm(scaled[0])
    assert_equal_latents(scaled, ["output"])
    assert count(folded(scaled), nn.BatchNorm2d) == 1
