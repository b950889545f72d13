"""`lifeline remote`: the service as seen through its API, for people who have a key and no database."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel

from services.cli.terminal import printable, table, utc
from services.client import Choice, Client, ClientError, Event, calls
from services.client.answers import (
    AlertAnswer,
    AlertDetailAnswer,
    LatestAnswer,
    SensorAnswer,
    TextAnswer,
    WarningAnswer,
    WorkOrderAnswer,
)
from services.client.call import Page
from services.core.settings import ConfigurationError, load_settings

ItemT = TypeVar("ItemT", bound=BaseModel)


class Language(StrEnum):
    """In which language texts are shown."""

    EN = "en"
    ZH = "zh"


remote = typer.Typer(help="The service through its API: address and key instead of a database.", no_args_is_help=True)

_Url = Annotated[str | None, typer.Option(help="address of the service; default: LIFELINE_API_URL")]
_Key = Annotated[
    str | None, typer.Option(help="API key; default: LIFELINE_API_KEY, which other users of the machine do not see")
]
_AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
_Language = Annotated[Language, typer.Option(help="language of texts")]
_Lifeline = Annotated[str | None, typer.Option(help="only this lifeline, such as gas")]
_Zone = Annotated[str | None, typer.Option(help="only this zone")]
_Open = Annotated[bool, typer.Option("--open", help="only what is not over")]
_Limit = Annotated[int, typer.Option(min=1, help="the first so many")]
_Severity = Annotated[int, typer.Option(min=0, max=4, help="from this severity: 0 normal … 4 worst")]


@contextmanager
def _service(url: str | None, key: str | None) -> Iterator[Client]:
    """A client; whatever goes wrong is told in one line."""
    try:
        settings = load_settings()
        kept = None if settings.api_key is None else settings.api_key.get_secret_value()
        address = url or settings.api_url or f"http://{settings.api_host}:{settings.api_port}"
        with Client(address, key or kept) as service:
            yield service
    except (ConfigurationError, ClientError) as error:
        typer.echo(f"lifeline: {printable(' '.join(str(error).split()))}", err=True)
        raise typer.Exit(1) from None


def _show(
    found: Iterable[ItemT], head: tuple[str, ...], row: Callable[[ItemT], tuple[str, ...]], *, as_json: bool
) -> None:
    if as_json:
        typer.echo(json.dumps([item.model_dump(mode="json") for item in found], ensure_ascii=False, indent=2))
        return
    rows = [tuple(printable(cell) for cell in row(item)) for item in found]
    typer.echo(table(head, rows) if rows else "nothing found")


def _text(text: TextAnswer, language: Language) -> str:
    return text.zh if language is Language.ZH else text.en


@remote.command()
def alerts(
    is_open: _Open = False,
    lifeline: _Lifeline = None,
    zone: _Zone = None,
    severity: _Severity = 0,
    limit: _Limit = 50,
    language: _Language = Language.EN,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Alerts, the newest first."""

    def row(alert: AlertAnswer) -> tuple[str, ...]:
        kind = _text(alert.kind_label, language)
        return str(alert.id), utc(alert.detected_at), str(alert.severity), alert.state, alert.zone, alert.asset, kind

    with _service(url, key) as service:
        listing = calls.alerts(
            open=is_open or None, lifeline=lifeline, zone=zone, severity=severity, limit=min(limit, 500)
        )
        head = ("ID", "DETECTED", "SEVERITY", "STATE", "ZONE", "ASSET", "KIND")
        _show(islice(service.all(listing), limit), head, row, as_json=as_json)


