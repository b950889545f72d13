"""One message to one receiver: whether it is its turn, the attempt, and what is written down of it. At least once."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind, StatusCode
from psycopg import AsyncConnection

from services.alerts.notify import sender
from services.alerts.notify.back_off import NotDeliveredError, PutOffError
from services.alerts.notify.channels.catalogue import CHANNELS
from services.alerts.notify.channels.contract import Message, NotSendableError, Publication
from services.alerts.notify.sender import Exits, Outcome
from services.core import wire
from services.core.channel import Channel
from services.core.notification import TEST, Delivery, Notification, NotificationState
from services.core.organisation import Receiver
from services.core.settings import Settings
from services.core.store import acknowledgements, notifications, organisations, receiver_health, zone_warnings
from services.core.store.pool import Pool
from services.core.store.receiver_health import Pausing
from services.core.traces import TRACER

_AT_ONCE = 4
"""Messages under way to one receiver in this process; one that hangs leaves the other hands free."""
_SOON = timedelta(milliseconds=200)

log = structlog.get_logger()


class Deliverer:
    """Tries messages whose turn it is."""

    def __init__(self, pool: Pool, exits: Exits, settings: Settings, randomness: random.Random) -> None:
        """Use connections of ``pool``, send by ``exits``, and draw short waits from ``randomness``."""
        self._pool = pool
        self._exits = exits
        self._settings = settings
        self._random = randomness
        self._pausing = Pausing(settings.webhook_pause_after, settings.webhook_pause)
        self._under_way: Counter[str] = Counter()

    async def deliver(self, identifier: str) -> None:
        """Try to deliver one message and write down what happened.

        Raises:
            NotDeliveredError: the attempt failed.
            PutOffError: it is not the message's turn.
        """
        async with self._pool.connection() as connection:
            notification = await notifications.find(connection, UUID(identifier))
            receiver = None
            if notification is not None:
                receiver = await organisations.find_receiver(connection, notification.receiver)
            if notification is None or receiver is None or notification.state is not NotificationState.PENDING:
                return
            now = datetime.now(UTC)
            if self._is_hopeless(notification, receiver, now):
                await notifications.give_up(connection, notification.id)
                log.warning("message given up", receiver=receiver.id, notification=str(notification.id))
                return
        if self._under_way[receiver.id] >= _AT_ONCE:
            raise PutOffError(now + _SOON * self._random.uniform(1.0, 3.0))
        self._under_way[receiver.id] += 1
        try:
            state = await self._take_turn(notification, receiver, now)
            # No transaction is open while the receiver takes its time to answer.
            outcome = await self._send(notification, receiver, state)
            await self._conclude(notification, receiver, now, outcome)
        finally:
            self._under_way[receiver.id] -= 1

    async def _send(
        self, notification: Notification, receiver: Receiver, state: wire.WireZoneState | None
    ) -> sender.Outcome:
        about = {"lifeline.notification": str(notification.id), "lifeline.receiver": receiver.id}
        with TRACER.start_as_current_span("deliver notification", kind=SpanKind.CLIENT, attributes=about) as span:
            outcome = await sender.send(
                self._exits, notification, receiver, longest_wait=self._settings.webhook_timeout, state=state
            )
            if not outcome.delivered:
                span.set_status(StatusCode.ERROR, outcome.error)
            return outcome

    def _is_hopeless(self, notification: Notification, receiver: Receiver, now: datetime) -> bool:
        """Its receiver was switched off, or its time is over; everything is tried once."""
        if not receiver.enabled and notification.type != TEST:
            return True
        return notification.attempts > notification.attempts_before and self._is_late(notification, now)

    def _is_late(self, notification: Notification, now: datetime) -> bool:
        began = notification.retried_at or notification.created_at
        return now - began >= self._settings.webhook_patience

    async def _take_turn(
        self, notification: Notification, receiver: Receiver, now: datetime
    ) -> wire.WireZoneState | None:
        """Ask whether the receiver may be told now; returns what is in force where its channel publishes that.

        Raises:
            PutOffError: it may not.
        """
        pace, trial = CHANNELS[receiver.channel].pace, 2 * self._settings.webhook_timeout
        async with self._pool.connection() as connection:
            until = await receiver_health.take_turn(connection, receiver.id, pace, now=now, trial=trial)
            if until is None and receiver.channel is Channel.MQTT:
                return await self._zone_state(connection, notification, receiver, now)
        if until is not None:
            raise PutOffError(until)
        return None

    async def _zone_state(
        self, connection: AsyncConnection, notification: Notification, receiver: Receiver, now: datetime
    ) -> wire.WireZoneState | None:
        """What is in force in the message's zone at this moment, whatever was when the message was written."""
        said = Message(notification.id, notification.type, notification.body, now)
        try:
            wanted = CHANNELS[receiver.channel].request(said, receiver)
        except NotSendableError:
            # The attempt itself will say so.
            return None
        if not isinstance(wanted, Publication):
            return None
        found = await zone_warnings.in_force(connection, wanted.lifeline, wanted.zone)
        return wire.WireZoneState(
            id=str(notification.id),
            time=now,
            lifeline=wanted.lifeline,
            zone=wanted.zone,
            severity=max((int(warning.severity) for warning in found), default=0),
            exercise=self._settings.exercise,
            warnings=[
                wire.WireWarning(
                    id=str(warning.id),
                    asset=warning.asset,
                    severity=int(warning.severity),
                    headline=wire.WireText(en=warning.headline.en, zh=warning.headline.zh),
                    instruction=wire.WireText(en=warning.instruction.en, zh=warning.instruction.zh),
                    published_at=warning.published_at or warning.created_at,
                )
                for warning in found
            ],
        )

    async def _conclude(
        self, notification: Notification, receiver: Receiver, started_at: datetime, outcome: Outcome
    ) -> None:
        attempt = notification.attempts + 1
        of_this_time = attempt - notification.attempts_before
        now = datetime.now(UTC)
        most = self._settings.webhook_attempts
        last = outcome.final or (most is not None and of_this_time >= most) or self._is_late(notification, now)
        state = NotificationState.PENDING
        if outcome.delivered or last:
            state = NotificationState.DELIVERED if outcome.delivered else NotificationState.FAILED
        delivery = Delivery(
            notification=notification.id,
            attempt=attempt,
            started_at=started_at,
            duration_ms=outcome.duration_ms,
            status=outcome.status,
            response=outcome.response,
            error=outcome.error,
            request=outcome.request,
        )
        paused_until = None
        async with self._pool.connection() as connection:
            await notifications.record_attempt(connection, delivery, state)
            for answer in outcome.answers:
                await acknowledgements.keep(
                    connection, notification.id, answer.device, done=answer.done, reason=answer.reason
                )
            if outcome.delivered:
                await receiver_health.note_success(connection, receiver.id, now)
            elif outcome.wait is not None:
                await receiver_health.leave_alone(connection, receiver.id, now + outcome.wait)
            else:
                paused_until = await receiver_health.note_failure(
                    connection, receiver.id, outcome.error, self._pausing, now
                )
        if outcome.delivered:
            return
        log.warning(
            "message not delivered",
            receiver=receiver.id,
            channel=receiver.channel,
            attempt=attempt,
            reason=outcome.error,
            given_up=last,
            paused_until=None if paused_until is None else paused_until.isoformat(),
        )
        raise NotDeliveredError(outcome.error, attempt=of_this_time, final=last, wait=outcome.wait)
