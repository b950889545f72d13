"""`lifeline network`: a hydraulic model out of a city's register."""

from pathlib import Path
from typing import Annotated

import typer

from services.core.checked_rows import CityFolderError
from services.core.city_folder import read_city_folder
from services.core.epanet_input import write_epanet
from services.core.network_assets import network_of
from services.core.pipe_network import PipeNetworkError


def network(
    folder: Annotated[Path, typer.Argument(help="city folder")],
    out: Annotated[Path | None, typer.Option(help="file to write; default: network.inp in the folder")] = None,
) -> None:
    """Write the EPANET model of a city's water pipes, to be checked and imported with the city."""
    target = out or folder / "network.inp"
    if target.exists():
        typer.echo(f"lifeline: {target} is there already", err=True)
        raise typer.Exit(1)
    try:
        city = read_city_folder(folder)
        pipes = network_of(city.id, city.assets, city.links)
        file = write_epanet(pipes)
    except (CityFolderError, PipeNetworkError) as error:
        typer.echo(f"lifeline: {error}", err=True)
        raise typer.Exit(1) from None
    target.write_text(file.text, encoding="utf-8")
    demand_m3h = sum(node.demand_m3h for node in pipes.nodes.values())
    typer.echo(f"{len(pipes.nodes)} nodes, {len(pipes.links)} links, mean demand {demand_m3h:.1f} m3/h in {target}")
