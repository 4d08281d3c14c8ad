"""The benchmark files measure what they say, on tensors that are small enough for a test."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

TINY = "WRN10-1 (small_net)"


@pytest.fixture
def tiny(load, monkeypatch):
    """The shared module with a batch of four images."""
    load("bench_training")
    import usual

    monkeypatch.setattr(usual, "BATCH", 4)
    monkeypatch.setitem(usual.NETWORKS, TINY, ("small_net", {"width": 4, "channels": 3}))
    return usual


def test_both_ways_to_a_graph_agree_and_so_does_the_one_in_blocks(load):
    bench = load("bench_graph")
    x, labels = bench.latents(40, 12, "cpu"), torch.arange(40) % bench.CLASSES
    ours, theirs = (bench.timed(side, [x], labels)[1][0] for side in (bench.library, bench.straightforward))
    assert bench.close(ours, theirs) and not bench.close(1.01 * ours, theirs)
    assert bench.same_value(x, labels)
    assert bench.in_blocks(x.detach(), labels) == pytest.approx(
        bench.straightforward(x, labels).item(), rel=1e-4
    )


def test_the_straightforward_graph_stops_when_it_becomes_too_slow(load, monkeypatch):
    bench = load("bench_graph")
    monkeypatch.setattr(bench, "SECONDS", 0.0)
    monkeypatch.setattr(bench, "PATIENCE", 0.0)
    first, second = bench.growth("cpu", [(16, 8), (32, 8)])
    assert first["ratio"] == pytest.approx(first["reference_seconds"] / first["ours_seconds"])
    assert second["reference_seconds"] is None and second["ratio"] is None
    assert first["equal"] and second["equal"] and second["n"] == 32


def test_a_batch_that_does_not_fit_is_left_out(load, monkeypatch):
    bench = load("bench_graph")
    monkeypatch.setattr(bench, "SECONDS", 0.0)
    monkeypatch.setattr(bench, "free_bytes", lambda device: 4 * 16 * 16 * (bench.MATRICES["reference"] + 1))
    (row,) = bench.growth("cpu", [(16, 8), (32, 8)])
    assert row["n"] == 16 and row["ratio"] is not None


def test_maps_are_those_behind_the_relus_and_rows_count_them(load, monkeypatch):
    bench = load("bench_graph")
    assert (
        len(bench.widths()) == 17 and bench.widths()[0] == 64 * 32 * 32 and bench.widths()[-1] == 512 * 4 * 4
    )
    monkeypatch.setattr(bench, "SECONDS", 0.0)
    monkeypatch.setattr(bench, "widths", lambda: [6, 4])
    one, two = bench.depths("cpu", (1, 2), 12)
    assert (one["depths"], two["depths"]) == (1, 2) and two["equal"]
    assert one["flops"] == 4 * 144 * 6 + 4 * 144 * 10
    assert two["flops"] - one["flops"] == 4 * 144 * 4 + 4 * 144 * 10
    assert one["bytes"] == 12 * 12 * 6 + 34 * 144


def test_the_roof_is_measured_in_bytes_and_operations_a_second(load, monkeypatch):
    bench = load("bench_graph")
    monkeypatch.setattr(bench, "best", lambda work, device, rounds: 0.5)
    moved, done = bench.roof("cpu", (100, 10))
    assert (moved["rate"], moved["unit"]) == (2400, "B/s")
    assert (done["rate"], done["unit"]) == (4000, "FLOP/s")


def test_the_loop_and_the_engine_make_the_same_steps(load, tiny):
    bench, images = load("bench_training"), tiny.pictures(8)
    engine = bench.engine(TINY, images, "cpu", compiled=False, rounds=1, precision="float32")
    loop = tiny.Loop(tiny.network(TINY), images, "cpu")
    losses = bench.first_losses({"eager": engine}, {"eager": loop})
    assert losses["ours", "eager"] == pytest.approx(losses["loop", "eager"], rel=1e-4)
    weights = dict(engine.runs[0].model.model.named_parameters())
    for name, weight in loop.model.named_parameters():
        torch.testing.assert_close(weights[name], weight, rtol=1e-3, atol=1e-5)


def test_training_rows_are_ours_against_the_loop_with_two_profiles(load, tiny, monkeypatch):
    bench = load("bench_training")
    monkeypatch.setattr(bench, "has_compiler", lambda: False)
    monkeypatch.setattr(bench, "BATCH", 4)
    monkeypatch.setattr(bench, "STEPS", {"cpu": 1})
    row, ours, usual = bench.compare(TINY, "cpu", 1)
    assert row["equal"] and row["target"] == 2.3 and row["path"].endswith("eager")
    assert ours["name"].startswith("lggkit") and usual["name"] == "the usual loop"
    for profile in (ours, usual):
        assert math.isclose(sum(profile["shares"].values()), 1)
        assert profile["shares"]["convolution backward"] > 0 and profile["shares"]["batch norm"] > 0
        assert profile["shares"]["data"] > 0 and profile["shares"]["optimiser"] > 0
    assert ours["convolutions_alone_seconds"] > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rows_of_batch_norm_are_ours_against_the_modules(load, monkeypatch, dtype):
    bench = load("bench_norm")
    if isinstance(bench.library(), str):
        pytest.skip(bench.library())
    monkeypatch.setattr(bench, "ROUNDS", 1)
    row = bench.compare(16, 16, dtype, batch=4)
    assert row["equal"] and row["ratio"] == pytest.approx(row["reference_seconds"] / row["ours_seconds"])
    ours, exact = bench.of(16, 16, dtype, 4, True)(), bench.of(16, 16, dtype, 4, False, exact=True)()
    assert len(ours) == 5 and bench.apart(ours[0], exact[0]) < 0.01 < bench.apart(1.2 * ours[0], exact[0])


def event(name, parent=None):
    return SimpleNamespace(name=name, cpu_parent=parent)


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["aten::conv2d", "aten::mkldnn_convolution"], "convolution forward"),
        (["ConvolutionBackward0", "aten::convolution_backward", "aten::empty"], "convolution backward"),
        (["CompiledFunctionBackward", "aten::convolution_backward"], "convolution backward"),
        (["aten::batch_norm", "aten::empty"], "batch norm"),
        (["autograd::engine::evaluate_function: NativeBatchNormBackward0"], "batch norm"),
        (["Optimizer.step#SGD.step", "aten::add_"], "optimiser"),
        (["bench: data", "aten::index"], "data"),
        (["enumerate(DataLoader)#_SingleProcess.__next__", "aten::copy_"], "data"),
        (["aten::relu", "aten::clamp_min"], "elementwise and the rest"),
    ],
)
def test_operations_belong_to_the_part_around_them(load, tiny, names, part):
    import profiles

    operation = None
    for name in names:
        operation = event(name, operation)
    assert profiles.part_of(operation) == part


def test_every_convolution_is_counted_once_a_place(load, tiny):
    import profiles

    model, images = tiny.network(TINY), torch.zeros(2, 3, 8, 8)
    layers = profiles.convolutions(model, images)
    assert len(layers) == 1 + 3 * 2 + 2 and [first for *_, first in layers] == [True] + 8 * [False]
    assert not any(m._forward_hooks for m in model.modules())


def test_equal_convolutions_are_timed_once_and_counted_twice(load, tiny, monkeypatch):
    import profiles

    timed = []
    monkeypatch.setattr(profiles, "alone", lambda one, *_: timed.append(one) or 1.0)
    total = profiles.convolutions_alone(tiny.network(TINY), torch.zeros(2, 3, 8, 8), torch.float32)
    # The first block's two convolutions have one shape, the other blocks' do not.
    assert total == 9 and len(timed) == 8


def test_stacked_models_train_like_single_ones(load, tiny, monkeypatch):
    bench = load("bench_seeds")
    monkeypatch.setattr(bench, "NETWORK", TINY)
    images = tiny.pictures(8)
    alone, lockstep = (bench.engine(images, "cpu", 1) for _ in range(2))
    stacked = bench.Stacked(bench.models(), images, "cpu")
    for seconds in (alone.epoch(together=False), lockstep.epoch(), stacked.epoch()):
        assert seconds > 0
    assert lockstep.losses == alone.losses
    assert stacked.losses == pytest.approx(alone.losses, rel=1e-4)
    mean = stacked.buffers["model.stem.1.running_mean"][2]
    expected = alone.runs[2].model.state_dict()["model.stem.1.running_mean"]
    torch.testing.assert_close(mean, expected, rtol=1e-3, atol=1e-5)
    assert bench.same_models(images, "cpu")


def test_memory_beyond_what_was_held_is_seen(load, tiny):
    bench = load("bench_memory")
    before = bench.held_bytes("cpu")
    block = torch.ones(2**24)
    assert bench.peak_bytes("cpu") - before >= 0.9 * block.nbytes or not Path("/proc/self/status").exists()


def test_ways_of_computing_a_step_are_timed_without_the_first_epoch(load, tiny, monkeypatch):
    bench = load("bench_paths")
    monkeypatch.setattr(bench, "NETWORK", TINY)
    monkeypatch.setattr(bench, "BATCH", 4)
    (row,) = bench.compare("cpu")
    assert row["equal"] and row["ratio"] == pytest.approx(row["reference_seconds"] / row["ours_seconds"])
    assert row["name"].startswith(f"2 × {TINY}, the library's choice (cpu, float32")
    seen, plain = [], bench.begin.choose_kernels
    with bench.kernels(False):
        seen.append(bench.begin.choose_kernels)
    assert seen != [plain] and bench.begin.choose_kernels is plain
