"""Networks and inputs that a command is given by name: of a file, a library, or a data set."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import DATASETS, load, normalize, to_float
from lggkit.networks import load_weights

LIBRARIES = {"torchvision": "torchvision.models:get_model", "timm": "timm:create_model"}


def model_of(text: str, weights: str | None = None) -> nn.Module:
    """The network that ``FILE.py:FUNCTION``, ``torchvision:NAME`` or ``timm:NAME`` makes, in evaluation mode.

    The function is called without arguments. ``weights`` is a file of tensors by name (a ``state_dict``);
    nothing is downloaded, so that a network of a library is untrained without one.

    Raises:
        ValueError: the text is none of these, or what it names is not there or makes no module.
        FileNotFoundError: there is no file of that name.
    """
    place, colon, name = text.rpartition(":")
    if not (place and colon and name):
        raise ValueError(f"the network is {text!r}; write FILE.py:FUNCTION, torchvision:NAME or timm:NAME")
    network = _of_library(place, name) if place in LIBRARIES else _of_file(Path(place), name)
    if not isinstance(network, nn.Module):
        raise ValueError(f"{text} makes a {type(network).__name__}; let it return a torch.nn.Module")
    return (network if weights is None else load_weights(network, weights)).eval()


def _of_library(library: str, name: str) -> nn.Module:
    module, _, function = LIBRARIES[library].partition(":")
    try:
        make = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise ValueError(f"{library} is not installed; python -m pip install {library}") from error
    try:
        return make(name)
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{library} has no network {name!r}: {error}") from error


def _of_file(file: Path, name: str) -> nn.Module:
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}; write FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file; write FILE.py:FUNCTION")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(make := getattr(module, name, None)):
        raise ValueError(f"{file} has no function {name!r}; write FILE.py:FUNCTION")
    return make()


def images_of(text: str, samples: int) -> Tensor:
    """Float inputs (n, ...), the first ``samples``: a data set's test split, or a ``.npy`` or ``.pt`` file.

    Bytes are scaled to [0, 1]; a data set's images are normalised by its training split. Floats of a file
    stay as they are.

    Raises:
        ValueError: the file holds no array of samples, or the name is neither a file nor a data set.
        FileNotFoundError, lggkit.data.DataUnavailable: there is no such file.
    """
    if text in DATASETS:
        data = load(text, train=False)
        return normalize(to_float(data.images[:samples]), data.mean, data.std)
    file = Path(text)
    if file.suffix not in (".npy", ".pt"):
        raise ValueError(f"the data are {text!r}; name a .npy or .pt file, or one of {', '.join(DATASETS)}")
    value = torch.load(file, weights_only=True) if file.suffix == ".pt" else np.load(file, allow_pickle=False)
    inputs = torch.as_tensor(value) if isinstance(value, Tensor | np.ndarray) else None
    if inputs is None or inputs.ndim < 2:
        raise ValueError(f"{file} holds no array of samples (n, ...); save one tensor")
    inputs = inputs[:samples]
    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs.float()
