"""A frozen network whose latents guide others, computed once for a batch whoever asks."""

from __future__ import annotations

import copy
import operator
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lggkit.latents import Taps, resolve_depths, unwrapped
from lggkit.networks.convolution import GuardedConv2d
from lggkit.training.checks import one_of
from lggkit.training.config import PRECISIONS
from lggkit.training.processor import CodePath, precision_for
from lggkit.training.stream import Batch

PLAIN = (nn.Conv2d, GuardedConv2d)
PARTS = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU)
SUMS = (operator.add, torch.add)


def folded(model: nn.Module, kept: Iterable[str] = ()) -> nn.Module:
    """A copy in evaluation mode with batch norm inside the convolutions before it, and ReLUs in place.

    The output and what the submodules at the paths ``kept`` give stay the same to rounding; what others give
    may change. A network that `torch.fx` cannot trace, or that has hooks inside, is copied as it is. The
    copy's weights are in channels_last.
    """
    twin = copy.deepcopy(model).eval()
    parts = dict(twin.named_modules())
    nodes = [] if _hooked(parts) else _nodes(twin)
    calls, paths = Counter(node.target for node in nodes), set(kept)
    for node in nodes:
        if _alone(node, calls) and not (_inside(node.args[0]) - _inside(node)) & paths:
            _fold(twin, node, parts)
    return twin.to(memory_format=torch.channels_last)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, _: str) -> bool:
        return isinstance(module, PARTS) or not any(isinstance(part, PARTS) for part in module.modules())


def _hooked(parts: dict[str, nn.Module]) -> bool:
    return any(part._forward_hooks or part._forward_pre_hooks for path, part in parts.items() if path)


def _nodes(model: nn.Module) -> list[fx.Node]:
    try:
        return list(_Tracer().trace(model).nodes)
    except Exception:  # a forward pass that reads values raises what it likes when it is given a stand-in
        return []


def _alone(node: fx.Node, calls: Counter) -> bool:
    """Whether a module, called once, takes what one other call gives and nobody else sees."""
    source = node.args[0] if node.op == "call_module" and node.args else None
    single = isinstance(source, fx.Node) and len(source.users) == 1
    return single and calls[node.target] == 1 and (source.op != "call_module" or calls[source.target] == 1)


def _inside(node: fx.Node) -> set[str]:
    """Paths of the modules in which a value is computed, a module's own included."""
    return {path for path, _ in node.meta.get("nn_module_stack", {}).values()}


def _fold(twin: nn.Module, node: fx.Node, parts: dict[str, nn.Module]) -> None:
    source, part = node.args[0], parts[node.target]
    before = parts[source.target] if source.op == "call_module" else None
    if type(part) is nn.BatchNorm2d and type(before) in PLAIN and part.running_var is not None:
        twin.set_submodule(source.target, fuse_conv_bn_eval(before, part))
        twin.set_submodule(node.target, nn.Identity())
    if type(part) is nn.ReLU and (type(before) in (*PLAIN, nn.BatchNorm2d) or source.target in SUMS):
        part.inplace = True


class Teacher:
    """``teacher(batch) -> latents by name``, constant for autograd; kept until another batch is asked for.

    What is asked is a copy of the model as it is now, in evaluation mode, with batch norm folded into the
    convolutions before it: the same latents to rounding, at less cost. The model itself is left alone, the
    copy follows the batches to their device.

    Args:
        model: takes what batches hold, such as [0, 1] images.
        names: depths, see `lggkit.latents.Taps`; "output" gives the logits.
        precision: "float32" or "bfloat16"; "auto" is bfloat16 where the device has matrix units for it.

    Raises:
        ValueError: the model has no such depth, see `lggkit.latents.resolve_depths`, or the precision is
            unknown.
    """

    def __init__(self, model: nn.Module, names: Sequence[str], precision: str = "float32") -> None:
        one_of("precision", precision, PRECISIONS)
        self.names, self.precision = list(names), precision
        self.model = folded(unwrapped(model), resolve_depths(model, self.names).values())
        self._batch: Batch | None = None
        self._latents: dict[str, Tensor] = {}

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        if batch is not self._batch:
            self._latents, self._batch = self._compute(batch.inputs), batch
        return self._latents

    def _compute(self, inputs: Tensor) -> dict[str, Tensor]:
        self.model.to(inputs.device)
        dtype, _ = precision_for(self.precision, inputs.device)
        path = CodePath(inputs.device, dtype, channels_last=False, compile=False)
        with torch.no_grad(), path.autocast(), Taps(self.model, self.names) as taps:
            self.model(inputs)
        return dict(taps.latents)
