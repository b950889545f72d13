"""From domain records to answers: adds the words, the places and the moves that are possible now."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from services.api import schemas
from services.core.alert import BY_SENSORS, Alert
from services.core.alert import MOVES as ALERT_MOVES
from services.core.alert_kind import AlertKind
from services.core.asset import Asset
from services.core.finding import Finding
from services.core.geometry import centre
from services.core.lifeline import Lifeline
from services.core.move import allowed_moves
from services.core.order_deadline import deadline_of
from services.core.organisation import Organisation
from services.core.severity import label
from services.core.store import alert_kinds, alert_peaks, network, organisations, sensors, warnings, work_orders
from services.core.text import Text
from services.core.warning import PublicWarning
from services.core.work_order import WorkOrder, aside, onward

PERSON_MOVES = {move: table for move, table in ALERT_MOVES.items() if move not in BY_SENSORS}
"""What a person may do with an alert: all but saying that it is over or back, which the sensors do."""
_AS_IT_IS = schemas.AlertAnswer.model_fields.keys() & Alert.__dataclass_fields__.keys()
"""What an answer takes from an alert without another word."""


@dataclass(frozen=True, slots=True)
class AlertWords:
    """What is known about the things a list of alerts speaks of."""

    kinds: Mapping[tuple[Lifeline, str], AlertKind]
    assets: Mapping[str, Asset]
    places: Mapping[str, tuple[float, float]]
    units: Mapping[str, str]
    warnings: Mapping[UUID, UUID]
    orders: Mapping[UUID, UUID]
    peaks: Mapping[UUID, tuple[float, datetime]]


async def words_for(connection: AsyncConnection, alerts: Sequence[Alert]) -> AlertWords:
    """Load the words for some alerts in a fixed number of queries, however many alerts there are."""
    identifiers = [alert.id for alert in alerts]
    assets = await network.find_assets(connection, list({alert.asset for alert in alerts}))
    named = await sensors.places_and_units(connection, list({s for alert in alerts for s in alert.sensors}))
    return AlertWords(
        kinds=await alert_kinds.load_alert_kinds(connection),
        assets=assets,
        places={sensor: place for sensor, (place, _) in named.items()},
        units={sensor: unit for sensor, (_, unit) in named.items()},
        warnings=await warnings.newest_of_alerts(connection, identifiers),
        orders=await work_orders.newest_of_alerts(connection, identifiers),
        peaks=await alert_peaks.peaks_of(connection, alerts),
    )


def alert_fields(alert: Alert, words: AlertWords) -> dict[str, Any]:
    """The fields that a list and a page of an alert share."""
    kind = words.kinds.get((alert.lifeline, alert.kind))
    asset = words.assets.get(alert.asset)
    position = centre(asset.geometry) if asset is not None else None
    if position is None:
        position = next((words.places[s] for s in alert.sensors if s in words.places), None)
    fields = {name: getattr(alert, name) for name in _AS_IT_IS}
    units = {words.units[sensor] for sensor in alert.sensors if sensor in words.units}
    peak_value, peak_at = words.peaks.get(alert.id, (alert.peak_value, alert.peak_at))
    return fields | {
        "peak_value": peak_value,
        "peak_at": peak_at,
        "sensors": list(alert.sensors),
        "kind_label": kind.label if kind is not None else Text(alert.kind, alert.kind),
        "asset_name": asset.name if asset is not None else Text(alert.asset, alert.asset),
        "position": position,
        "label": label(alert.highest_severity, alert.scheme),
        "unit": units.pop() if len(units) == 1 else None,
        "suppression": None if alert.suppression is None else alert.suppression.as_json(),
        "warning": words.warnings.get(alert.id),
        "work_order": words.orders.get(alert.id),
        "moves": allowed_moves(PERSON_MOVES, alert.state),
    }


def alert_answer(alert: Alert, words: AlertWords) -> schemas.AlertAnswer:
    """An alert in a list or a live event."""
    return schemas.AlertAnswer.model_validate(alert_fields(alert, words))


def trace_answer(trace: Mapping[str, Any] | None, assets: Mapping[str, Asset]) -> schemas.TraceAnswer | None:
    """A trace with the names and shapes of its candidates."""
    if trace is None:
        return None
    candidates = [
        schemas.TraceCandidate(
            asset=candidate["asset"],
            name=_name(assets.get(candidate["asset"]), candidate["asset"]),
            probability=candidate["probability"],
            reason=schemas.TextAnswer(**candidate["reason"]),
            geometry=None if candidate["asset"] not in assets else dict(assets[candidate["asset"]].geometry),
        )
        for candidate in trace["candidates"]
    ]
    return schemas.TraceAnswer(
        candidates=candidates,
        upstream=trace["upstream"],
        isolation=trace["isolation"],
        downstream=trace["downstream"],
        isolation_complete=trace.get("isolation_complete"),
        isolation_alternatives=trace.get("isolation_alternatives", []),
        customers=trace.get("customers"),
        critical=[schemas.TraceAsset(**_traced(asset, assets)) for asset in trace.get("critical", [])],
        loss=trace.get("loss"),
        next_measurement=None
        if trace.get("next_measurement") is None
        else schemas.TraceMeasurement(
            **(trace["next_measurement"] | _traced(trace["next_measurement"]["asset"], assets))
        ),
        gas=None if trace.get("gas") is None else _gas_answer(trace["gas"], assets),
        affected=[
            schemas.TraceAffected.model_validate(each | _traced(each["asset"], assets))
            for each in trace.get("affected", [])
        ],
        across=None if trace.get("across") is None else _across_answer(trace["across"], assets),
    )


def _across_answer(across: Mapping[str, Any], assets: Mapping[str, Asset]) -> schemas.TraceAcross:
    named = {
        part: [each | _traced(each["asset"], assets) for each in across[part]] for part in ("endangered", "causes")
    }
    return schemas.TraceAcross.model_validate({**across, **named})


def _gas_answer(gas: Mapping[str, Any], assets: Mapping[str, Asset]) -> schemas.TraceGas:
    named = {
        part: [each | _traced(each["asset"], assets) for each in gas[part]] for part in ("next_spaces", "buildings")
    }
    return schemas.TraceGas.model_validate({**gas, **named})


def assets_of_trace(trace: Mapping[str, Any] | None) -> list[str]:
    """The assets that a trace tells more about than their identifiers."""
    if trace is None:
        return []
    named = [candidate["asset"] for candidate in trace["candidates"]]
    named += trace.get("critical", [])
    named += [each["asset"] for each in trace.get("affected", [])]
    named += [each["asset"] for part in ("next_spaces", "buildings") for each in (trace.get("gas") or {}).get(part, [])]
    named += [each["asset"] for part in ("endangered", "causes") for each in (trace.get("across") or {}).get(part, [])]
    return named if trace.get("next_measurement") is None else [*named, trace["next_measurement"]["asset"]]


def _traced(identifier: str, assets: Mapping[str, Asset]) -> dict[str, Any]:
    asset = assets.get(identifier)
    return {
        "asset": identifier,
        "kind": None if asset is None else asset.kind,
        "name": _name(asset, identifier),
        "geometry": None if asset is None else dict(asset.geometry),
    }


def _name(asset: Asset | None, identifier: str) -> schemas.TextAnswer:
    name = Text(identifier, identifier) if asset is None else asset.name
    return schemas.TextAnswer(en=name.en, zh=name.zh)


def finding_answer(finding: Finding) -> schemas.FindingAnswer:
    """A finding on an alert's page."""
    fields = {name: getattr(finding, name) for name in schemas.FindingAnswer.model_fields}
    return schemas.FindingAnswer.model_validate(
        fields
        | {
            "sensors": list(finding.sensors),
            "explanation": asdict(finding.explanation),
            "evidence": dict(finding.evidence),
        }
    )


