"""The API and the dashboard as one ASGI application."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from services.api import chosen_fields, page_links, preconditions, problems, schemas
from services.api.basic_key import KeyAsPassword
from services.api.call_rates import CallRates
from services.api.centre_metrics import CentreMetrics
from services.api.chosen_fields import ChosenFields, known_fields
from services.api.city_time import zone_named
from services.api.features import routes as features
from services.api.identity_provider import provider_of
from services.api.large_bodies import LargeBodies
from services.api.live import Live
from services.api.measured_requests import MeasuredRequests, request_seconds
from services.api.read_only import ReadOnly
from services.api.refused_keys import RefusedKeys
from services.api.repeated_requests import HEADER, LONGEST_KEY, AnsweredBeforeError, KeptAnswers, on_answered_before
from services.api.request_identity import NamedRequests
from services.api.routes import (
    alarm_figures,
    alerts,
    attachments,
    audit,
    availability,
    bridges,
    cap,
    cases,
    city,
    crew_page,
    current_values,
    deliveries,
    description,
    disposal_rules,
    duty,
    evidence,
    exports,
    forecasts,
    health,
    history,
    incident_report,
    incidents,
    judgements,
    keys,
    lineage,
    liveness,
    order_record,
    provider_login,
    receivers,
    records,
    register,
    rejections,
    reports,
    response_plans,
    sensor_thresholds,
    sensors,
    sessions,
    shift_changes,
    silences,
    storm,
    stream,
    users,
    warnings,
    work_orders,
)
from services.api.sensorthings import routes as sensorthings
from services.core.settings import Settings
from services.core.store import migrations, storage_level
from services.core.store.history_source import kept_sources
from services.core.store.pool import open_pool
from services.core.store.storage_policy import StoragePolicy

PREFIX = "/api/v1"
DASHBOARD = Path(__file__).parent / "dashboard" / "dist"

_DESCRIPTION = """
Watches over a city's lifelines: readings, alerts, warnings, traces and work orders.

