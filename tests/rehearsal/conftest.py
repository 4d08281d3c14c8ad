"""A stage with a GPU that is not there, what functions are given on it, and what is asked of each."""

from __future__ import annotations

import importlib.util
from functools import cached_property
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.utils._pytree import tree_leaves

from lggkit import data, graph, networks

CUDA = {"device": "cuda"}


def _beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GPU, ENGINE = _beside("gpu"), _beside("engine")


class Given:
    """What functions are given, each made when it is first asked for."""

    @cached_property
    def x(self) -> Tensor:
        return torch.rand(12, 7, requires_grad=True, **CUDA)

    @cached_property
    def labels(self) -> Tensor:
        return torch.zeros(12, dtype=torch.int64, **CUDA)

    @cached_property
    def maps(self) -> dict[str, Tensor]:
        return {name: torch.rand(12, 4, 3, 3, requires_grad=True, **CUDA) for name in ("first", "second")}

    @cached_property
    def theirs(self) -> dict[str, Tensor]:
        return {name: torch.rand(12, 5, 2, 2, **CUDA) for name in self.maps}

    @cached_property
    def a(self) -> Tensor:
        return graph.latent_geometry_graph(self.x, k=3)

    @cached_property
    def edges(self) -> graph.SparseGraph:
        return graph.knn_graph(self.x, 3)

    @cached_property
    def logits(self) -> Tensor:
        return torch.rand(12, 10, **CUDA)

    @cached_property
    def bytes(self) -> Tensor:
        return torch.zeros(12, 3, 8, 8, dtype=torch.uint8, **CUDA)

    @cached_property
    def images(self) -> Tensor:
        return torch.rand(12, 3, 8, 8, **CUDA)

    @cached_property
    def direction(self) -> Tensor:
        return torch.zeros(12, 3, 8, 8, dtype=torch.int8, **CUDA)

    @cached_property
    def set(self) -> data.DataSet:
        moments = torch.ones(3, **CUDA)
        return data.DataSet(self.bytes, self.labels, tuple("0123456789"), moments, moments, "own", "test")

    @cached_property
    def model(self) -> nn.Module:
        return networks.build("small_net", channels=3, width=4).to("cuda")


@pytest.fixture
def stage(monkeypatch):
    """``with stage(*allowed) as watch:``, see `gpu.stage`, and none of what would ask for a driver."""
    monkeypatch.setattr(Tensor, "backward", ENGINE.backward)
    monkeypatch.setattr(torch.autograd, "grad", ENGINE.grad)
    monkeypatch.setattr(nn.Module, "_apply", ENGINE.apply)
    monkeypatch.setattr(FakeTensor, "__deepcopy__", ENGINE.copied)
    monkeypatch.setattr(torch, "Generator", GPU.Generator)
    for name in ("synchronize", "get_rng_state", "set_rng_state"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    return GPU.stage


@pytest.fixture
def waits():
    """The error of a wait that is not allowed."""
    return GPU.Waits


@pytest.fixture
def walk():
    """Gradients as the stage has them, see `engine.walk`."""
    return ENGINE.walk


@pytest.fixture
def rehearse(stage):
    """``rehearse(call, *allowed)``: no device is mixed, and a call waits in these ways alone."""

    def calling(call, *allowed: str) -> None:
        with stage("read", "send") as watch:
            given = Given()
            call(given)
            watch.only(*allowed)
            made = [x for x in tree_leaves(call(given)) if isinstance(x, Tensor)]
            assert watch.seen == set(allowed)
            assert {x.device.type for x in made} <= {"cuda"}
            watch.only()
            for x in made:
                if x.requires_grad:
                    x.float().sum().backward()

    return calling


@pytest.fixture
def complete():
    """``complete(package, cases, others)``: every public name is a case, or has a reason why it is none."""

    def check(package: str, cases, others) -> None:
        public = set(importlib.import_module(f"lggkit.{package}").__all__)
        known = {*cases, *others}
        assert public - known == set(), "rehearse these, or say why they need no rehearsal"
        assert known - public == set() and not {*cases} & {*others}

    return check


@pytest.fixture
def says_so():
    """``says_so(package, name)``: the docstring of a function or of its package tells that it waits."""

    def check(package: str, name: str) -> None:
        module = importlib.import_module(f"lggkit.{package}")
        assert "wait" in (getattr(module, name).__doc__ or "") or "Everything waits" in module.__doc__

    return check


@pytest.fixture
def normalized():
    """``normalized()``, on a stage: a network that takes [0, 1] images, and a set of them."""

    def made() -> tuple[nn.Module, data.DataSet]:
        given = Given()
        given.model.relu_depths = {"relu1": "stem.2", "relu2": "stage1.relu2", "relu3": "stage2.relu2"}
        return networks.with_normalization(given.model, [0.5] * 3, [0.2] * 3), given.set

    return made
