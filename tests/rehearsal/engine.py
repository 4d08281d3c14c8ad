"""What PyTorch cannot do with tensors of a GPU where there is no driver, done in Python.

The autograd engine of a PyTorch that was built for CUDA asks the driver how many devices there are, so that
the graph is walked here, node by node.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction


def walk(outputs: list[Tensor], grads: list[Tensor]) -> dict[Tensor, Tensor]:
    """The gradient of every leaf, by the backward functions of all nodes, as autograd's engine has it."""
    pending = {}
    for output, grad in zip(outputs, grads, strict=True):
        pending.setdefault(output.grad_fn, {})[output.output_nr] = grad
    leaves = {}
    for node in _ordered(pending):
        slots = pending.pop(node, {})
        given = [slots.get(place) for place in range(len(node._input_metadata))]
        if hasattr(node, "variable") and slots:
            leaves[node.variable] = given[0]
        elif slots:
            made = node.apply(*given) if isinstance(node, BackwardCFunction) else node(*given)
            _hand_on(node, made if isinstance(made, tuple) else (made,), pending)
    return leaves


def _ordered(roots) -> list:
    """Every node after all that give it gradients."""
    order, seen, stack = [], set(), [(node, False) for node in roots]
    while stack:
        node, left = stack.pop()
        if left:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(after, False) for after, _ in node.next_functions if after is not None]
    return order[::-1]


def _hand_on(node, made: tuple, pending: dict) -> None:
    for (after, place), grad in zip(node.next_functions, made, strict=False):
        if after is not None and grad is not None:
            wanted = after._input_metadata[place]
            assert grad.device == wanted.device, f"{node} gives a gradient on {grad.device}"
            grad = grad.to(wanted.dtype).sum_to_size(wanted.shape)
            slots = pending.setdefault(after, {})
            slots[place] = grad if place not in slots else slots[place] + grad


def backward(loss: Tensor, gradient: Tensor | None = None, **_) -> None:
    with torch.no_grad():
        for leaf, grad in walk([loss], [torch.ones_like(loss) if gradient is None else gradient]).items():
            leaf.grad = grad if leaf.grad is None else leaf.grad + grad


def grad(outputs: Tensor, inputs, grad_outputs: Tensor | None = None, **_) -> tuple[Tensor | None, ...]:
    with torch.no_grad():
        gradients = walk([outputs], [torch.ones_like(outputs) if grad_outputs is None else grad_outputs])
    return tuple(gradients.get(x) for x in ([inputs] if isinstance(inputs, Tensor) else inputs))


def apply(module: nn.Module, function, recurse: bool = True) -> nn.Module:
    """What `nn.Module.to` does, without the swap in place that fake tensors do not always allow."""
    for part in module.modules():
        for tensors in (part._parameters, part._buffers):
            for name, value in tensors.items():
                moved = value if value is None else function(value.detach())
                if isinstance(value, nn.Parameter):
                    moved = nn.Parameter(moved, value.requires_grad)
                tensors[name] = moved
    return module


def copied(x: Tensor, memo: dict) -> Tensor:
    """What copy.deepcopy makes of a fake tensor, which has no memory that could be copied."""
    twin = x.detach().clone()
    memo[id(x)] = nn.Parameter(twin, x.requires_grad) if isinstance(x, nn.Parameter) else twin
    return memo[id(x)]
