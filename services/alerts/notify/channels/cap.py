"""Messages of the Common Alerting Protocol, pushed as XML."""

from datetime import datetime

from services.alerts.notify.channels.contract import (
    Answer,
    HttpRequest,
    Judgement,
    Message,
    filled_address,
    own_headers,
)
from services.alerts.notify.channels.http_answer import judge_status
from services.core.cap_alert import MEDIA_TYPE
from services.core.organisation import Receiver


class CapChannel:
    """The message as it went out, which is the stored body."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """The XML with its media type; the message's own identifier tells a repetition."""
        return HttpRequest(
            url=filled_address(receiver),
            shown_url=receiver.url,
            content=message.body.encode(),
            headers=own_headers(receiver) | {"content-type": f"{MEDIA_TYPE}; charset=utf-8"},
        )

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """By the status alone."""
        return judge_status(answer, now)
