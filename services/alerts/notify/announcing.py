"""News become messages: who is told, in which words, and the public message that goes with it. One transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from psycopg import AsyncConnection

from services.alerts.notify import cap_publication, message, routing
from services.alerts.notify.cap_publication import Place, Publisher
from services.alerts.notify.flood import Told
from services.alerts.notify.flood_gate import FloodGate
from services.core.alert import Alert
from services.core.cap_alert import CapStatus, named, write_message
from services.core.channel import WARNINGS_ALONE, Channel
from services.core.incident import Incident
from services.core.lifeline import Lifeline
from services.core.notification import Notification, NotificationState
from services.core.organisation import OrganisationRole, Receiver
from services.core.response_plan import PlanActivation
from services.core.settings import Settings
from services.core.severity import Severity
from services.core.store import (
    alerts,
    cap_messages,
    incidents,
    network,
    organisations,
    plan_activations,
    warnings,
    work_orders,
)
from services.core.store.cap_messages import StoredCapMessage
from services.core.store.pool import Pool
from services.core.text import Text
from services.core.warning import PublicWarning

_NAMESPACE = UUID("0f9d1c2e-6f57-4f0c-8a58-7f4f4f0b3c11")
_PUBLIC = frozenset({"warning.published", "warning.updated", "warning.lifted", "warning.cancelled"})
"""News that are everybody's; whatever else happens to a warning is the receivers' alone."""


@dataclass(frozen=True, slots=True)
class _Subject:
    body: str
    lifeline: Lifeline
    zone: str
    severity: Severity
    responsible: str | None
    about: tuple[Lifeline, str, Severity]
    public: str | None
    """The CAP message: the one that goes with the news, else the newest; none where nothing was said in public."""


class Announcer:
    """Writes one message for each receiver concerned."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        """Use connections of ``pool``."""
        self._pool = pool
        self._settings = settings
        city = settings.city
        name = settings.cap_sender_name
        self._flood = FloodGate(settings.flood_messages)
        self._publisher = Publisher(
            sender=settings.cap_sender or named(f"lifeline.{city}"),
            name=Text(name or f"Lifeline {city}", name or f"城市生命线 {city}"),
            status=CapStatus.EXERCISE if settings.exercise else CapStatus.ACTUAL,
            valid_for=settings.cap_valid_for,
        )

    async def announce(
        self, type_: str, subject_kind: str, subject: str, *, roles: Collection[str] | None = None, occasion: str = ""
    ) -> None:
        """Write one message for each receiver concerned; doing it twice writes nothing new.

        ``roles`` are the roles of organisations that are told, whatever else they are told from; without, the routing
        says who is. ``occasion`` tells apart news of the same type about the same thing.
        """
        now = datetime.now(UTC)
        async with self._pool.connection() as connection:
            found = await self._subject(connection, type_, subject_kind, UUID(subject), now=now, occasion=occasion)
            chosen = routing.recipients(
                await organisations.load_receivers(connection),
                await organisations.load_organisations(connection),
                lifeline=found.lifeline,
                severity=found.severity,
                responsible=found.responsible,
                roles=None if roles is None else frozenset(OrganisationRole(role) for role in roles),
            )
            for receiver in chosen:
                body = _body_for(receiver, subject_kind, found)
                if body is None:
                    continue
                key = f"{receiver.id}/{type_}/{subject}/{int(found.severity)}{occasion and f'/{occasion}'}"
                note = Notification(
                    id=uuid5(_NAMESPACE, key),
                    receiver=receiver.id,
                    type=type_,
                    subject_kind=subject_kind,
                    subject=UUID(subject),
                    body=body,
                    state=NotificationState.PENDING,
                    attempts=0,
                    created_at=now,
                    delivered_at=None,
                    # What a zone's topic holds is changed by one message after the other, whatever they are about.
                    lane=f"{receiver.id}/{found.lifeline}/{found.zone}" if receiver.channel is Channel.MQTT else None,
                )
                await self._flood.pass_on(connection, receiver, note, Told(*found.about, now))

    async def summarise(self, receiver: str) -> None:
        """Tell a receiver in one message what has gathered; doing it twice tells nothing new."""
        async with self._pool.connection() as connection:
            await self._flood.summarise(connection, receiver, datetime.now(UTC), exercise=self._settings.exercise)

    async def _subject(
        self, connection: AsyncConnection, type_: str, kind: str, subject: UUID, *, now: datetime, occasion: str
    ) -> _Subject:
        exercise = self._settings.exercise
        if kind == warnings.EVENT:
            warning = await warnings.find(connection, subject)
            if warning is not None and (alert := await alerts.find(connection, warning.alert)) is not None:
                page = self._page(alert.id)
                body = message.warning_body(type_, warning, alert, page, now, exercise=exercise)
                public = await self._published(connection, warning, alert, type_=type_, occasion=occasion, now=now)
                about = (warning.lifeline, alert.kind, warning.severity)
                return _Subject(
                    body, warning.lifeline, warning.zone, warning.severity, warning.organisation, about, public
                )
        elif kind == plan_activations.EVENT:
            activation = await plan_activations.find(connection, subject)
            if activation is not None and (held := await incidents.find(connection, activation.incident)) is not None:
                return await self._plan(connection, type_, activation, held, now)
        else:
            order = await work_orders.find(connection, subject)
            if order is not None:
                alert = None if order.alert is None else await alerts.find(connection, order.alert)
                page = None if alert is None else self._page(alert.id)
                body = message.work_order_body(type_, order, alert, page, now, exercise=exercise or order.is_exercise)
                kind_of_order = "order/exercise" if alert is None else f"order/{alert.kind}"
                about = (order.lifeline, kind_of_order, order.severity)
                return _Subject(body, order.lifeline, order.zone, order.severity, order.organisation, about, None)
        raise LookupError(f"{kind} {subject} does not exist")

    async def _plan(
        self, connection: AsyncConnection, type_: str, activation: PlanActivation, held: Incident, now: datetime
    ) -> _Subject:
        """News of a response plan; it is nobody's public message, in earnest and as an exercise."""
        exercise = self._settings.exercise or activation.is_exercise
        body = message.plan_body(type_, activation, held, now, exercise=exercise)
        assets = await network.find_assets(connection, [held.asset])
        zone = assets[held.asset].zone if held.asset in assets else held.asset
        owner = await organisations.responsible_organisation(connection, held.asset, held.lifeline)
        about = (held.lifeline, f"plan/{activation.plan}", Severity.CRITICAL)
        return _Subject(body, held.lifeline, zone, Severity.CRITICAL, owner, about, None)

    async def _published(
        self,
        connection: AsyncConnection,
        warning: PublicWarning,
        alert: Alert,
        *,
        type_: str,
        occasion: str,
        now: datetime,
    ) -> str | None:
        """Keep the CAP message about the news and return it; the same one when it has gone out already."""
        key = uuid5(_NAMESPACE, f"{type_}/{warning.id}/{int(warning.severity)}/{occasion}")
        identifier = f"{named(self._settings.city)}-{key}"
        sent = await cap_messages.find(connection, identifier)
        if sent is not None:
            return sent.message
        earlier = await cap_messages.of_warning(connection, warning.id)
        due = cap_publication.message_type_of(warning, earlier) if type_ in _PUBLIC else None
        if due is None:
            return earlier[-1].message if earlier else None
        assets = await network.find_assets(connection, [warning.asset])
        zone = next((zone for zone in await network.load_zones(connection) if zone.id == warning.zone), None)
        said = cap_publication.publication(
            warning,
            alert,
            Place(assets.get(warning.asset), zone),
            self._publisher,
            earlier,
            identifier=identifier,
            message_type=due,
            web=self._page(alert.id),
            now=now.replace(microsecond=0),
        )
        written = write_message(said)
        stored = StoredCapMessage(
            identifier=identifier,
            warning=warning.id,
            sender=said.sender,
            sent=said.sent,
            message_type=said.message_type,
            expires=said.expires,
            headline_en=said.headline.en,
            headline_zh=said.headline.zh,
            message=written,
        )
        await cap_messages.add(connection, stored)
        return written

    def _page(self, alert: UUID) -> str | None:
        return None if self._settings.api_url is None else f"{self._settings.api_url}/#/alerts/{alert}"


def _body_for(receiver: Receiver, subject_kind: str, found: _Subject) -> str | None:
    """What a receiver is sent; ``None`` where its channel has no words for the news."""
    if receiver.channel in WARNINGS_ALONE and subject_kind != warnings.EVENT:
        return None
    return found.public if receiver.channel is Channel.CAP else found.body
