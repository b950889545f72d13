"""A warning as a message of the Common Alerting Protocol. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.alert import Alert, Verdict
from services.core.asset import Asset
from services.core.cap_alert import (
    CapAlert,
    CapArea,
    CapReference,
    CapStatus,
    certainty_of,
    named,
    urgency_of,
)
from services.core.geometry import centre, points_of
from services.core.lifeline import LABELS
from services.core.severity import label
from services.core.store.cap_messages import StoredCapMessage
from services.core.store.network import Zone
from services.core.text import Text
from services.core.warning import PublicWarning
from services.core.weather_warning import MessageType

_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of the earth's mean radius, 6,371 km."""
_AROUND_KM = 0.05
"""How far beyond its asset a warning reaches: about the width of a street with its buildings. A default."""
_MOST_CORNERS = 200


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes, how it is meant, and how long a message counts."""

    sender: str
    name: Text
    status: CapStatus
    valid_for: timedelta


@dataclass(frozen=True, slots=True)
class Place:
    """What the register knows of where a warning is about; a gateway is neither asset nor place."""

    asset: Asset | None
    zone: Zone | None


def message_type_of(warning: PublicWarning, earlier: Sequence[StoredCapMessage]) -> MessageType | None:
    """What kind of message is due: none where nothing was ever said in public, or all has been taken back."""
    if warning.published_at is None or any(message.message_type == MessageType.CANCEL for message in earlier):
        return None
    if warning.lifted_at is not None:
        return MessageType.CANCEL if earlier else None
    return MessageType.UPDATE if earlier else MessageType.ALERT


def publication(
    warning: PublicWarning,
    alert: Alert,
    place: Place,
    publisher: Publisher,
    earlier: Sequence[StoredCapMessage],
    *,
    identifier: str,
    message_type: MessageType,
    web: str | None,
    now: datetime,
) -> CapAlert:
    """The message; all earlier ones about the warning are its references, as a change replaces them all."""
    words = label(warning.severity, warning.scheme)
    lifeline = LABELS[warning.lifeline]
    lifted = message_type is MessageType.CANCEL
    headline = warning.headline
    if lifted:
        headline = Text(f"Lifted: {headline.en}", f"解除：{headline.zh}")
    if publisher.status is not CapStatus.ACTUAL:
        headline = Text(f"[EXERCISE] {headline.en}", f"【演练】{headline.zh}")
    return CapAlert(
        identifier=identifier,
        sender=named(publisher.sender),
        sent=now,
        status=publisher.status,
        message_type=message_type,
        references=[CapReference(each.sender, each.identifier, each.sent) for each in earlier],
        event=Text(f"{lifeline.en} warning", f"{lifeline.zh}预警"),
        urgency=urgency_of(warning.severity, message_type),
        severity=warning.severity,
        certainty=certainty_of(warning.severity, is_confirmed=alert.verdict is Verdict.TRUE_ALARM),
        onset=alert.started_at,
        expires=now + publisher.valid_for,
        sender_name=publisher.name,
        headline=headline,
        description=alert.explanation,
        instruction=Text("", "") if lifted else warning.instruction,
        web=web,
        parameters={
            "lifeline:warning": str(warning.id),
            "lifeline:level": f"{words.en} {words.zh}",
            "lifeline:kind": alert.kind,
        },
        areas=[area_of(warning, place)],
    )


def area_of(warning: PublicWarning, place: Place) -> CapArea:
    """Around the asset where it is known, else the whole zone; both are also given by their identifiers."""
    zone_name = place.zone.name if place.zone is not None else Text(warning.zone, warning.zone)
    codes = {"lifeline:zone": warning.zone, "lifeline:asset": warning.asset}
    if place.asset is not None:
        name = place.asset.name
        description = Text(f"{name.en}, {zone_name.en}", f"{zone_name.zh} {name.zh}")
        return CapArea(description=description, circles=[_circle(place.asset)], codes=codes)
    rings = _rings(place.zone) if place.zone is not None else []
    return CapArea(description=zone_name, rings=rings, codes=codes)


def _circle(asset: Asset) -> tuple[float, float, float]:
    """The circle around an asset's points, and a street's width more: longitude, latitude, radius in km."""
    longitude, latitude = centre(asset.geometry)
    along = math.cos(math.radians(latitude))
    farthest = max(
        math.hypot((east - longitude) * along, north - latitude) for east, north in points_of(asset.geometry)
    )
    return longitude, latitude, farthest * _METRES_PER_DEGREE / 1000.0 + _AROUND_KM


def _rings(zone: Zone) -> list[list[tuple[float, float]]]:
    geometry = zone.geometry or {}
    if geometry.get("type") == "Polygon":
        outlines = [geometry["coordinates"][0]]
    elif geometry.get("type") == "MultiPolygon":
        outlines = [polygon[0] for polygon in geometry["coordinates"]]
    else:
        return []
    return [_thinned([(float(point[0]), float(point[1])) for point in outline]) for outline in outlines]


def _thinned(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A closed ring of no more corners than a message should have."""
    step = max(1, math.ceil(len(ring) / _MOST_CORNERS))
    kept = ring[:-1:step]
    return [*kept, kept[0]] if kept else []
