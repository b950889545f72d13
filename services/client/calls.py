"""Everything that this client asks and does, one function for each; ``Client`` sends what they return."""

from datetime import datetime
from uuid import UUID

from services.client import answers
from services.client.asset import AssetCollection
from services.client.call import Call, Listing, Method

_A_PAGE = 500


def me() -> Call[answers.MeAnswer]:
    """Who asks, and what they may do."""
    return Call(answers.MeAnswer, "/api/v1/me")


def alerts(
    *,
    open: bool | None = None,  # noqa: A002 - what the service calls it
    lifeline: str | None = None,
    zone: str | None = None,
    asset: str | None = None,
    severity: int | None = None,
    limit: int = _A_PAGE,
) -> Listing[answers.AlertAnswer]:
    """Alerts, the newest first; ``severity`` is the lowest that counts, ``limit`` the items of a page."""
    query = {"open": open, "lifeline": lifeline, "zone": zone, "asset": asset, "severity": severity, "limit": limit}
    return Listing(answers.AlertAnswer, "/api/v1/alerts", query=query)


def alert(identifier: UUID | str) -> Call[answers.AlertDetailAnswer]:
    """Everything about one alert."""
    return Call(answers.AlertDetailAnswer, "/api/v1/alerts/{alert}", places={"alert": str(identifier)})


def acknowledge(
    identifier: UUID | str, *, note: str | None = None, version: int | None = None
) -> Call[answers.AlertDetailAnswer]:
    """Take note of an alert, so that nobody else is called for it."""
    return Call(
        answers.AlertDetailAnswer,
        "/api/v1/alerts/{alert}/acknowledge",
        Method.POST,
        {"alert": str(identifier)},
        body={"note": note},
        version=version,
    )


def judge(
    identifier: UUID | str, verdict: str, reason: str, *, root_cause: str | None = None, version: int | None = None
) -> Call[answers.AlertDetailAnswer]:
    """Say what an alert turned out to be, and why."""
    return Call(
        answers.AlertDetailAnswer,
        "/api/v1/alerts/{alert}/verdict",
        Method.POST,
        {"alert": str(identifier)},
        body={"verdict": verdict, "reason": reason, "root_cause": root_cause},
        version=version,
    )


def comment(identifier: UUID | str, text: str) -> Call[answers.CommentAnswer]:
    """Leave a remark on an alert."""
    route = "/api/v1/alerts/{alert}/comments"
    return Call(answers.CommentAnswer, route, Method.POST, {"alert": str(identifier)}, body={"text": text})


def publish(
    identifier: UUID | str, severity: int, *, instruction: str | None = None, version: int | None = None
) -> Call[answers.WarningAnswer]:
    """Warn of an alert, with 1 … 4; ``instruction`` replaces what the rules tell people to do."""
    return Call(
        answers.WarningAnswer,
        "/api/v1/alerts/{alert}/warning",
        Method.POST,
        {"alert": str(identifier)},
        body={"severity": severity, "instruction": instruction},
        version=version,
    )


def warnings(
    *,
    open: bool | None = None,  # noqa: A002 - what the service calls it
    alert: UUID | str | None = None,
    limit: int = _A_PAGE,
) -> Listing[answers.WarningAnswer]:
    """Warnings to the public, the newest first."""
    query = {"open": open, "alert": None if alert is None else str(alert), "limit": limit}
    return Listing(answers.WarningAnswer, "/api/v1/warnings", query=query)


def warning(identifier: UUID | str) -> Call[answers.WarningAnswer]:
    """One warning."""
    return Call(answers.WarningAnswer, "/api/v1/warnings/{warning}", places={"warning": str(identifier)})


def work_orders(
    *,
    open: bool | None = None,  # noqa: A002 - what the service calls it
    alert: UUID | str | None = None,
    limit: int = _A_PAGE,
) -> Listing[answers.WorkOrderAnswer]:
    """Work orders, the newest first."""
    query = {"open": open, "alert": None if alert is None else str(alert), "limit": limit}
    return Listing(answers.WorkOrderAnswer, "/api/v1/work-orders", query=query)


