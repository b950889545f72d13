"""A message that somebody sends to see whether it arrives, and that says so. Pure."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from services.core.cap_alert import CapAlert, CapArea, CapStatus, named, write_message
from services.core.channel import Channel
from services.core.notification import TEST, Notification, NotificationState
from services.core.organisation import Receiver
from services.core.severity import Severity
from services.core.text import Text
from services.core.weather_warning import MessageType

HEADLINE = Text("This is a test; nothing has happened", "这是一条测试消息，没有发生任何事件")
INSTRUCTION = Text("Nothing is to be done.", "无需采取任何行动。")
_NOWHERE = "test"


def trial_message(receiver: Receiver, identifier: UUID, city: str, now: datetime) -> Notification:
    """The message as any other is kept; it is about itself."""
    return Notification(
        id=identifier,
        receiver=receiver.id,
        type=TEST,
        subject_kind="receiver",
        subject=identifier,
        body=_cap(identifier, city, now) if receiver.channel is Channel.CAP else _body(identifier, now),
        state=NotificationState.PENDING,
        attempts=0,
        created_at=now,
        delivered_at=None,
    )


def _body(identifier: UUID, now: datetime) -> str:
    moment = now.isoformat(timespec="seconds")
    content = {
        "id": str(identifier),
        "exercise": True,
        "state": "test",
        # A place that no city has, so that the state of no real zone is overwritten.
        "lifeline": _NOWHERE,
        "zone": _NOWHERE,
        "severity": int(Severity.NORMAL),
        "headline": HEADLINE.as_json(),
        "instruction": INSTRUCTION.as_json(),
        "published_at": moment,
        "lifted_at": moment,
    }
    return json.dumps({"type": TEST, "timestamp": moment, "data": content}, ensure_ascii=False, separators=(",", ":"))


def _cap(identifier: UUID, city: str, now: datetime) -> str:
    sent = now.replace(microsecond=0)
    return write_message(
        CapAlert(
            identifier=f"{named(city)}-test-{identifier}",
            sender=named(f"lifeline.{city}"),
            sent=sent,
            status=CapStatus.TEST,
            message_type=MessageType.ALERT,
            references=(),
            event=Text("Test", "测试"),
            urgency="Unknown",
            severity=Severity.NORMAL,
            certainty="Unknown",
            onset=sent,
            expires=sent + timedelta(minutes=10),
            sender_name=Text(city, city),
            headline=HEADLINE,
            description=INSTRUCTION,
            instruction=Text("", ""),
            web=None,
            parameters={},
            areas=(CapArea(Text("nowhere", "无")),),
        )
    )
