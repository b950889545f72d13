"""Sirens and signs: the state of a zone as a retained MQTT message, which devices may acknowledge."""

from datetime import datetime, timedelta

from services.alerts.notify.channels.contract import Answer, Judgement, Message, NotSendableError, Publication
from services.core.organisation import Receiver
from services.core.wire import NAME


class ZoneStateChannel:
    """What is in force in the zone; the sender looks it up when it sends, so that an old message never overrules."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> Publication:
        """Which zone's state to publish.

        Raises:
            NotSendableError: the zone's name cannot stand in a topic.
        """
        content = message.content()
        lifeline, zone = str(content.get("lifeline", "")), str(content.get("zone", ""))
        if not NAME.fullmatch(lifeline) or not NAME.fullmatch(zone):
            raise NotSendableError("the zone's name cannot stand in a topic")
        wait = timedelta(seconds=float(receiver.settings.get("acknowledged_within_s", 0)))
        return Publication(lifeline=lifeline, zone=zone, type=message.type, acknowledged_within=wait)

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """The broker has it, and where a device has to answer one has."""
        delivered = answer.status == 0
        return Judgement(delivered=delivered, error=None if delivered else answer.text)
