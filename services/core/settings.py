"""Every setting of the service, read from the environment and from ``.env``.

Settings are read once at the start of a process and passed on; no module reads the environment by itself.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message is one line that names it."""


class Settings(BaseSettings):
    """Typed settings; the environment variable is the field's name in capitals behind ``LIFELINE_``."""

    model_config = SettingsConfigDict(env_prefix="LIFELINE_", env_file=".env", extra="ignore", frozen=True)

    database_url: Annotated[
        SecretStr | None,
        Field(description="PostgreSQL or TimescaleDB; unset: the embedded database of data_dir"),
    ] = None
    mqtt_url: Annotated[
        SecretStr | None, Field(description="mqtt://[user:password@]host:port; unset: the embedded broker")
    ] = None
    mqtt_ca_file: Annotated[
        Path | None, Field(description="certificates that may have signed the broker's (mqtts); unset: the system's")
    ] = None
    mqtt_certificate_file: Annotated[
        Path | None, Field(description="our certificate for mutual TLS to the broker, PEM")
    ] = None
    mqtt_key_file: Annotated[Path | None, Field(description="the private key of our certificate, PEM")] = None
    data_dir: Annotated[Path, Field(description="where the embedded database, broker and secrets live")] = Path(
        ".lifeline"
    )
    city: Annotated[str, Field(description="name of the city in topics", pattern=r"^[A-Za-z0-9_.\-]+$")] = "demo"
    api_host: Annotated[str, Field(description="address the API binds; loopback unless you say otherwise")] = (
        "127.0.0.1"
    )
    api_port: Annotated[int, Field(description="port of the API and the dashboard", ge=0, le=65535)] = 8000
    mqtt_port: Annotated[int, Field(description="port the embedded broker tries first", ge=0, le=65535)] = 1883
    broker: Annotated[
        str,
        Field(
            description="embedded broker: mosquitto, iotcore, or auto (mosquitto when it is installed)",
            pattern="^(auto|mosquitto|iotcore)$",
        ),
    ] = "auto"
    log_format: Annotated[str, Field(description="console or json", pattern="^(console|json)$")] = "console"
    log_level: Annotated[str, Field(description="debug, info, warning or error")] = "info"

    database_pool_size: Annotated[int, Field(description="connections a process may hold", ge=2, le=200)] = 8
    ingest_instance: Annotated[
        str, Field(description="names the MQTT session; give each ingest process on the same broker its own")
    ] = "ingest-1"
    ingest_batch_readings: Annotated[int, Field(description="readings in one transaction at the most", ge=1)] = 20_000
    ingest_batch_delay: Annotated[timedelta, Field(description="longest wait for a transaction to fill")] = timedelta(
        milliseconds=50
    )
    ingest_in_flight: Annotated[
        int, Field(description="unacknowledged messages the broker may have sent us", ge=1, le=65535)
    ] = 2000
    ingest_shared_subscription: Annotated[
        bool,
        Field(
            description="several ingest processes divide the messages; false for rumqttd (iotcore), whose router "
            "ends when the only member of a shared subscription comes back to its session"
        ),
    ] = True
    ingest_metrics_host: Annotated[
        str, Field(description="address ingest's metrics bind; loopback unless you say otherwise")
    ] = "127.0.0.1"
    ingest_metrics_port: Annotated[int, Field(description="port for ingest's metrics; 0: none", ge=0, le=65535)] = 0
    sparkplug: Annotated[
        bool, Field(description="hear Sparkplug B edge nodes; one ingest process of the city does at a time")
    ] = True
    sparkplug_host_id: Annotated[
        str | None,
        Field(
            description="what edge nodes call this host (their primary host id); unset: lifeline-{city}",
            pattern=r"^[^/+#]{1,128}$",
        ),
    ] = None
    sparkplug_edge_nodes: Annotated[int, Field(description="Sparkplug edge nodes remembered at the most", ge=1)] = 5_000
    sparkplug_metrics_each: Annotated[
        int, Field(description="metrics remembered of one edge node and its devices", ge=1)
    ] = 20_000
    sparkplug_metrics: Annotated[int, Field(description="metrics remembered of all edge nodes", ge=1)] = 500_000
    clock_tolerance: Annotated[
        timedelta, Field(description="how far in the future a reading's time may lie before it is rejected")
    ] = timedelta(minutes=5)
    clock_trusted_ahead: Annotated[
        timedelta, Field(description="a reading's time further in the future than this is marked suspect")
    ] = timedelta(seconds=5)
    late_after: Annotated[timedelta, Field(description="a reading received longer after its time is marked late")] = (
        timedelta(hours=1)
    )
    oldest_reading: Annotated[timedelta, Field(description="a reading older than this is rejected as absurd")] = (
        timedelta(days=3650)
    )
    rejection_retention: Annotated[timedelta, Field(description="how long rejected payloads are kept")] = timedelta(
        days=30
    )
    rejections_kept: Annotated[
        int,
        Field(
            description="kinds of rejected payloads that are kept, each with at most 192 KiB of what arrived; "
            "beyond that those that have not come for longest are forgotten",
            ge=1,
        ),
    ] = 20_000

    storage_chunk_interval: Annotated[
        timedelta, Field(description="stretch of time in one chunk of readings (TimescaleDB)", ge=timedelta(hours=1))
    ] = timedelta(days=1)
    storage_compress_after: Annotated[
        timedelta,
        Field(description="age at which chunks are compressed (TimescaleDB Community); 0: never", ge=timedelta(0)),
    ] = timedelta(days=3)
    storage_refresh_every: Annotated[
        timedelta,
        Field(
            description="how often the minutes, hours and days of readings are written down",
            ge=timedelta(seconds=1),
            le=timedelta(hours=1),
        ),
    ] = timedelta(minutes=1)
    storage_keep_raw: Annotated[
        timedelta | None, Field(description="how long readings are kept; unset: for ever", ge=timedelta(days=3))
    ] = None
    storage_keep_1m: Annotated[
        timedelta | None, Field(description="how long minutes of readings are kept; unset: ever", ge=timedelta(days=3))
    ] = None
    storage_keep_1h: Annotated[
        timedelta | None, Field(description="how long hours of readings are kept; unset: ever", ge=timedelta(days=3))
    ] = None
    storage_keep_1d: Annotated[
        timedelta | None, Field(description="how long days of readings are kept; unset: ever", ge=timedelta(days=3))
    ] = None

    allowed_lateness: Annotated[
        timedelta, Field(description="event time a zone waits for stragglers before it is judged")
    ] = timedelta(seconds=2)
    alert_reopens_within: Annotated[
        timedelta, Field(description="an alert that comes back so soon after its end is the same one", ge=timedelta(0))
    ] = timedelta(minutes=10)
    idle_release: Annotated[
        timedelta, Field(description="wall time after which a quiet zone is judged without waiting longer")
    ] = timedelta(seconds=1)
    alerts_metrics_host: Annotated[
        str, Field(description="address the alert process's metrics bind; loopback unless you say otherwise")
    ] = "127.0.0.1"
    alerts_metrics_port: Annotated[
        int, Field(description="port for the alert process's metrics; 0: none", ge=0, le=65535)
    ] = 0
    water_price: Annotated[
        float | None, Field(description="what a cubic metre of lost water costs; unset: 0.80 EUR", ge=0)
    ] = None
    water_currency: Annotated[
        str, Field(description="currency of water_price, three letters (ISO 4217)", pattern="^[A-Z]{3}$")
    ] = "EUR"
    weather_feed: Annotated[
        SecretStr | None,
        Field(description="Atom or RSS feed of CAP messages, or one message, of the weather service; unset: none"),
    ] = None
    weather_feed_every: Annotated[
        timedelta, Field(description="how often the weather service is asked", ge=timedelta(seconds=1))
    ] = timedelta(minutes=1)
    webhook_timeout: Annotated[timedelta, Field(description="longest wait for a receiver's answer")] = timedelta(
        seconds=10
    )
    webhook_attempts: Annotated[
        int | None, Field(description="tries before a message is given up; unset: as many as fit into its time", ge=1)
    ] = None
    webhook_patience: Annotated[
        timedelta, Field(description="how long it is tried to deliver a message", ge=timedelta(seconds=1))
    ] = timedelta(hours=24)
    webhook_pause_after: Annotated[
        int, Field(description="failures in a row after which a receiver is left alone for a while", ge=1)
    ] = 5
    webhook_pause: Annotated[
        timedelta,
        Field(description="how long at first; twice as long each time, at most 10 minutes", ge=timedelta(seconds=1)),
    ] = timedelta(seconds=30)
    webhook_private_targets: Annotated[
        bool, Field(description="whether receivers on loopback and private addresses are allowed")
    ] = False
    smtp_url: Annotated[
        SecretStr | None,
        Field(
            description="mail server, smtp://[user:password@]host:port (STARTTLS is demanded), smtps:// for TLS from "
            "the start, smtp+plain:// for neither; unset: no e-mail"
        ),
    ] = None
    smtp_ca_file: Annotated[
        Path | None, Field(description="certificates that may have signed the mail server's; unset: the system's")
    ] = None
    mail_from: Annotated[str, Field(description="sender of e-mail", pattern=r"^[^\s@<>,;:\"]+@[A-Za-z0-9.\-]+$")] = (
        "lifeline@localhost"
    )
    report_to: Annotated[
        str, Field(description="who gets the report of the day by e-mail, with commas between; empty: nobody")
    ] = ""
    report_time_zone: Annotated[
        str,
        Field(description="time zone of the city's days and printed pages, e.g. Asia/Shanghai; mailed from 6:00 on"),
    ] = "UTC"
    exercise: Annotated[
        bool, Field(description="nothing here is meant in earnest: every message and CAP say that it is an exercise")
    ] = False
    cap_sender: Annotated[
        str | None,
        Field(
            description="who sends CAP messages, e.g. lifeline@city.example; unset: lifeline.{city}",
            pattern=r"^[^\s,<&]+$",
        ),
    ] = None
    cap_sender_name: Annotated[str | None, Field(description="the sender in words; unset: Lifeline {city}")] = None
    cap_valid_for: Annotated[
        timedelta, Field(description="how long a CAP message counts unless another follows", ge=timedelta(minutes=1))
    ] = timedelta(hours=24)
    cap_public: Annotated[bool, Field(description="whether the feed of CAP messages can be read without a key")] = False

    session_idle: Annotated[
        timedelta, Field(description="a browser's session ends when nothing was asked for so long", gt=timedelta(0))
    ] = timedelta(hours=2)
    session_lasts: Annotated[
        timedelta, Field(description="a browser's session ends after so long in any case", gt=timedelta(0))
    ] = timedelta(hours=13)
    call_rate: Annotated[
        float, Field(description="requests a second that one user, key, or refused address may go on sending", gt=0)
    ] = 300.0
    call_burst: Annotated[
        int, Field(description="requests that each of them may send at once before call_rate counts", ge=1)
    ] = 1000
    oidc_issuer: Annotated[
        str | None, Field(description="address of the OpenID Connect provider that people log in with; unset: none")
    ] = None
    oidc_client_id: Annotated[str, Field(description="what the provider calls this service")] = "lifeline"
    oidc_client_secret: Annotated[
        SecretStr | None, Field(description="our secret at the provider; unset: a public client, PKCE alone")
    ] = None
    oidc_scopes: Annotated[str, Field(description="scopes asked of the provider, with blanks between")] = (
        "openid profile email"
    )
    oidc_role_claim: Annotated[
        str, Field(description="claim of the ID token that names a person's groups; dots lead into objects")
    ] = "groups"
    oidc_roles: Annotated[
        dict[str, list[str]],
        Field(description='which roles a group has, as JSON: {"duty-desk": ["operator", "dispatcher"]}'),
    ] = Field(default_factory=dict)
    oidc_limits: Annotated[
        dict[str, dict[str, list[str]]],
        Field(description='to what a group is confined, as JSON: {"gas-crew": {"lifelines": ["gas"]}}; else the city'),
    ] = Field(default_factory=dict)

    audit_keep: Annotated[
        timedelta,
        Field(
            description="age at which lines of the audit trail may leave for an archive; six months at least",
            ge=timedelta(days=184),
        ),
    ] = timedelta(days=366)
    audit_checkpoint_every: Annotated[
        timedelta, Field(description="how often the API signs where the audit trail ends", ge=timedelta(minutes=1))
    ] = timedelta(hours=1)

    flood_messages: Annotated[
        int,
        Field(description="messages to one receiver in ten minutes, beyond which most are summarised; 0: never", ge=0),
    ] = 10
    api_url: Annotated[str | None, Field(description="public address of the API, used in links")] = None
    api_key: Annotated[SecretStr | None, Field(description="key that command-line clients present")] = None
    test_database_url: Annotated[
        SecretStr | None, Field(description="server for tests; unset: an embedded one is started")
    ] = None
    bench_data: Annotated[Path, Field(description="folder of labelled recordings for benchmarks")] = Path(
        "../shared/data"
    )


def load_settings() -> Settings:
    """Settings from the environment, ``.env`` and the files of ``CREDENTIALS_DIRECTORY``, the earlier before the later.

    The directory is where systemd puts what a unit loads with ``LoadCredential=``: a secret is a file there that is
    named like its variable in small letters, such as ``lifeline_database_url``.

    Raises:
        ConfigurationError: naming the first wrong variable and the reason.
    """
    try:
        # The argument is one of BaseSettings, which mypy does not see behind the fields.
        return Settings(_secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"))  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        hint = "; durations are written like PT0.5S" if "timedelta" in first["type"] or "delta" in first["type"] else ""
        raise ConfigurationError(f"LIFELINE_{name}: {first['msg']}{hint}") from None
