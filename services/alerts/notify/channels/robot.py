"""What group robots have in common: JSON in, HTTP 200 with a code of their own out, and little patience."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.alerts.notify.channels.contract import Answer, HttpRequest, Judgement, filled_address, own_headers
from services.alerts.notify.channels.http_answer import judge_status
from services.core.channel import Pace
from services.core.organisation import Receiver

PACE = Pace(burst=8, interval=timedelta(seconds=5))
"""Robots take 20 messages in a minute; DingTalk shuts one out for ten minutes that is sent more.

Eight at once and then one every five seconds are 20 in whichever minute is counted.
"""
AFTER_TOO_MANY = timedelta(minutes=1)


def json_request(
    payload: Mapping[str, Any], receiver: Receiver, *, query: str = "", hidden: tuple[str, ...] = ()
) -> HttpRequest:
    """A request with a JSON body and the receiver's own headers; ``query`` is added to its address."""
    address = filled_address(receiver)
    if query:
        address += ("&" if "?" in address else "?") + query
    return HttpRequest(
        url=address,
        shown_url=receiver.url,
        content=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
        headers=own_headers(receiver) | {"content-type": "application/json; charset=utf-8"},
        hidden=hidden,
    )


def judge_code(
    answer: Answer, now: datetime, *, codes: tuple[str, ...], words: tuple[str, ...], too_many: frozenset[int]
) -> Judgement:
    """The first of ``codes`` that the answer has must be 0; ``words`` name the reason, ``too_many`` a full minute."""
    by_status = judge_status(answer, now)
    if not by_status.delivered:
        return by_status
    try:
        said = json.loads(answer.text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return Judgement(delivered=False, error="the robot's answer is no JSON object")
    code = next((said[name] for name in codes if name in said), None)
    if code == 0 and not isinstance(code, bool):
        return Judgement(delivered=True)
    reason = next((str(said[name]) for name in words if said.get(name)), "")
    wait = AFTER_TOO_MANY if code in too_many else None
    return Judgement(delivered=False, error=f"the robot answered {code}: {reason[:200]}".rstrip(": "), wait=wait)
