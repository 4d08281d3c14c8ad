"""When checkpoints are written, by a clock that the tests wind."""

import pytest
import torch.nn.functional as F

from lggkit.training import TrainConfig, lockstep, pace, read_checkpoint, train, train_many
from lggkit.training.pace import OutOfTime, until


def config(**settings):
    return TrainConfig(**{"epochs": 5, "batch_size": 8, "pad": 1, "learning_rate": 0.05, **settings})


@pytest.fixture
def now(monkeypatch):
    """The time, in a list; `winding` advances it."""
    time = [100.0]
    monkeypatch.setattr(pace, "clock", lambda: time[0])
    return time


@pytest.fixture
def saved(monkeypatch):
    """What is saved: (seed, step) in order."""
    noted, plain = [], lockstep.write_checkpoint

    def write(path, state):
        noted.append((state["identity"]["seed"], state["step"]))
        plain(path, state)

    monkeypatch.setattr(lockstep, "write_checkpoint", write)
    return noted


def winding(now, seconds):
    """An objective that lets so many seconds pass in each step."""

    def objective(latents, logits, labels):
        now[0] += seconds
        return F.cross_entropy(logits, labels)

    return objective


@pytest.mark.parametrize(
    ("seconds", "steps"), [(0.0, [20]), (4.0, [8, 16, 20]), (7.6, [4, 8, 12, 16, 20]), (0.38, [20])]
)
def test_checkpoints_at_the_end_of_an_epoch_are_half_a_minute_apart(
    data, make_net, now, saved, tmp_path, seconds, steps
):
    train(make_net(), data, config(), objective=winding(now, seconds), checkpoint=tmp_path / "run.pt")
    assert [step for _, step in saved] == steps


def test_those_that_were_asked_for_are_all_written(data, make_net, now, saved, tmp_path):
    train(make_net(), data, config(epochs=2), checkpoint=tmp_path / "run.pt", checkpoint_every=3)
    assert [step for _, step in saved] == [3, 6, 8]


def test_runs_are_written_down_at_the_same_steps(data, make_net, now, saved, tmp_path):
    seeds, objective = [0, 0, 1], winding(now, 1.26)
    given = {"objectives": objective, "checkpoints": [tmp_path / f"{place}.pt" for place in range(3)]}
    train_many([make_net() for _ in seeds], data, config(), seeds=seeds, **given)
    steps = [step for _, step in saved]
    assert 3 < len(steps) < 15 and all(steps.count(step) == 3 for step in steps)


def test_a_training_cut_short_between_two_continues_exactly(data, make_net, equal, now, tmp_path):
    file, plain = tmp_path / "run.pt", winding(now, 4.0)

    def dies(latents, logits, labels, batch):
        if batch.step == 14:
            raise KeyboardInterrupt
        return plain(latents, logits, labels)

    with pytest.raises(KeyboardInterrupt):
        train(make_net(), data, config(), objective=dies, checkpoint=file)
    assert read_checkpoint(file)["step"] == 8
    resumed = train(make_net(3), data, config(), objective=plain, checkpoint=file)
    straight = train(make_net(), data, config())
    assert equal(resumed.model, straight.model) and resumed.curves == straight.curves


@pytest.mark.parametrize("steps", [0, 1, 4, 7, 19])
def test_a_training_stops_at_its_deadline_and_continues_exactly(
    data, make_net, equal, now, saved, tmp_path, steps
):
    files, seeds, objective = [tmp_path / f"{n}.pt" for n in range(3)], [0, 0, 1], winding(now, 1.0)
    arguments = {"seeds": seeds, "checkpoints": files, "evaluate": data, "evaluate_every": 2}
    with until(now[0] + 3 * steps), pytest.raises(OutOfTime, match="continues from its checkpoint"):
        train_many([make_net(s) for s in seeds], data, config(), objectives=objective, **arguments)
    assert saved[-3:] == [(0, steps), (0, steps), (1, steps)]
    results = train_many([make_net(seed) for seed in seeds], data, config(), **arguments)
    for seed, result in zip(seeds, results, strict=True):
        straight = train(make_net(seed), data, config(), seed=seed, evaluate=data, evaluate_every=2)
        assert equal(result.model, straight.model) and result.curves == straight.curves


def test_without_checkpoints_or_steps_left_no_deadline_stops_it(data, make_net, now, tmp_path):
    with until(now[0] - 1):
        assert train(make_net(), data, config()).steps == 20
    file = tmp_path / "run.pt"
    train(make_net(), data, config(), checkpoint=file)
    with until(now[0] - 1):
        assert train(make_net(), data, config(), checkpoint=file).steps == 20
    assert not pace.time_is_up([])


def test_a_captured_training_stops_and_is_taken_up_again(
    data, make_net, pretend, close, eager, now, tmp_path
):
    files = [tmp_path / "a.pt", tmp_path / "b.pt"]
    objective, arguments = winding(now, 1.0), {"seeds": [0, 0], "checkpoints": files}
    with until(now[0] + 40), pytest.raises(OutOfTime):
        train_many([make_net(0), make_net(1)], data, config(), objectives=objective, **arguments)
    assert 0 < read_checkpoint(files[0])["step"] == read_checkpoint(files[1])["step"] < 20
    results = train_many([make_net(0), make_net(1)], data, config(), objectives=objective, **arguments)
    for seed, result in enumerate(results):
        assert result.path.captured and "not captured together" not in str(result.path)
        assert close(result.model, eager(make_net(seed), data, config()).model)
