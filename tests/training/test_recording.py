"""How a step is recorded: the calls that a GPU is given, noted on the CPU."""

import contextlib
import gc
import weakref

import pytest
import torch
import torch.nn.functional as F

from lggkit.training import OutOfMemory, TrainConfig, capture, train, train_many


class Graph:
    def replay(self):
        pass


@pytest.fixture
def calls(monkeypatch, lane):
    """What is asked of ``torch.cuda``, in order; ``body`` notes where and under which rule it runs."""
    noted, here, mode = [], ["default"], [0]

    class Stream(lane):
        def wait_stream(self, other):
            noted.append("wait")

    @contextlib.contextmanager
    def entered(name, stream):
        noted.append(name)
        here.append(stream)
        yield
        here.pop()

    cuda = torch.cuda
    monkeypatch.setattr(cuda, "Stream", Stream)
    monkeypatch.setattr(cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(cuda, "current_stream", lambda: "default")
    monkeypatch.setattr(cuda, "synchronize", lambda: noted.append("synchronize"))
    monkeypatch.setattr(cuda, "stream", lambda stream: entered("lane", stream))
    monkeypatch.setattr(cuda, "graph", lambda graph, stream: entered("graph", stream))
    monkeypatch.setattr(cuda, "get_sync_debug_mode", lambda: mode[0])
    monkeypatch.setattr(cuda, "set_sync_debug_mode", lambda value: mode.__setitem__(0, value))
    noted.append(lambda: noted.append((here[-1], mode[0])))
    return noted


def test_warm_up_and_capture_are_on_the_lane_of_the_replays(calls):
    body = calls.pop()
    lane = capture.new_lane()
    capture.record(body, lane)
    usual, strict = (lane, 0), (lane, "error")
    assert calls == ["wait", "wait", "lane", usual, usual, strict, "synchronize", "graph", usual]


def test_what_waits_for_the_device_is_found_before_it_is_captured(calls):
    body = calls.pop()

    def waiting():
        body()
        if calls[-1][1] == "error":
            raise RuntimeError("called a synchronizing CUDA operation")

    with pytest.raises(RuntimeError, match="synchronizing"):
        capture.record(waiting, capture.new_lane())
    assert "graph" not in calls and calls[-1] == "synchronize"
    assert torch.cuda.get_sync_debug_mode() == 0


def test_a_loss_that_waits_for_the_device_is_trained_eagerly(
    data, make_net, calls, eager, equal, monkeypatch
):
    calls.pop()

    def waiting(latents, logits, labels):
        if torch.cuda.get_sync_debug_mode() == "error":
            raise RuntimeError("called a synchronizing CUDA operation")
        return logits.square().mean()

    monkeypatch.setattr(capture, "worth_capturing", lambda run: (True, ""))
    settings = TrainConfig(epochs=2, batch_size=8, pad=1)
    result = train(make_net(), data, settings, objective=waiting)
    assert str(result.path).endswith("; capture failed (called a synchronizing CUDA operation)")
    assert "graph" not in calls
    assert equal(result.model, eager(make_net(), data, settings, objective=waiting).model)


def test_too_little_memory_while_recording_is_told(data, make_net, pretend, monkeypatch):
    def record(body, lane):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")

    monkeypatch.setattr(capture, "record", record)
    with pytest.raises(OutOfMemory, match="2 models together"):
        train_many([make_net(), make_net(1)], data, TrainConfig(epochs=2, batch_size=8), seeds=[0, 0])


@pytest.fixture
def graphs(pretend, monkeypatch):
    """Weak references to the graphs that were made, where only reference counting frees them."""
    made, plain = [], capture.record

    def record(body, lane):
        plain(body, lane)
        graph, inner = Graph(), weakref.WeakMethod(body)
        made.append(weakref.ref(graph))

        def replay(graph=graph):
            inner()()

        return replay

    monkeypatch.setattr(capture, "record", record)
    gc.disable()
    yield made
    gc.enable()


def alive(graphs):
    return [graph() is not None for graph in graphs]


def test_graphs_are_freed_when_the_training_ends(data, make_net, graphs):
    results = train_many([make_net(), make_net(1)], data, TrainConfig(epochs=2, batch_size=8), seeds=[0, 1])
    assert all(result.path.captured for result in results) and alive(graphs) == [False, False]


def test_a_graph_is_freed_before_the_next_is_made(data, make_net, graphs, monkeypatch):
    calls, seen, plain = [], [], capture.record

    def broken(latents, logits, labels):
        calls.append(1)
        return F.cross_entropy(logits, labels) * (float("nan") if len(calls) > 11 + 6 else 1)

    def record(body, lane):
        seen.append(alive(graphs))
        return plain(body, lane)

    monkeypatch.setattr(capture, "record", record)
    models, settings = [make_net(), make_net(1)], TrainConfig(epochs=4, batch_size=8, pad=1)
    bad, good = train_many(models, data, settings, seeds=[0, 0], objectives=[broken, None])
    assert bad.diverged and not good.diverged and good.path.captured
    assert seen == [[], [False]] and alive(graphs) == [False, False]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_a_loss_that_waits_leaves_the_next_training_its_graph(data, make_net):
    def waiting(latents, logits, labels):
        penalty = logits[labels > 0].square().sum() if (labels > 0).any() else 0
        return F.cross_entropy(logits, labels) + penalty

    settings = TrainConfig(epochs=2, batch_size=8, pad=1, capture=True)
    result = train(make_net(), data, settings, objective=waiting, device="cuda")
    assert ", eager" in str(result.path) and "synchronizing" in str(result.path)
    torch.cuda.empty_cache()
    assert ", captured" in str(train(make_net(), data, settings, device="cuda").path)
