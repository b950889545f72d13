"""The `lifeline` command. Every subcommand is a thin wrapper: the work is in the rooms."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from services.cli import import_preview
from services.cli.audit import audit
from services.cli.backtest import backtest
from services.cli.devices import devices
from services.cli.evidence import evidence
from services.cli.keys import keys
from services.cli.load import load
from services.cli.models import models
from services.cli.network import network
from services.cli.rejections import rejections
from services.cli.remote import remote
from services.cli.report import report
from services.cli.storage import storage
from services.cli.users import users
from services.core.broker_address import BrokerAddress
from services.core.checked_rows import CityFolderError
from services.core.city_folder import read_city_folder
from services.core.process import run_service
from services.core.recording import RecordingError, read_recording
from services.core.settings import ConfigurationError, Settings, load_settings
from services.core.store.register_preview import preview_city

app = typer.Typer(
    help="Watch over a city's lifelines: gas, water, drainage, bridges.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(devices, name="devices")
app.add_typer(rejections, name="rejections")
app.add_typer(keys, name="keys")
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")
app.add_typer(evidence, name="evidence")
app.add_typer(storage, name="storage")
app.add_typer(models, name="models")
app.add_typer(remote, name="remote")
app.command()(load)
app.command()(backtest)
app.command()(network)
app.command()(report)


def _fail(message: str) -> typer.Exit:
    typer.echo(f"lifeline: {message}", err=True)
    return typer.Exit(1)


def _settings() -> Settings:
    try:
        return load_settings()
    except ConfigurationError as error:
        raise _fail(str(error)) from None


def _draw_city(folder: Path, seed: int) -> None:
    """Write the demo city unless the folder already holds one."""
    if not (folder / "city.toml").exists():
        from simulators.demo_city.folder import write_city  # noqa: PLC0415 - drawing the city is heavy to load

        write_city(folder, seed)


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise _fail("LIFELINE_DATABASE_URL is not set; `lifeline demo` brings a database of its own")
    return settings.database_url.get_secret_value()


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema and catalogue."""
    from services.core.store.migrations import DatabaseNotReadyError  # noqa: PLC0415
    from services.demo.preparation import migrate_with_catalogue  # noqa: PLC0415 - loads every detector

    try:
        steps = migrate_with_catalogue(_database_url(_settings()))
    except DatabaseNotReadyError as error:
        raise _fail(str(error)) from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None
    typer.echo("\n".join(steps) if steps else "nothing to do")


@app.command()
def ingest() -> None:
    """Store what arrives over MQTT."""
    from services.ingest.service import run  # noqa: PLC0415 - each process loads only its own room

    run_service("ingest", run)


@app.command()
def alerts() -> None:
    """Judge readings, raise alerts, publish warnings, deliver notifications."""
    from services.alerts.service import run  # noqa: PLC0415 - each process loads only its own room

    run_service("alerts", run)


@app.command()
def api() -> None:
    """Serve the API and the dashboard."""
    from services.api.service import run  # noqa: PLC0415 - each process loads only its own room

    run_service("api", run)


@app.command(name="import")
def import_(
    folder: Annotated[Path, typer.Argument(help="a city folder (city.toml) or a recording (recording.toml)")],
    preview: Annotated[
        bool, typer.Option("--preview", help="say what a city folder would change, and change nothing")
    ] = False,
) -> None:
    """Load a city's register, or a recording with what it needs to be registered, into the database."""
    from services.demo import preparation  # noqa: PLC0415 - loads every detector

    database_url = _database_url(_settings())
    try:
        if preview:
            if not (folder / "city.toml").exists():
                raise _fail(f"{folder} holds no city.toml; only a city folder has a preview")
            with psycopg.connect(database_url) as connection:
                for line in import_preview.told(preview_city(connection, read_city_folder(folder))):
                    typer.echo(line)
        elif (folder / "city.toml").exists():
            count = preparation.import_city(database_url, read_city_folder(folder))
            typer.echo(
                f"{count.organisations} organisations, {count.zones} zones, {count.assets} assets, "
                f"{count.links} links, {count.sensors} sensors"
            )
        elif (folder / "recording.toml").exists():
            recording = read_recording(folder)
            history = asyncio.run(preparation.import_history(database_url, recording, _progress))
            added, result = history.registered, history.readings
            if added.sensors:
                typer.echo(f"{added.zones} zones, {added.assets} assets, {added.sensors} sensors registered")
            typer.echo(f"{result.stored} readings stored, {result.duplicates} were there already", err=False)
        else:
            raise _fail(f"{folder} holds neither city.toml nor recording.toml")
    except (CityFolderError, RecordingError) as error:
        raise _fail(f"{folder}: {error}") from None
    except psycopg.OperationalError as error:
        raise _fail(f"the database cannot be reached: {str(error).strip().splitlines()[0]}") from None


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{done} of {total} readings", nl=done == total, err=True)


