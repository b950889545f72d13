"""A warning as a message of the Common Alerting Protocol. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

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
from services.core.warning import PublicWarning, WarningState
from services.core.weather_warning import MessageType

_METRES_PER_DEGREE = 111_195.0
"""Of a great circle on a sphere of the earth's mean radius, 6,371 km."""
_AROUND_KM = 0.05
"""How far beyond its asset a warning reaches: about the width of a street with its buildings. A default."""
_MOST_CORNERS = 200
_LIFTED, _CANCELLED = Text("Lifted", "解除"), Text("Cancelled", "撤销")


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
        word = _CANCELLED if warning.state is WarningState.CANCELLED else _LIFTED
        headline = Text(f"{word.en}: {headline.en}", f"{word.zh}：{headline.zh}")
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
        expires=_expiry(warning, publisher, now),
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


def _expiry(warning: PublicWarning, publisher: Publisher, now: datetime) -> datetime:
    """When the warning says; what says nothing, or has said it and still holds, counts as long as any."""
    if warning.valid_until is not None and warning.valid_until > now:
        return warning.valid_until
    return now + publisher.valid_for


def area_of(warning: PublicWarning, place: Place) -> CapArea:
    """Where the warning says, else around the asset where it is known, else the whole zone.

    Asset and zone are also given by their identifiers.
    """
    zone_name = place.zone.name if place.zone is not None else Text(warning.zone, warning.zone)
    codes = {"lifeline:zone": warning.zone, "lifeline:asset": warning.asset}
    description = zone_name
    if place.asset is not None:
        name = place.asset.name
        description = Text(f"{name.en}, {zone_name.en}", f"{zone_name.zh} {name.zh}")
    if rings := _rings(warning.area):
        return CapArea(description=description, rings=rings, codes=codes)
    if place.asset is not None:
        return CapArea(description=description, circles=[_circle(place.asset)], codes=codes)
    outline = None if place.zone is None else place.zone.geometry
    return CapArea(description=description, rings=_rings(outline), codes=codes)


def _circle(asset: Asset) -> tuple[float, float, float]:
    """The circle around an asset's points, and a street's width more: longitude, latitude, radius in km."""
    longitude, latitude = centre(asset.geometry)
    along = math.cos(math.radians(latitude))
    farthest = max(
        math.hypot((east - longitude) * along, north - latitude) for east, north in points_of(asset.geometry)
    )
    return longitude, latitude, farthest * _METRES_PER_DEGREE / 1000.0 + _AROUND_KM


def _rings(geometry: Mapping[str, Any] | None) -> list[list[tuple[float, float]]]:
    """The outlines of an area; what is a line or a point has none."""
    if geometry is None:
        return []
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
