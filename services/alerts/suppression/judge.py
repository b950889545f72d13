"""Says of an alert, in the caller's transaction, what keeps it quiet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from psycopg import AsyncConnection

from services.alerts.suppression import reason
from services.core.alert import Alert, Verdict
from services.core.silence import SilenceKind
from services.core.store import alerts, inhibitions, silences
from services.core.store.alert_places import apart_m, places_of
from services.core.suppression import Suppression
from services.core.text import Text


async def judged(connection: AsyncConnection, alert: Alert, name_of: Callable[[str], Text], now: datetime) -> Alert:
    """The alert with its reason to be quiet, if there is one, and without one if there is none; nothing is stored.

    Of the alerts that may explain it none is locked: what is decided by one that ends at the same moment is put right
    by the review that its end asks for.
    """
    found = reason.silenced(alert, await silences.in_force(connection, alert.last_at), now)
    if found is not None:
        suppression, silence = found
        quiet = replace(alert, suppression=suppression, explained_by=None)
        if silence.kind is SilenceKind.MAINTENANCE and not silence.records and alert.cleared_at is not None:
            return replace(quiet, verdict=Verdict.TEST, verdict_reason=suppression.reason.en)
        return quiet
    explanation = await _explained(connection, alert, name_of)
    if explanation is not None:
        return replace(alert, suppression=explanation[0], explained_by=explanation[1].id)
    return replace(alert, suppression=reason.chattering(alert), explained_by=None)


async def _explained(
    connection: AsyncConnection, alert: Alert, name_of: Callable[[str], Text]
) -> tuple[Suppression, Alert] | None:
    rules = [rule for rule in await inhibitions.explaining(connection, alert.lifeline) if rule.concerns(alert)]
    if not any(rule.within_m for rule in rules):
        return reason.explained(alert, await alerts.standing_causes(connection, alert, rules), rules, name_of)
    here = (await places_of(connection, [alert]))[alert.id]
    standing = await alerts.standing_causes(connection, alert, rules, here)
    places = await places_of(connection, standing)
    return reason.explained(alert, standing, rules, name_of, lambda cause: apart_m(here, places[cause.id]))
