"""The command that draws the pieces into which a network of one's own cuts a plane."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lggkit.study.cli_parts import told

if TYPE_CHECKING:
    from torch import Tensor, nn

WHERE = "FILE.py:FUNCTION, a function without arguments that returns the network"
regions = typer.Typer(no_args_is_help=True, help="The pieces of a ReLU network.")


def add_to(app: typer.Typer) -> None:
    """Make them commands of an application."""
    app.add_typer(regions, name="regions")


@regions.callback()
def _group() -> None:
    """The pieces of a ReLU network."""


@regions.command()
@told
def plane(
    network: Annotated[str, typer.Argument(help=WHERE)],
    weights: Annotated[
        str | None, typer.Option(help="a file of tensors by name, as save_weights has it")
    ] = None,
    inputs: Annotated[
        str | None, typer.Option(help="three inputs (3, ...), .npy or .pt: their plane")
    ] = None,
    half_width: Annotated[float, typer.Option(help="half the side of the square that is drawn")] = 1.0,
    out: Annotated[str, typer.Option(help="the picture, .svg or .png")] = "plane.svg",
) -> None:
    """Draws the exact partition of a square of the plane, coloured by slope, with the decisions' borders.

    The plane is that of a network's two inputs, about 0, or that through three inputs, which have the
    coordinates (0, 0), (1, 0) and (0, 1), about (0.5, 0.5).
    """
    from lggkit.networks import load_weights
    from lggkit.study.figures import planes

    if not half_width > 0:
        raise ValueError(f"half-width is {half_width}; give a positive number")
    if Path(out).suffix not in (".svg", ".png"):
        raise ValueError(f"out is {out!r}; name a file that ends in .svg or .png")
    made = built(network)
    if weights is not None:
        load_weights(made, weights)
    given = None if inputs is None else three_inputs(Path(inputs))
    try:
        figure, count = planes.plane_figure(made, half_width, given)
    except TypeError as error:
        raise ValueError(str(error)) from error
    figure.savefig(out)
    typer.echo(f"{count} pieces, drawn in {out}")


def built(where: str) -> nn.Module:
    """What a function of a file returns; the file is run as any Python program is.

    Raises:
        ValueError: there is no such file or function, or it fails, or returns no module.
    """
    from torch import nn

    file, _, name = where.rpartition(":")
    if not Path(file).is_file() or not file.endswith(".py"):
        raise ValueError(f"{where!r} names no Python file; write {WHERE}")
    spec = importlib.util.spec_from_file_location("lggkit_given_network", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        network = getattr(module, name)()
    except Exception as error:
        raise ValueError(f"{where} gives no network: {type(error).__name__}: {error}") from error
    if not isinstance(network, nn.Module):
        raise ValueError(f"{where} returns a {type(network).__name__}; let it return a torch.nn.Module")
    return network


def three_inputs(path: Path) -> Tensor:
    """Three inputs (3, ...) in float64, from a file of NumPy or of torch that holds one array and no code.

    Raises:
        ValueError: it is no such file.
    """
    import numpy as np
    import torch

    if not path.is_file():
        raise ValueError(f"there is no file {path}; save three inputs by numpy.save or torch.save")
    try:
        found = (
            torch.from_numpy(np.load(path, allow_pickle=False))
            if path.suffix == ".npy"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
        found = found.double()
    except Exception as error:
        raise ValueError(f"{path} holds no array: {type(error).__name__}") from error
    if found.ndim < 2 or len(found) != 3 or not found.isfinite().all():
        raise ValueError(f"{path} holds {tuple(found.shape)}; give three finite inputs, (3, ...)")
    return found
