"""The API as a running server, callers with keys, and records for it to show."""

import asyncio
import contextlib
import json
import ssl
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from psycopg import AsyncConnection, sql
from pydantic import SecretStr

from services.api.service import run
from services.core.alert import Alert, AlertState
from services.core.lifeline import Lifeline
from services.core.permission import Permission
from services.core.settings import Settings
from services.core.severity import Scheme, Severity
from services.core.store import api_keys
from services.core.text import Text
from services.demo.ports import free_port

KEYS: Mapping[str, tuple[Permission, ...]] = {
    **{permission.value: (permission,) for permission in Permission},
    "everything": tuple(Permission),
    "another": tuple(Permission),
}
"""Whose key carries what; ``key_of`` gives the key."""
MOMENT = datetime(2026, 7, 14, 6, 0, tzinfo=UTC)
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Loading certificates anew takes longer than a request.
KIND = "leak-suspected"


def key_of(name: str) -> str:
    return f"lk_{name}_0123456789"


@contextlib.contextmanager
def copied_database(server_url: str, template: str) -> Iterator[str]:
    """A database of its own with the contents of another one."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        copy = sql.SQL("create database {} template {} strategy file_copy")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def save_keys(database_url: str) -> None:
    async with connected(database_url) as connection:
        for name, permissions in KEYS.items():
            await api_keys.save_key(connection, name, key_of(name), name, permissions)


@contextlib.asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection whose transaction is committed at the end of the block."""
    async with await AsyncConnection.connect(database_url) as connection:
        yield connection


@contextlib.contextmanager
def serving(database_url: str, **more: Any) -> Iterator[str]:
    """The service as it runs in production, in a thread, with ``more`` settings; gives its address."""
    port = free_port(0)
    settings = Settings(database_url=SecretStr(database_url), api_port=port, **more)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run(settings, stop))
        except BaseException as error:  # noqa: BLE001 - shown by the test that waits for the server
            failed.append(error)

    thread = threading.Thread(target=serve, name="api")
    thread.start()
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, thread, failed)
        yield address
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join(10)
    assert not failed, failed


def _wait_for(address: str, thread: threading.Thread, failed: list[BaseException]) -> None:
    until = time.monotonic() + 20
    while True:
        assert thread.is_alive(), failed
        assert time.monotonic() < until, "the API did not start"
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address}/livez", verify=_NO_TLS)
            return
        time.sleep(0.02)


def client(address: str, who: str | None = "everything") -> httpx.AsyncClient:
    """A caller with one of the keys, or with none, below the API's prefix."""
    headers = {} if who is None else {"Authorization": f"Bearer {key_of(who)}"}
    return httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=20, verify=_NO_TLS)


def problem_of(response: httpx.Response, status: int, type_: str) -> dict[str, Any]:
    """The problem that a response carries; it is of this status and type."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert (problem["status"], problem["type"]) == (status, type_)
    assert problem["title"]
    return problem


def alert_at(asset: str, **changes: Any) -> Alert:
    """An open water alert at an asset."""
    fields: dict[str, Any] = {
        "id": uuid.uuid4(),
        "state": AlertState.OPEN,
        "lifeline": Lifeline.WATER,
        "kind": KIND,
        "zone": "W1",
        "asset": asset,
        "sensors": ("W2-T-001",),
        "severity": Severity.MAJOR,
        "highest_severity": Severity.MAJOR,
        "scheme": Scheme.EMERGENCY,
        "sensor_fault": False,
        "started_at": MOMENT,
        "detected_at": MOMENT,
        "last_at": MOMENT,
        "cleared_at": None,
        "finding_count": 1,
        "open_rules": {"residual": 3},
        "peak_value": 4.5,
        "peak_at": MOMENT,
        "threshold": 3.0,
        "rule": "residual",
        "detector": "residual",
        "detector_version": "1",
        "explanation": Text("Pressure fell", "压力下降"),
        "trace": None,
        "acknowledged_by": None,
        "acknowledged_at": None,
        "verdict": None,
        "verdict_reason": None,
        "created_at": MOMENT,
        "version": 1,
    }
    return Alert(**(fields | changes))


def cleared(alert: Alert, after: timedelta = timedelta(minutes=5)) -> dict[str, Any]:
    """The changes that the sensors make when they are normal again."""
    at = alert.last_at + after
    return {"state": AlertState.CLEARED, "severity": Severity.NORMAL, "cleared_at": at, "open_rules": {}}


@dataclass
class Sent:
    """One server-sent event."""

    type: str
    id: str | None
    content: Any


async def sent_events(response: httpx.Response) -> AsyncIterator[Sent]:
    """The events of an open stream, as they arrive; comments are left out."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield Sent(fields["event"], fields.get("id"), json.loads(fields["data"]))
        fields = {}
