"""Paper 3's own transfer, end to end on generated photographs and random weights in a file."""

import json

import pytest
import torch
from PIL import Image

from lggkit.data import fine_grained
from lggkit.evaluation import model_error
from lggkit.experiments.recipes.transfer import Penalty, Regularised
from lggkit.networks import imagenet_resnet, with_normalization
from lggkit.training import Batch, Teacher, TrainConfig, train

UNITS, LAYERS = (1, 1, 1, 1), ("unit3", "penultimate")


@pytest.fixture
def food(tmp_path):
    folder = tmp_path / "food-101"
    (folder / "meta").mkdir(parents=True)
    for split in ("train", "test"):
        listed = {dish: [f"{dish}/{split}{i}" for i in range(4)] for dish in ("pie", "soup")}
        for place, paths in enumerate(listed.values()):
            for path in paths:
                file = folder / "images" / f"{path}.jpg"
                file.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (50, 40), (0, 200 * place, 90)).save(file)
        (folder / "meta" / f"{split}.json").write_text(json.dumps(listed))
    return tmp_path


@pytest.mark.parametrize("method", ["l2_sp", "omega_p"])
def test_a_network_with_weights_from_a_file_is_fine_tuned_under_a_penalty(food, method):
    file = food / "weights.pth"
    torch.save(imagenet_resnet(units=UNITS).net.state_dict(), file)
    data, test = (fine_grained("foods101", split, food, side=32) for split in (True, False))
    model, start = (
        with_normalization(imagenet_resnet(2, file, UNITS), data.mean, data.std) for _ in range(2)
    )
    recipe = Regularised(penalty=Penalty(method, 0.1), layers=LAYERS, head="model.net.fc")
    teacher, minimised = Teacher(start, LAYERS), recipe.objective_of(model)
    losses = []

    def objective(latents, outputs, labels, batch: Batch):
        losses.append(minimised(latents, outputs, batch, teacher(batch)))
        return losses[-1]

    config = TrainConfig(epochs=2, batch_size=4, learning_rate=1e-3, weight_decay=0.0, augment=False)
    result = train(model, data, config, objective=objective, taps=recipe.taps(model))
    assert result.diverged is None and len(losses) >= 4 and all(loss.isfinite() for loss in losses)
    assert 0 <= model_error(model, test) <= 100
