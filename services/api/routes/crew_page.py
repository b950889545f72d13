"""The sheet that a crew takes along: everything about one alert, printable."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from psycopg import AsyncConnection

from services.api import problems
from services.api.city_time import CityZone
from services.api.crew_page import CrewFacts, Language, crew_page
from services.api.security import Connection, Reader
from services.core.alert import Alert
from services.core.asset import Asset
from services.core.geometry import METRES_PER_DEGREE, points_of
from services.core.store import alert_kinds, alerts, crew_facts, network, organisations

router = APIRouter(tags=["alerts"])

_MARGIN_M = 60.0
_MOST_AROUND = 600
"""More assets than this around a place are a city, not a sketch: then only those that the trace names are drawn."""


@router.get(
    "/alerts/{alert}/crew-page",
    summary="One printable page for the crew",
    response_class=HTMLResponse,
    responses=problems.documented(404),
)
async def get_crew_page(
    alert: UUID,
    connection: Connection,
    _: Reader,
    zone: CityZone,
    lang: Annotated[Language, Query(description="the language of the page")] = "zh",
) -> HTMLResponse:
    """Suspected segments with a sketch, valves to shut, next spaces to sample, people near, whom to call."""
    known = await alerts.find(connection, alert)
    if known is None:
        raise problems.not_found("alert", alert)
    page = crew_page(await _facts(connection, known, datetime.now(zone)), lang)
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


async def _facts(connection: AsyncConnection, alert: Alert, now: datetime) -> CrewFacts:
    named = await network.find_assets(connection, [alert.asset, *_named(alert.trace or {})])
    assets = {**await _around(connection, alert, named), **named}
    kinds = await alert_kinds.load_alert_kinds(connection)
    owner = await organisations.responsible_organisation(connection, alert.asset, alert.lifeline)
    known = await organisations.load_organisations(connection)
    places = sorted(asset for asset in assets if asset in named or assets[asset].kind == "underground-space")
    return CrewFacts(
        alert=alert,
        kind=kinds.get((alert.lifeline, alert.kind)),
        assets=assets,
        values=await crew_facts.last_values(connection, places),
        organisation=None if owner is None else known.get(owner),
        people=[] if owner is None else await crew_facts.people_of(connection, owner),
        now=now,
    )


def _named(trace: Mapping[str, Any]) -> Iterable[str]:
    """The assets that the page names."""
    yield from (each["asset"] for each in trace.get("candidates") or ())
    yield from trace.get("isolation") or ()
    yield from trace.get("critical") or ()
    yield from (trace.get("downstream") or ())[:12]
    if trace.get("next_measurement"):
        yield trace["next_measurement"]["asset"]
    yield from (each["asset"] for each in (trace.get("across") or {}).get("causes") or ())
    gas = trace.get("gas") or {}
    yield from (each["asset"] for each in gas.get("next_spaces") or ())
    yield from (each["asset"] for each in gas.get("buildings") or ())


async def _around(connection: AsyncConnection, alert: Alert, named: Mapping[str, Asset]) -> dict[str, Asset]:
    """The assets of the lifeline around the likeliest place."""
    candidates = [each["asset"] for each in (alert.trace or {}).get("candidates") or ()]
    shown = [named[name] for name in (alert.asset, *candidates[:3]) if name in named]
    points = [point for asset in shown for point in points_of(asset.geometry)]
    if not points:
        return {}
    (west, east), (south, north) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    margin_y = _MARGIN_M / METRES_PER_DEGREE
    margin_x = margin_y / max(0.01, math.cos(math.radians(south)))
    box = (west - margin_x, south - margin_y, east + margin_x, north + margin_y)
    found = await network.load_assets(connection, lifeline=alert.lifeline, box=box)
    return {asset.id: asset for asset in found} if len(found) <= _MOST_AROUND else {}
