"""`lifeline load`: sends readings as fast as wanted, and says whether every one of them arrived once."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from services.core.settings import ConfigurationError, load_settings


def load(
    sensors: Annotated[int, typer.Option(min=1, help="how many sensors send")] = 1000,
    gateways: Annotated[int, typer.Option(min=1, help="behind how many gateways they are")] = 10,
    readings: Annotated[int | None, typer.Option(min=1, help="entries to send, rounded up to messages")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="how long to send")] = None,
    rate: Annotated[float | None, typer.Option(min=0.1, help="entries a second; default: as fast as possible")] = None,
    form: Annotated[
        list[str] | None,
        typer.Option(
            help="json|msgpack - single|array|columns [-gzip|-zstd] [-numbered]; several: the gateways take turns; "
            "default: json-array"
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="entries in a gateway's message")] = 100,
    duplicates: Annotated[float, typer.Option(help="part of the entries that repeat an earlier one, 0 to 1")] = 0.0,
    changed: Annotated[float, typer.Option(help="part that give an earlier moment another value")] = 0.0,
    late: Annotated[float, typer.Option(help="part of the new ones that were measured two hours earlier")] = 0.0,
    garbage: Annotated[float, typer.Option(help="part that cannot become readings, in many ways")] = 0.0,
    seed: Annotated[int, typer.Option(help="the same seed gives the same traffic")] = 1,
    prefix: Annotated[str, typer.Option(help="what the names of sensors and gateways begin with")] = "load",
    buffered: Annotated[
        bool, typer.Option("--buffered", help="gateways keep numbered batches until the service says they are stored")
    ] = False,
    city: Annotated[
        Path | None, typer.Option(help="only write a city folder with these sensors, for `lifeline import`")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="compare with the database afterwards")] = False,
    record: Annotated[Path | None, typer.Option(help="file for what was sent, as JSON")] = None,
) -> None:
    """Send the readings of many made-up sensors over MQTT, and count what became of them."""
    from services.cli.load_run import Amount, run, times  # noqa: PLC0415 - numpy and the broker's client are heavy
    from simulators.load.folder import write_load_city  # noqa: PLC0415
    from simulators.load.form import Form  # noqa: PLC0415
    from simulators.load.plan import LoadPlan, Shares  # noqa: PLC0415

    amount = Amount(math.inf if readings is None else readings, math.inf if seconds is None else seconds, rate)
    try:
        settings = load_settings()
        forms = tuple(Form.parse(text) for text in form or ["json-array-numbered" if buffered else "json-array"])
        start_ms, step_ms = times(datetime.now(UTC), sensors, amount)
        plan = LoadPlan(
            city=settings.city,
            start_ms=start_ms,
            sensors=sensors,
            gateways=gateways,
            batch=batch,
            step_ms=step_ms,
            forms=forms,
            shares=Shares(duplicates, changed, late, garbage),
            seed=seed,
            prefix=prefix,
        )
        if city is not None:
            write_load_city(city, plan)
            typer.echo(f"{sensors} sensors in {city}; `lifeline import {city}` registers them")
            return
        is_exact = run(settings, plan, amount, buffered=buffered, verify=verify, record=record)
    except (ConfigurationError, ValueError, psycopg.OperationalError) as error:
        typer.echo(f"lifeline: {str(error).strip().splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if is_exact else 1)