def warning_answer(warning: PublicWarning) -> schemas.WarningAnswer:
    """A warning with its grade in words and what may be done with it."""
    fields = {name: getattr(warning, name) for name in schemas.WarningAnswer.model_fields if hasattr(warning, name)}
    return schemas.WarningAnswer.model_validate(
        fields
        | {
            "label": asdict(label(warning.severity, warning.scheme)),
            "headline": asdict(warning.headline),
            "instruction": asdict(warning.instruction),
            "moves": warnings.possible_moves(warning),
        }
    )


def work_order_answer(order: WorkOrder, known: Mapping[str, Organisation]) -> schemas.WorkOrderAnswer:
    """A work order with its organisation's name and the steps that may be taken now."""
    organisation = known.get(order.organisation or "")
    deadline = deadline_of(order)
    fields = {name: getattr(order, name) for name in schemas.WorkOrderAnswer.model_fields if hasattr(order, name)}
    return schemas.WorkOrderAnswer.model_validate(
        fields
        | {
            "title": asdict(order.title),
            "organisation_name": None if organisation is None else asdict(organisation.name),
            "moves": onward(order.state),
            "side_moves": aside(order.state),
            "workers": list(order.workers),
            "deadline": None
            if deadline is None
            else {"allowed_s": deadline.allowed.total_seconds()}
            | {name: getattr(deadline, name) for name in ("step", "since", "due_at", "warns_at", "is_default")},
        }
    )


async def answer_work_orders(connection: AsyncConnection, orders: Sequence[WorkOrder]) -> list[schemas.WorkOrderAnswer]:
    """Several work orders, their organisations loaded once."""
    known = await organisations.load_organisations(connection)
    return [work_order_answer(order, known) for order in orders]


async def answer_alerts(connection: AsyncConnection, found: Sequence[Alert]) -> list[schemas.AlertAnswer]:
    """Several alerts, their words loaded once."""
    words = await words_for(connection, found)
    return [alert_answer(alert, words) for alert in found]