@remote.command()
def alert(
    identifier: Annotated[str, typer.Argument(help="as `alerts` shows it")],
    language: _Language = Language.EN,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """What, where, how sure, why, and what can be done."""
    with _service(url, key) as service:
        _show_alert(service.ask(calls.alert(identifier)), language, as_json=as_json)


@remote.command()
def acknowledge(
    identifier: Annotated[str, typer.Argument(help="as `alerts` shows it")],
    note: Annotated[str | None, typer.Option(help="goes into the alert's timeline")] = None,
    version: Annotated[int | None, typer.Option(help="refuse if the alert has changed since this version")] = None,
    language: _Language = Language.EN,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Take note of an alert, so that nobody else is called for it."""
    with _service(url, key) as service:
        changed = service.ask(calls.acknowledge(identifier, note=note, version=version))
        _show_alert(changed, language, as_json=as_json)


def _show_alert(found: AlertDetailAnswer, language: Language, *, as_json: bool) -> None:
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    suspects = [] if found.trace is None else [candidate.asset for candidate in found.trace.candidates[:5]]
    fields = {
        "alert": f"{found.id}, version {found.version}",
        "kind": f"{_text(found.kind_label, language)}, {_text(found.label, language)} ({found.severity})",
        "state": found.state + ("" if found.acknowledged_by is None else f", acknowledged by {found.acknowledged_by}"),
        "where": f"{_text(found.asset_name, language)} ({found.asset}) in {found.zone}",
        "when": f"began {utc(found.started_at)}, detected {utc(found.detected_at)}",
        "why": _text(found.explanation, language),
        "suspected": ", ".join(suspects),
        "warning": "" if found.warning is None else str(found.warning),
        "work order": "" if found.work_order is None else str(found.work_order),
        "possible": ", ".join(found.moves),
    }
    typer.echo("\n".join(f"{name}: {printable(text)}" for name, text in fields.items() if text))


@remote.command()
def orders(
    is_open: _Open = False,
    limit: _Limit = 50,
    language: _Language = Language.EN,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Work orders, the newest first."""

    def row(order: WorkOrderAnswer) -> tuple[str, ...]:
        due = "-" if order.deadline is None or order.deadline.due_at is None else utc(order.deadline.due_at)
        crew = order.organisation or "-"
        return str(order.id), utc(order.created_at), order.state, due, crew, order.asset, _text(order.title, language)

    with _service(url, key) as service:
        listing = calls.work_orders(open=is_open or None, limit=min(limit, 500))
        head = ("ID", "CREATED", "STATE", "DUE", "ORGANISATION", "ASSET", "TITLE")
        _show(islice(service.all(listing), limit), head, row, as_json=as_json)


@remote.command()
def sensors(
    lifeline: _Lifeline = None,
    zone: _Zone = None,
    limit: _Limit = 50,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Sensors with their newest values."""
    with _service(url, key) as service:
        newest = {value.sensor: value for value in service.all(calls.latest(lifeline=lifeline, zone=zone))}

        def row(sensor: SensorAnswer) -> tuple[str, ...]:
            value: LatestAnswer | None = newest.get(sensor.id)
            measured = ("-", "-") if value is None else (f"{value.value:g} {sensor.unit}", utc(value.time))
            return sensor.id, sensor.zone, sensor.asset, sensor.quantity, *measured

        listing = calls.sensors(lifeline=lifeline, zone=zone, limit=min(limit, 500))
        head = ("ID", "ZONE", "ASSET", "QUANTITY", "VALUE", "MEASURED")
        _show(islice(service.all(listing), limit), head, row, as_json=as_json)


@remote.command()
def history(
    sensor: Annotated[str, typer.Argument(help="as `sensors` shows it")],
    since: Annotated[datetime | None, typer.Option(help="from this moment, UTC; default: a day ago")] = None,
    until: Annotated[datetime | None, typer.Option(help="up to this moment, UTC; default: now")] = None,
    points: Annotated[int, typer.Option(min=2, max=5_000, help="summed up to about so many")] = 48,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """What a sensor measured."""
    end = datetime.now(UTC) if until is None else until.replace(tzinfo=until.tzinfo or UTC)
    start = end - timedelta(days=1) if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    with _service(url, key) as service:
        found = service.ask(calls.history(sensor, start=start, end=end, points=points))
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
        return
    rows = [
        (utc(point.time), *(_number(value) for value in (point.minimum, point.mean, point.maximum)), str(point.count))
        for point in found.points
    ]
    head = ("FROM", f"MINIMUM {found.unit}", "MEAN", "MAXIMUM", "READINGS")
    typer.echo(table(head, rows) if rows else "nothing measured")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


@remote.command()
def tail(
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="alert, warning, work-order or latest; may be given several times"),
    ] = None,
    lifeline: _Lifeline = None,
    zone: _Zone = None,
    severity: _Severity = 0,
    after: Annotated[
        str | None, typer.Option(help="position of the last event known; what came since is shown")
    ] = None,
    language: _Language = Language.EN,
    as_json: _AsJson = False,
    url: _Url = None,
    key: _Key = None,
) -> None:
    """Live events until Ctrl-C, one a line; without `--type` new values are left out."""
    choice = Choice(type_ or ("alert", "warning", "work-order"), lifeline, zone, severity)
    # Ctrl-C is how it is meant to end, and nothing to complain about.
    with suppress(KeyboardInterrupt), _service(url, key) as service:
        for event in service.events(choice, after=after):
            for line in _lines(event, language, as_json=as_json):
                typer.echo(line)
            sys.stdout.flush()


def _lines(event: Event, language: Language, *, as_json: bool) -> Iterator[str]:
    content = event.content
    if as_json:
        told = {"type": event.type, "position": event.position, "content": content.model_dump(mode="json")}
        yield json.dumps(told, ensure_ascii=False)
        return
    if isinstance(content, Page):
        for value in content.items:
            yield printable(f"{event.type}  {value.sensor}  {value.value:g}  {utc(value.time)}")
        return
    yield printable(
        f"{event.type}  {content.id}  {content.state}  {content.zone}  {content.asset}  {_headline(content, language)}"
    )


def _headline(content: AlertAnswer | WarningAnswer | WorkOrderAnswer, language: Language) -> str:
    if isinstance(content, WarningAnswer):
        return _text(content.headline, language)
    return _text(content.kind_label if isinstance(content, AlertAnswer) else content.title, language)
