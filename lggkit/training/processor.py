"""Which way the numbers are computed on a device, and one line that says so and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import nn

from lggkit.evaluation.accuracy import autocast
from lggkit.networks.convolution import GuardedConv2d, layers_at_risk, oneDNN_overruns
from lggkit.networks.norm_host import find_compiler
from lggkit.training.checks import one_of
from lggkit.training.config import PRECISIONS, TrainConfig
from lggkit.training.task import PathTaken

IMAGES_WORTH_COMPILING = 100_000
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class CodePath:
    """How a training is computed: device, autocast type, memory format, compiled or not, and the reasons.

    ``undecided``: some steps that are timed will decide on the autocast type, which is float32 until then.
    ``kernels``: with kernels of our own where a network has parts for them.
    """

    device: torch.device
    dtype: torch.dtype
    channels_last: bool
    compile: bool
    captured: bool = False
    reasons: tuple[str, ...] = ()
    undecided: bool = False
    kernels: bool = False

    def autocast(self) -> torch.autocast:
        """The context of the forward pass; does nothing in float32."""
        return autocast(self.device, self.dtype)

    def because(self, reason: str) -> CodePath:
        """The same path with one more reason."""
        return replace(self, reasons=(*self.reasons, reason))

    def computed_in(self, dtype: torch.dtype, reason: str) -> CodePath:
        """The same path, its autocast type decided."""
        return replace(self, dtype=dtype, undecided=False).because(reason)

    def eager(self, reason: str) -> CodePath:
        """The same path without compilation."""
        return replace(self, compile=False).because(reason)

    @property
    def precision(self) -> str:
        """``float32`` or ``bfloat16``."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def layout(self) -> torch.memory_format:
        """The memory format of images and weights."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def taken(self) -> PathTaken:
        """The path as plain data."""
        return PathTaken(
            device=_name(self.device),
            precision=self.precision,
            layout="channels_last" if self.channels_last else "contiguous",
            compiled=self.compile,
            captured=self.captured,
            tf32=self.dtype is torch.float32 and _convolves_in_tf32(self.device),
            reasons=self.reasons,
        )

    @property
    def mode(self) -> str:
        """The path without its reasons, e.g. ``cpu, float32, channels_last, eager``."""
        return self.taken.mode

    def __str__(self) -> str:
        return str(self.taken)


def choose_path(
    config: TrainConfig, device: torch.device | str, images: int, precision: str | None = None
) -> CodePath:
    """The code path of a training of ``images`` forward-and-backward passes in all on ``device``.

    ``precision`` is what a precision of "auto" is known to be, from another training of the same seed.

    Raises:
        ValueError: the settings ask for another precision than the one given.
    """
    device = torch.device(device)
    dtype, why_dtype, undecided = _chosen_precision(config.precision, precision, device)
    compiled, why_compiled = _compilation(config.compile, device, images * config.epochs)
    reasons = tuple(reason for reason in (why_dtype, why_compiled) if reason)
    return CodePath(device, dtype, config.channels_last, compiled, reasons=reasons, undecided=undecided)


def _chosen_precision(wanted: str, given: str | None, device: torch.device) -> tuple[torch.dtype, str, bool]:
    """The autocast type, why, and whether it is still to be decided by timing."""
    if given is None or wanted == given:
        undecided = wanted == "auto" and device.type == "cpu"
        return (torch.float32, "", True) if undecided else (*precision_for(wanted, device), False)
    if wanted != "auto" or given not in DTYPES:
        raise ValueError(
            f"precision is given as {given!r}, but the settings ask for {wanted!r}; "
            'give "float32" or "bfloat16", and only where they ask for "auto"'
        )
    return DTYPES[given], f"{given} as another training of the seed", False


def has_bfloat16_units(device: torch.device) -> bool:
    """Whether the processor has units for bfloat16 matrices: AMX on a CPU, Ampere or later on a GPU."""
    if device.type == "cuda":
        return torch.cuda.is_available() and torch.cuda.get_device_capability(device)[0] >= 8
    return device.type == "cpu" and _amx()


def has_compiler() -> bool:
    """Whether ``torch.compile`` finds a C++ compiler."""
    return find_compiler() is not None


def _amx() -> bool:
    detect = getattr(torch.cpu, "_is_amx_tile_supported", None)
    if detect is not None:
        return bool(detect())
    try:
        with open("/proc/cpuinfo") as info:
            return "amx_bf16" in info.read()
    except OSError:
        return False


def precision_for(wanted: str, device: torch.device) -> tuple[torch.dtype, str]:
    """The autocast type for a wanted precision on a device, and why; ValueError for an unknown one."""
    one_of("precision", wanted, PRECISIONS)
    units = has_bfloat16_units(device)
    if wanted == "float32" or (wanted == "auto" and not units):
        return torch.float32, "no bfloat16 matrix units" if wanted == "auto" else "float32 was asked for"
    if units:
        return torch.bfloat16, "bfloat16 matrix units found" if wanted == "auto" else "bfloat16 was asked for"
    return torch.bfloat16, "bfloat16 was asked for, without matrix units for it"


def _compilation(wanted: bool | str, device: torch.device, images: int) -> tuple[bool, str]:
    if wanted is False or (wanted == "auto" and device.type != "cpu"):
        return False, ""
    if not has_compiler():
        return False, "no C++ compiler found"
    if wanted == "auto" and images < IMAGES_WORTH_COMPILING:
        return False, "too short to repay compilation"
    return True, ""


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _convolves_in_tf32(device: torch.device) -> bool:
    """Whether PyTorch lets cuDNN round what it convolves in float32 to ten bits."""
    rounded = torch.backends.cudnn.conv.fp32_precision == "tf32"
    return device.type == "cuda" and rounded and has_bfloat16_units(device)


def first_line(error: Exception) -> str:
    """What an error says, short enough for a path."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]


FAULT = "against a fault of oneDNN in strided 1×1 convolutions of fewer than 8 channels"


def guarded(path: CodePath, model: nn.Module) -> CodePath:
    """The path on which this network's gradients are right: its own, or contiguous; it says why.

    The networks of `lggkit.networks` guard themselves and stay in channels_last; a network of others that has
    such convolutions is trained in contiguous memory, where there is no fault.
    """
    risky = list(layers_at_risk(model)) if path.device.type == "cpu" and oneDNN_overruns() else []
    if path.channels_last and not all(isinstance(layer, GuardedConv2d) for layer in risky):
        return replace(path, channels_last=False).because(f"contiguous {FAULT}")
    return path.because(f"pixels taken first {FAULT}") if risky else path