def work_order(identifier: UUID | str) -> Call[answers.WorkOrderAnswer]:
    """One work order."""
    return Call(answers.WorkOrderAnswer, "/api/v1/work-orders/{order}", places={"order": str(identifier)})


def move_order(
    identifier: UUID | str, move: str, *, note: str | None = None, version: int | None = None
) -> Call[answers.WorkOrderAnswer]:
    """Take one of the steps that an order names in ``moves`` and ``side_moves``."""
    return Call(
        answers.WorkOrderAnswer,
        "/api/v1/work-orders/{order}/{move}",
        Method.POST,
        {"order": str(identifier), "move": move},
        body={"note": note},
        version=version,
    )


def hand_back(identifier: UUID | str, text: str, *, version: int | None = None) -> Call[answers.WorkOrderAnswer]:
    """The crew's last step: what was found and done."""
    return Call(
        answers.WorkOrderAnswer,
        "/api/v1/work-orders/{order}/hand-back",
        Method.POST,
        {"order": str(identifier)},
        body={"text": text},
        version=version,
    )


def notifications(
    *, subject: UUID | str | None = None, state: str | None = None, limit: int = _A_PAGE
) -> Listing[answers.NotificationAnswer]:
    """Notifications of a warning or work order, or of all, the newest first."""
    query = {"subject": None if subject is None else str(subject), "state": state, "limit": limit}
    return Listing(answers.NotificationAnswer, "/api/v1/notifications", query=query)


def lifelines() -> Call[list[answers.LifelineAnswer]]:
    """Every lifeline of the city and how it is doing."""
    return Call(list[answers.LifelineAnswer], "/api/v1/lifelines")


def assets(*, lifeline: str | None = None, zone: str | None = None, kind: str | None = None) -> Call[AssetCollection]:
    """Pipes, manholes, bridges … as GeoJSON, in one answer."""
    return Call(AssetCollection, "/api/v1/assets", query={"lifeline": lifeline, "zone": zone, "kind": kind})


def sensors(
    *, lifeline: str | None = None, zone: str | None = None, asset: str | None = None, limit: int = _A_PAGE
) -> Listing[answers.SensorAnswer]:
    """Sensors by name."""
    query = {"lifeline": lifeline, "zone": zone, "asset": asset, "limit": limit}
    return Listing(answers.SensorAnswer, "/api/v1/sensors", query=query)


def sensor(name: str) -> Call[answers.SensorAnswer]:
    """One sensor."""
    return Call(answers.SensorAnswer, "/api/v1/sensors/{sensor}", places={"sensor": name})


def latest(*, lifeline: str | None = None, zone: str | None = None) -> Listing[answers.LatestAnswer]:
    """The newest value of every sensor, in one answer."""
    return Listing(answers.LatestAnswer, "/api/v1/latest", query={"lifeline": lifeline, "zone": zone})


def latest_of(sensor: str) -> Call[answers.LatestAnswer]:
    """The newest value of one sensor."""
    return Call(answers.LatestAnswer, "/api/v1/sensors/{sensor}/latest", places={"sensor": sensor})


def history(
    sensor: str, *, start: datetime | None = None, end: datetime | None = None, points: int | None = None
) -> Call[answers.HistoryAnswer]:
    """What a sensor measured, summed up to about so many ``points``; moments have a zone."""
    query = {"start": start, "end": end, "points": points}
    return Call(answers.HistoryAnswer, "/api/v1/sensors/{sensor}/history", places={"sensor": sensor}, query=query)


def rejections(
    *, reason: str | None = None, sensor: str | None = None, topic_prefix: str | None = None, limit: int = _A_PAGE
) -> Listing[answers.RejectionAnswer]:
    """Payloads that could not become readings, what came last first."""
    query = {"reason": reason, "sensor": sensor, "topic_prefix": topic_prefix, "limit": limit}
    return Listing(answers.RejectionAnswer, "/api/v1/rejections", query=query)