Every route but the health routes and the login asks for an API key, `Authorization: Bearer KEY`, or for the session of
a browser, whose changes carry `X-CSRF-Token`. Times are RFC 3339 in UTC, places are WGS 84 with longitude first, errors
are RFC 9457 problem details. A list goes on where `Link` leads; `fields` names what is wanted of each of its things.
Severity runs from 0 (normal) to 4 (worst); a label such as 一级/red depends on its `scheme`, never to be compared.
"""

# The pool waits twice as long after each failed try, up to this; then a request makes it try afresh.
_LONGEST_RECONNECT = timedelta(seconds=4)
_LARGEST_BODY = 65536  # bytes; the longest text of a request takes a quarter of it
# Health is asked every few seconds, a stream lasts for hours, and what a login provider sends along is a secret.
_UNTRACED = frozenset({"/livez", "/readyz", "/metrics", f"{PREFIX}/stream", f"{PREFIX}/login/provider/answer"})


def _is_untraced(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"] in _UNTRACED


class LifelineApi(FastAPI):
    """The application, which describes its errors as what they are: problem details."""

    def build_middleware_stack(self) -> ASGIApp:
        """Everything around the routes, the framework's own limit of bodies among it."""
        return LargeBodies(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI description, the same one on every call."""
        if self.openapi_schema is None:
            described = super().openapi()
            models = described["components"]["schemas"]
            for address, path in described["paths"].items():
                for method, operation in path.items():
                    _describe_headers(method, address, operation)
                    if "422" in operation["responses"]:
                        operation["responses"]["422"] = problems.documented(422)[422]
                    if _answers_page(operation):
                        chosen_fields.describe(operation, models)
            for replaced in ("HTTPValidationError", "ValidationError"):
                models.pop(replaced, None)
            problem = schemas.ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
            models |= problem.pop("$defs") | {"Problem": problem}
        return super().openapi()


def _describe_headers(method: str, path: str, operation: dict[str, Any]) -> None:
    """What every route of a kind understands, without being written so itself."""
    headers = {}
    if _answers_page(operation):
        operation["responses"]["200"]["headers"] = {page_links.HEADER: page_links.DESCRIBED}
    if "requestBody" in operation:
        operation["responses"] |= {str(status): told for status, told in problems.documented(413).items()}
    if "security" not in operation:
        return
    if method == "post":
        for status, told in problems.documented(409, 422).items():
            operation["responses"].setdefault(str(status), told)
        headers[HEADER] = "A name of your own for this request: sent again, it is answered again and not done again"
    if method != "get" and preconditions.versioned(path) is not None:
        headers["If-Match"] = "The `ETag` of what you have seen: refused with 412 where it has changed since"
        operation["responses"] |= {str(status): told for status, told in problems.documented(412).items()}
    for name, meaning in headers.items():
        schema = {"type": "string", "maxLength": preconditions.LONGEST_TAGS if name == "If-Match" else LONGEST_KEY}
        told = {"name": name, "in": "header", "required": False, "schema": schema, "description": meaning}
        operation.setdefault("parameters", []).append(told)


def _answers_page(operation: dict[str, Any]) -> bool:
    answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    return str(answer.get("schema", {}).get("$ref", "")).startswith("#/components/schemas/Page_")


def create_app(settings: Settings) -> LifelineApi:
    """The application; it opens its connections when it starts and closes them when it stops.

    Raises:
        ValueError: no database is set.
    """
    if settings.database_url is None:
        raise ValueError("LIFELINE_DATABASE_URL is not set")
    database_url = settings.database_url.get_secret_value()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_pool(database_url, settings.database_pool_size, _LONGEST_RECONNECT) as pool:
            app.state.pool = pool
            app.state.live = Live(pool, database_url)
            app.state.storage_level = await asyncio.to_thread(_storage_level, database_url)
            following = asyncio.create_task(app.state.live.run())
            yield
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    app = LifelineApi(
        title="Lifeline",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        max_body_size=_LARGEST_BODY,
        telemetry={"metrics": False, "logs": False, "auto_configure": False, "exclude": _is_untraced},
    )
    app.state.schema = migrations.head()
    app.state.metrics = CollectorRegistry()
    app.state.centre_metrics = CentreMetrics(app.state.metrics, time.monotonic)
    app.state.database_url, app.state.exercise = database_url, settings.exercise
    app.state.city_zone = zone_named(settings.report_time_zone)
    app.state.refused_keys = RefusedKeys(time.monotonic)
    app.state.call_rates = CallRates(settings.call_rate, settings.call_burst, time.monotonic)
    app.state.exports, app.state.register_imports = asyncio.Semaphore(exports.AT_ONCE), asyncio.Semaphore(1)
    app.state.provider = provider_of(settings)
    app.state.session_idle, app.state.session_lasts = settings.session_idle, settings.session_lasts
    app.state.allowed_lateness = settings.allowed_lateness
    app.state.city, app.state.api_url, app.state.cap_public = settings.city, settings.api_url, settings.cap_public
    app.state.kept = kept_sources(StoragePolicy.of_settings(settings))
    app.add_middleware(MeasuredRequests, seconds=request_seconds(app.state.metrics))
    app.add_middleware(KeptAnswers)
    app.add_exception_handler(AnsweredBeforeError, on_answered_before)
    standards = (sensorthings.PREFIX, features.PREFIX)
    app.add_middleware(KeyAsPassword, paths=standards)
    app.add_middleware(ReadOnly, paths=standards)
    app.add_middleware(ChosenFields)
    app.add_middleware(page_links.PageLinks)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(NamedRequests)
    problems.install(app)
    _include_routes(app)
    if DASHBOARD.is_dir():
        app.mount("/", StaticFiles(directory=DASHBOARD, html=True), name="dashboard")
    return app


def _include_routes(app: FastAPI) -> None:
    refused = problems.documented(401, 403, 429, 503)
    app.include_router(health.router)
    telling = (receivers, deliveries, cap)
    judged = (cases, judgements, alarm_figures)
    loop = (alerts, *judged, crew_page, silences, warnings, duty, shift_changes, storm, reports)
    # What has a name of its own comes before the route that takes any step.
    disposal = (order_record, attachments, work_orders, disposal_rules, incidents, incident_report, response_plans)
    readings = (
        sensors,
        sensor_thresholds,
        current_values,
        history,
        forecasts,
        availability,
        liveness,
        bridges,
        exports,
    )
    who_may = (sessions, provider_login, users, keys)
    for part in (
        description,
        *who_may,
        city,
        *readings,
        *telling,
        *loop,
        *disposal,
        records,
        register,
        audit,
        evidence,
        lineage,
        rejections,
        stream,
    ):
        app.include_router(part.router, prefix=PREFIX, responses=refused, dependencies=[Depends(known_fields)])
    app.include_router(reports.alertmanager, prefix="/api/v2", responses=refused)
    for standard in (sensorthings, features):
        app.include_router(standard.router, responses=refused)


def _storage_level(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        return storage_level.detect(connection).value
