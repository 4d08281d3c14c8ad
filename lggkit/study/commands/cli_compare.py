"""``lggkit compare``: two networks of anyone's, depth by depth."""

from __future__ import annotations

import json
from typing import Annotated

import pandas as pd
import typer

from lggkit.study.commands.cli_parts import asked, own, picture, told

TITLES = {"cka": "CKA", "overlap": "neighbours shared", "r2": "linear R²"}
Weights = Annotated[str | None, typer.Option(help="its state_dict, tensors by name; untrained without one")]
Depths = Annotated[str | None, typer.Option(help="its depths, with commas; found in it where left out")]


@told
def compare(
    first: Annotated[str, typer.Argument(help="FILE.py:FUNCTION, torchvision:NAME or timm:NAME")],
    second: Annotated[str, typer.Argument(help="the network in the columns, named alike")],
    data: Annotated[str, typer.Option(help="a .npy or .pt file of inputs (n, ...), or a data set's name")],
    first_weights: Weights = None,
    second_weights: Weights = None,
    first_depths: Depths = None,
    second_depths: Depths = None,
    samples: Annotated[int, typer.Option(help="the most inputs that are used", min=1)] = 2000,
    batch: Annotated[int, typer.Option(help="inputs of a batch, at least 4", min=4)] = 100,
    neighbors: Annotated[int, typer.Option(help="nearest neighbours that are compared", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="of the permutations")] = 0,
    out: Annotated[str | None, typer.Option(help="draw to this .svg, .png or .pdf file")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
) -> None:
    """How alike two networks are: every depth of one with every depth of the other.

    Unbiased CKA, shared nearest neighbours, and the variance that a linear map explains on samples that it
    was not fitted on; each with what permuted samples give.
    """
    from lggkit.evaluation.network_similarity import batched, compare_networks
    from lggkit.latents import resolve_depths
    from lggkit.study.commands.models_given import check_takes, images_of, model_of

    file = None if out is None else asked(picture, out, ".svg", ".png", ".pdf")
    inputs = images_of(data, samples)
    networks = model_of(first, first_weights), model_of(second, second_weights)
    for text, network in zip((first, second), networks, strict=True):
        check_takes(network, inputs, text)
    chosen = [None if names is None else names.split(",") for names in (first_depths, second_depths)]
    for network, names in zip(networks, chosen, strict=True):
        asked(resolve_depths, network, names or [])
    options = {"k": neighbors, "seed": seed}
    result = own("the comparison", compare_networks, *networks, batched(inputs, batch), *chosen, **options)
    if file is not None:
        from lggkit.study.figures.network_similarity import similarity_figure

        similarity_figure(result, TITLES).savefig(file)
    grids = {name: _grid(result, name) for name in TITLES}
    typer.echo(json.dumps(_plain(result, grids)) if as_json else _text(result, grids))


def _grid(result, name: str) -> pd.DataFrame:
    return pd.DataFrame(getattr(result, name).numpy(), index=result.first, columns=result.second)


def _text(result, grids: dict[str, pd.DataFrame]) -> str:
    blocks = [f"{result.samples} samples; rows: the first network, columns: the second"]
    for name, grid in grids.items():
        chance = getattr(result, f"{name}_chance")
        span = f"{float(chance.min()):.2f} to {float(chance.max()):.2f}"
        blocks.append(f"{TITLES[name]} (by chance {span})\n{grid.round(2).to_string()}")
    return "\n\n".join(blocks)


def _plain(result, grids: dict[str, pd.DataFrame]) -> dict:
    chance = {f"{name}_chance": getattr(result, f"{name}_chance").tolist() for name in TITLES}
    values = {name: grid.to_numpy().tolist() for name, grid in grids.items()}
    return {
        "first": result.first,
        "second": result.second,
        "samples": result.samples,
        **values,
        **chance,
    }
