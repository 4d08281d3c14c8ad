"""The command that draws the pieces into which a network of one's own cuts a plane."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from lggkit.study.commands.cli_parts import asked, own, picture, told

if TYPE_CHECKING:
    from torch import Tensor

WHERE = "FILE.py:FUNCTION, which returns it, torchvision:NAME or timm:NAME"
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
    from lggkit.study.commands.models_given import model_of
    from lggkit.study.figures import planes

    asked(_positive, half_width)
    asked(picture, out, ".svg", ".png")
    made, given = model_of(network, weights), None if inputs is None else three_inputs(inputs)
    figure, count = own("the partition", planes.plane_figure, made, half_width, given)
    figure.savefig(out)
    typer.echo(f"{count} pieces, drawn in {out}")


def _positive(half_width: float) -> None:
    if not 0 < half_width < math.inf:
        raise ValueError(f"half-width is {half_width}; give a positive number, not infinite")


def three_inputs(path: str) -> Tensor:
    """Three inputs (3, ...) of a file, in float64; a ValueError where it has others."""
    from lggkit.study.commands.models_given import samples_in

    inputs = samples_in(path)
    if len(inputs) != 3:
        raise ValueError(f"{path} holds {tuple(inputs.shape)}; give three inputs, (3, ...)")
    return inputs.double()
