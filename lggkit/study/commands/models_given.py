"""Networks and inputs that a command is given by name: of a file, a library, or a data set."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lggkit.data import DATASETS, DataUnavailable, load, normalize, to_float
from lggkit.networks import load_weights
from lggkit.training.processor import first_line

LIBRARIES = {"torchvision": "torchvision.models:get_model", "timm": "timm:create_model"}
WHERE = "FILE.py:FUNCTION, torchvision:NAME or timm:NAME"


def model_of(text: str, weights: str | None = None) -> nn.Module:
    """The network that a function of a file, or a library, makes, in evaluation mode.

    The file is run as any Python program is, the function called without arguments. ``weights`` is a file of
    tensors by name (a ``state_dict``) that can run no code; nothing is downloaded, so that a network of a
    library is untrained without one.

    Raises:
        ValueError: the text is none of these, what it names is not there or fails, or it makes no module.
        FileNotFoundError: there are no weights of that name.
    """
    place, colon, name = text.rpartition(":")
    if not (place and colon and name):
        raise ValueError(f"the network is {text!r}; write {WHERE}")
    network = _of_library(place, name) if place in LIBRARIES else _of_file(place, name)
    if not isinstance(network, nn.Module):
        raise ValueError(f"{text} returns a {type(network).__name__}; let it return a torch.nn.Module")
    return (network if weights is None else load_weights(network, weights)).eval()


def check_takes(network: nn.Module, inputs: Tensor, text: str) -> None:
    """Runs a network on the first of the inputs (n, ...), and refuses those that it does not take.

    Raises:
        ValueError: it fails; the message has ``text``, the shape of one input, and what the network says.
    """
    try:
        with torch.no_grad():
            network(inputs[:1])
    except Exception as error:
        raise ValueError(
            f"{text} takes no input of shape {tuple(inputs.shape[1:])}: {first_line(error)}; give data of "
            "the shape and order, such as (channels, height, width), that it was made for"
        ) from error


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


def _of_file(file: str, name: str) -> Any:
    if not (file.endswith(".py") and Path(file).is_file()):
        raise ValueError(f"{file!r} names no Python file; write {WHERE}")
    spec = importlib.util.spec_from_file_location("lggkit_given_network", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return getattr(module, name)()
    except Exception as error:
        raise ValueError(f"{file}:{name} gives no network: {type(error).__name__}: {error}") from error


def samples_in(path: str | Path) -> Tensor:
    """The one array of samples (n, ...) that a ``.npy`` or ``.pt`` file holds; no code in it is run.

    Raises:
        ValueError: there is no such file, or it holds anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; save inputs by numpy.save or torch.save")
    try:
        read = np.load(path, allow_pickle=False) if path.suffix == ".npy" else _tensor(path)
        samples = torch.as_tensor(read)
    except Exception as error:
        raise ValueError(f"{path} holds no array: {type(error).__name__}") from error
    if samples.ndim < 2 or samples.is_complex() or not samples.isfinite().all():
        raise ValueError(f"{path} holds {tuple(samples.shape)}; give finite real samples (n, ...)")
    return samples


def _tensor(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def images_of(text: str, samples: int) -> Tensor:
    """Float inputs (n, ...), the first ``samples``: a data set's test split, or those of a file.

    Bytes are scaled to [0, 1]; a data set's images are normalised by its training split. Floats of a file
    stay as they are.

    Raises:
        ValueError: the name is neither a data set whose files are there nor a file that `samples_in` reads.
    """
    if text in DATASETS:
        try:
            data = load(text, train=False)
        except DataUnavailable as error:
            raise ValueError(str(error)) from error
        return normalize(to_float(data.images[:samples]), data.mean, data.std)
    if Path(text).suffix not in (".npy", ".pt"):
        raise ValueError(f"the data are {text!r}; name a .npy or .pt file, or one of {', '.join(DATASETS)}")
    inputs = samples_in(text)[:samples]
    return inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs.float()