@app.command()
def simulate(
    city: Annotated[Path, typer.Option(help="city folder; made from the seed when it does not exist")],
    scenario: Annotated[str, typer.Option(help="name of a scenario, or a TOML file")] = "normal-day",
    start: Annotated[datetime | None, typer.Option(help="story time of the first reading, UTC; default: now")] = None,
    speed: Annotated[float, typer.Option(min=0.01, help="seconds of story in a second, until it catches up")] = 1.0,
    seed: Annotated[int, typer.Option(help="the same seed gives the same city and the same day")] = 1,
    state: Annotated[Path | None, typer.Option(help="file that remembers how far the story went")] = None,
    truth: Annotated[Path | None, typer.Option(help="file for what really happened")] = None,
    minutes: Annotated[float | None, typer.Option(help="story minutes to play; default: for ever")] = None,
    record: Annotated[
        Path | None, typer.Option(help="folder for a recording of the whole scenario; publishes nothing")
    ] = None,
    history_days: Annotated[float, typer.Option(min=0, help="with --record: normal days before the scenario")] = 14.0,
    step_s: Annotated[int, typer.Option(min=1, help="with --record: seconds between two readings")] = 300,
    lifeline: Annotated[
        list[str] | None, typer.Option(help="lifelines; default: all, with --record those of the scenario")
    ] = None,
) -> None:
    """Publish a simulated city over MQTT, or write a scenario as a recording."""
    if record is not None:
        from simulators.recording import record_scenario  # noqa: PLC0415 - physics are heavy to load

        first = start or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        _draw_city(city, seed)
        history, step = timedelta(days=history_days), timedelta(seconds=step_s)
        chosen = tuple(lifeline or ())
        try:
            count = record_scenario(
                record,
                city,
                scenario,
                first.replace(tzinfo=first.tzinfo or UTC),
                history,
                step=step,
                seed=seed,
                lifelines=chosen,
            )
        except ValueError as error:
            raise _fail(str(error)) from None
        typer.echo(f"{count} readings in {record}")
        return
    from simulators.publisher import simulate as publish  # noqa: PLC0415

    settings = _settings()
    if settings.mqtt_url is None:
        raise _fail("LIFELINE_MQTT_URL is not set; `lifeline demo` brings a broker of its own")
    begin = datetime.now(UTC) if start is None else start.replace(tzinfo=start.tzinfo or UTC)
    _draw_city(city, seed)
    try:
        broker = BrokerAddress.from_settings(settings)
        publish(
            city_folder=city,
            scenario=scenario,
            start=begin,
            speed=speed,
            mqtt_host=broker.host,
            mqtt_port=broker.port,
            username=broker.user,
            password=broker.password,
            tls=broker.ssl_context(),
            state_file=state,
            truth_file=truth,
            seed=seed,
            until=None if minutes is None else begin + timedelta(minutes=minutes),
            lifelines=tuple(lifeline) if lifeline else None,
        )
    except (ValueError, ConfigurationError) as error:
        raise _fail(str(error)) from None


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="play the story, check it, and leave")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON summary instead of the story")] = False,
    speed: Annotated[
        float | None,
        typer.Option(min=1.0, max=3600.0, help="story minutes in a minute; default: 60, or 1440 where days are played"),
    ] = None,
    scenario: Annotated[
        str, typer.Option(help="story, gas-under-pavement or settlement-over-cold-front, each with data of its own")
    ] = "story",
) -> None:
    """Start everything on this machine and play the story: leaks, a flood, an overload, failing sensors."""
    from services.demo.demo import play  # noqa: PLC0415 - loads the embedded database and broker
    from services.demo.directory import DemoError  # noqa: PLC0415

    try:
        code = asyncio.run(play(_settings(), once=once, as_json=as_json, speed=speed, scenario=scenario))
    except DemoError as error:
        raise _fail(str(error)) from None
    raise typer.Exit(code)


@app.command()
def doctor(
    settings: Annotated[bool, typer.Option("--settings", help="list every setting with its meaning")] = False,
) -> None:
    """Say what is reachable, which storage level there is, and which versions run."""
    from services.doctor import examine, list_settings  # noqa: PLC0415 - loads broker and database clients

    current = _settings()
    if settings:
        typer.echo(list_settings(current))
        return
    healthy, lines = asyncio.run(examine(current))
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if healthy else 1)
