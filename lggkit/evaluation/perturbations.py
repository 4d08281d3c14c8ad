"""Incidental harm, aimed by nobody: noise, units that fail, weights of few bits (paper 1, section 4.3)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from lggkit.data.checks import as_integer
from lggkit.evaluation import _given
from lggkit.evaluation.accuracy import evaluating
from lggkit.evaluation.fast_gradient import BOX, snr_epsilon
from lggkit.latents import unwrapped
from lggkit.latents.hooks import OwnHook
from lggkit.latents.names import located

ROUNDINGS = {"zero": torch.trunc, "nearest": torch.round}
MOST_BITS = 64


def gaussian_noise(images: Tensor, sd: float = 0.1, generator: torch.Generator | None = None) -> Tensor:
    """Images (n, ...) in [0, 1] plus normal noise of standard deviation ``sd``, clamped to [0, 1].

    The default is that of the authors' code of paper 1, which adds one pattern to all images and averages
    over 40 patterns; here every image has its own, with equal expected errors.

    Args:
        images: floats, which may leave [0, 1] by a few roundings.
        generator: of the CPU, where the noise is drawn whatever the images' device.

    Raises:
        TypeError: images are no tensor of floats.
        ValueError: sd is negative or not finite, images leave [0, 1], one is not finite, or there are none;
            or the generator is of another device.
    """
    sd = _given.number("sd", sd, _given.NOT_NEGATIVE)
    return _noisy(_given.within(_given.floats(images), BOX), sd, generator)


def noise_at(images: Tensor, snr: float, generator: torch.Generator | None = None) -> Tensor:
    """Images (n, ...) in [0, 1] plus normal noise at ``snr`` dB signal to noise, clamped to [0, 1].

    The noise of each image has the size ``‖x‖₂ / √D · 10^(-snr / 20)`` of the attack of this ratio as its
    standard deviation, so that the ratio holds in expectation and before clamping; it is drawn as in
    `gaussian_noise`. Errors as for that and for `snr_epsilon`.
    """
    images = _given.within(_given.floats(images), BOX)
    return _noisy(images, snr_epsilon(images, snr), generator)


def _noisy(images: Tensor, sd: float | Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is not None and generator.device.type != "cpu":
        raise ValueError(f"the generator is of {generator.device}; give one of the CPU, torch.Generator()")
    noise = torch.randn(images.shape, generator=generator, dtype=images.dtype, device="cpu")
    return (images + sd * noise.to(images.device)).clamp(0, 1)


@contextmanager
def with_dropout(model: nn.Module, p: float, depths: Sequence[str], seed: int = 0) -> Iterator[nn.Module]:
    """The model in evaluation mode, but with dropout behind the named depths, while the context lasts.

    Every entry of such a depth is 0 with probability ``p``, else divided by 1 - p, anew in each pass. Paper 1
    (its authors' code) has it behind each residual block. A copy of the model drops nothing.

    Args:
        model: not compiled: compiled code takes no notice of new hooks.
        p: in [0, 1).
        depths: names of places inside the network, see `lggkit.latents.resolve_depths`.
        seed: with the device, the shapes and the order of the passes it decides what is dropped; the global
            random state is neither used nor changed.

    Raises:
        TypeError: ``depths`` is a single string, a depth's output is no tensor, p is no number or seed is no
            integer.
        ValueError: p is out of range, the model or a part of it is compiled, or it has no such depth inside.
    """
    if not 0 <= _given.number("p", p, _given.ANY) < 1:
        raise ValueError(f"p is {p}; give a probability from 0 to below 1")
    if any(_compiled(part) for part in model.modules()):
        raise ValueError("the model is compiled and would not drop anything; give the one it was made from")
    paths, network = _paths_inside(model, depths), unwrapped(model)
    drop = _Drop(p, as_integer("seed", seed, 0))
    with evaluating(model), ExitStack() as stack:
        for path in paths:
            stack.enter_context(OwnHook(network.get_submodule(path), drop))
        yield model


def _compiled(part: nn.Module) -> bool:
    return "_orig_mod" in part._modules or getattr(part, "_compiled_call_impl", None) is not None


def _paths_inside(model: nn.Module, depths: Sequence[str]) -> list[str]:
    places = located(model, depths)
    for name, place in places.items():
        if place.special:
            raise ValueError(f"{name!r} is not inside the network; name depths to drop from that are")
        if place.keys:
            raise ValueError(f"{name!r} is part of an output; name depths that give one tensor")
    return [place.path for place in places.values()]


class _Drop:
    """A forward hook that drops; one for all depths, so that they do not fail in the same places."""

    def __init__(self, p: float, seed: int) -> None:
        self.p, self.seed = p, seed
        self.generators: dict[torch.device, torch.Generator] = {}

    def __call__(self, module: nn.Module, _: tuple, output: Tensor) -> Tensor:
        if not isinstance(output, Tensor):
            raise TypeError(
                f"a {type(module).__name__} that is to drop returns a {type(output).__name__}; "
                "name depths that return one tensor"
            )
        device = output.device
        if device not in self.generators:
            self.generators[device] = torch.Generator(device).manual_seed(self.seed)
        mask = torch.rand(output.shape, generator=self.generators[device], device=device) >= self.p
        return torch.where(mask, output / (1 - self.p), 0.0)


@contextmanager
def quantized(model: nn.Module, bits: int = 5, rounding: str = "zero") -> Iterator[nn.Module]:
    """The model with weights of few bits, while the context lasts.

    Each parameter with more than one dimension becomes a whole number of ``bits`` bits, its sign included,
    times a step of its own: the smallest power of two with which its largest entry still fits. Biases and
    batch normalisation keep their values. Source: the authors' code of paper 1, section 4.3, which rounds
    toward zero (and needs further bits where an entry is 2 or more; not so here).

    Args:
        rounding: ``"zero"``, or ``"nearest"`` for half the error. Entries within half a step of the power of
            two above them all become the largest number of these bits, at most a step off in either.

    Raises:
        TypeError: bits is no integer.
        ValueError: bits is below 2 or above 64, there is no such rounding, or a weight is not finite.
    """
    bits = as_integer("bits", bits, 2, MOST_BITS)
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding is {rounding!r}; choose one of {', '.join(ROUNDINGS)}")
    weights = [p for p in model.parameters() if p.dim() > 1 and p.numel()]
    if bad := sum(int((~weight.isfinite()).sum()) for weight in weights):
        raise ValueError(f"{bad} weights are not finite, and no step fits them; give a sound network")
    before = [weight.detach().clone() for weight in weights]
    try:
        _assign(weights, [_fixed_point(weight, bits, rounding) for weight in before])
        yield model
    finally:
        _assign(weights, before)


def _fixed_point(weight: Tensor, bits: int, rounding: str) -> Tensor:
    _, exponent = math.frexp(float(weight.abs().max()))
    step, most = 2.0 ** (exponent - bits + 1), 2 ** (bits - 1) - 1
    # In double, as a weight over its step leaves the range of half floats.
    return (ROUNDINGS[rounding](weight.double() / step).clamp(-most, most) * step).to(weight.dtype)


@torch.no_grad()
def _assign(weights: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)
