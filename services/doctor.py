"""What `lifeline doctor` says: what is reachable, how far the storage goes, which versions, which settings."""

import importlib.metadata
import platform

import aiomqtt
import httpx
import psycopg
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from services.core.broker_address import BrokerAddress
from services.core.settings import ConfigurationError, Settings
from services.core.store import migrations, storage_level

_PACKAGES = ("lifeline", "psycopg", "procrastinate", "fastapi", "gmqtt", "aiomqtt", "scikit-learn")


async def examine(settings: Settings) -> tuple[bool, list[str]]:
    """Whether everything that is configured can be reached, and the lines that say so."""
    checks = [_database(settings), await _broker(settings), await _api(settings)]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    lines = [f"{'ok  ' if good else 'FAIL'} {text}" for good, text in checks]
    return all(good for good, _ in checks), [*lines, f"     Python {platform.python_version()}, {versions}"]


def _database(settings: Settings) -> tuple[bool, str]:
    if settings.database_url is None:
        return True, "database: not configured; `lifeline demo` uses the embedded one"
    url = settings.database_url.get_secret_value()
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute("select current_setting('server_version')").fetchone()
            level = storage_level.detect(connection)
        migrations.require_migrated(url)
    except psycopg.OperationalError as error:
        return False, f"database: not reachable: {str(error).strip().splitlines()[0]}"
    except migrations.DatabaseNotReadyError as error:
        return False, f"database: {error}"
    return True, f"database: PostgreSQL {row[0] if row else '?'}, storage level {level}"


async def _broker(settings: Settings) -> tuple[bool, str]:
    if settings.mqtt_url is None:
        return True, "broker: not configured; `lifeline demo` uses the embedded one"
    try:
        address = BrokerAddress.from_settings(settings)
    except ConfigurationError as error:
        return False, f"broker: {error}"
    host, port = address.host, address.port
    try:
        async with aiomqtt.Client(
            host,
            port,
            username=address.user,
            password=address.password,
            tls_context=address.ssl_context(),
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=5,
        ):
            return True, f"broker: MQTT 5 at {host}:{port}{' over TLS' if address.encrypted else ''}"
    except aiomqtt.MqttError as error:
        return False, f"broker: {host}:{port} not reachable: {error}"


async def _api(settings: Settings) -> tuple[bool, str]:
    address = settings.api_url or f"http://{settings.api_host}:{settings.api_port}"
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{address}/readyz")
    except httpx.HTTPError as error:
        configured = settings.api_url is not None
        return not configured, f"api: {address} not reachable: {type(error).__name__}"
    return answer.is_success, f"api: {address} answers {answer.status_code} {answer.text[:200]}"


def list_settings(settings: Settings) -> str:
    """Every setting: variable, meaning, default, current value; secrets are never shown."""
    lines = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        default = "none" if field.default in {None, PydanticUndefined} else field.default
        shown = "(set, hidden)" if isinstance(value, SecretStr) else value
        lines.append(f"LIFELINE_{name.upper()}\n    {field.description}\n    default {default}, now {shown}")
    return "\n".join(lines)
