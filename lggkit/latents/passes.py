"""Which passes of a model count, and why one that should have run a module did not."""

from __future__ import annotations

import sys
import threading

import torch
from torch import Tensor, fx, nn
from torch.autograd.function import FunctionCtx

from lggkit.latents.wrappers import joined

TWICE = "tap the module around it, or give each of its uses a module of its own"
NOT_RUN = "tap a module that does, or enter the taps before the model is compiled"
IN_PLACE = "tap the module that changed it (an nn.ReLU(inplace=True)?), or make that one not in place"
NO_GRAPH = (
    "it runs inside an autograd function that keeps no graph of it; give torch.utils.checkpoint "
    "use_reentrant=False, or make the taps with detach=True"
)
_REPLICAS = "call the network itself on one device, or use DistributedDataParallel"
_FX = (
    "torch.fx traced this network and calls only its innermost modules; tap the network that was traced, "
    "{inside}or a node that it returns, as in 'output[node]'"
)
_SCRIPTED = "torch.jit runs no hooks inside what it made; tap the network that it was made from"
_ATTENTION = (
    "nn.MultiheadAttention reads its parts and calls none; tap the attention itself, as in '{around}[0]'"
)


def place() -> tuple[int, int]:
    """The thread and the backward pass that runs in it (-1: none), which recomputes what is checkpointed."""
    return threading.get_ident(), torch._C._current_graph_task_id()


def counts(module: nn.Module, entered: tuple[int, int]) -> bool:
    """Whether a module runs at the place (see `place`) where the taps were entered.

    Raises:
        RuntimeError: it is a replica of ``DataParallel``.
    """
    if torch.compiler.is_compiling():
        return True
    if module.__dict__.get("_is_replica"):
        raise RuntimeError(f"the tapped network runs in replicas of nn.DataParallel; {_REPLICAS}")
    return place() == entered


def version(value: Tensor) -> int:
    """How often a tensor was changed in place, 0 where PyTorch does not count."""
    if torch.compiler.is_compiling() or value.is_inference():
        return 0
    return value._version


def unshared(value: Tensor) -> Tensor:
    """The tensor itself, or a copy where PyTorch does not count what is done to it in place."""
    return value if torch.compiler.is_compiling() or not value.is_inference() else value.clone()


def cut_off(model: nn.Module, asked: bool, around: bool) -> bool:
    """Whether what is computed now has no graph although gradients are wanted of it.

    So it is inside an autograd function, such as a checkpoint with ``use_reentrant=True``, which is part of a
    pass with gradients (``asked``) of a model that has parameters to train, or holds such a pass, with inputs
    on a graph, while gradients are wanted ``around`` it, where the taps were entered.
    """
    if torch.compiler.is_compiling() or torch.is_grad_enabled():
        return False
    context = _autograd_function()
    if context is None:
        return False
    trained = asked and any(p.requires_grad for p in model.parameters())
    return trained or (around and bool(context.next_functions))


def _autograd_function() -> FunctionCtx | None:
    """The innermost autograd function whose forward pass is being run, by the first argument of its frame."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == "forward" and code.co_varnames:
            context = frame.f_locals.get(code.co_varnames[0])
            if isinstance(context, FunctionCtx):
                return context
        frame = frame.f_back
    return None


def remedy(model: nn.Module, path: str, usual: str) -> str:
    """What to do about a module that did not run once: the usual, or what fits the machinery around it."""
    atoms = path.split(".")
    around = {joined(*atoms[:i]): model.get_submodule(joined(*atoms[:i])) for i in range(len(atoms))}
    for name, part in reversed(around.items()):
        if isinstance(part, torch.jit.ScriptModule):
            return _SCRIPTED
        if isinstance(part, nn.MultiheadAttention):
            return _ATTENTION.format(around=name)
        if isinstance(part, fx.GraphModule):
            return _FX.format(inside=_called_once(part, path.removeprefix(name).lstrip(".")))
    return usual


def _called_once(graph: fx.GraphModule, path: str) -> str:
    """Some modules under the path that the graph calls once, the last ones first, as part of a sentence."""
    targets = [node.target for node in graph.graph.nodes if node.op == "call_module"]
    once = [name for name in targets if targets.count(name) == 1 and name.startswith(f"{path}.")]
    return f"one of them that runs once ({', '.join(map(repr, once[:-4:-1]))}), " if once else ""
