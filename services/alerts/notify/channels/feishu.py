"""Feishu group robots (飞书自定义机器人): the signature goes into the body, a failure is a ``code``."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from services.alerts.notify.channels import robot, words
from services.alerts.notify.channels.contract import Answer, HttpRequest, Judgement, Message
from services.core.organisation import Receiver

_TOO_MANY = frozenset({9499, 11232})
_LONGEST_BYTES = 15_000
"""A request may have 20 kB."""


class FeishuChannel:
    """A post: a title and lines."""

    pace = robot.PACE

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """With a secret the body is signed: HMAC-SHA256 of nothing, under the time and the secret.

        Raises:
            NotSendableError: the body is none of ours.
        """
        content = message.content()
        language = words.language_of(receiver.settings)
        title, *others = words.in_language(words.headline_of(message.type, content), language) or [message.type]
        lines = [*others]
        for paragraph in words.paragraphs_of(content):
            lines += words.in_language(paragraph, language)
        text = words.cut_to_bytes("\n".join(lines), _LONGEST_BYTES)
        rows: list[list[dict[str, Any]]] = [[{"tag": "text", "text": line}] for line in text.split("\n")]
        if content.get("url"):
            rows.append([{"tag": "a", "text": content["url"], "href": content["url"]}])
        post = {"zh_cn": {"title": words.cut_to_bytes(title, 500), "content": rows}}
        payload: dict[str, Any] = {"msg_type": "post", "content": {"post": post}}
        hidden: tuple[str, ...] = ()
        if receiver.secret:
            stamp = str(int(message.now.timestamp()))
            hidden = (sign(stamp, receiver.secret),)
            payload |= {"timestamp": stamp, "sign": hidden[0]}
        return robot.json_request(payload, receiver, hidden=hidden)

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """``code`` 0, or in older answers ``StatusCode`` 0, is delivered."""
        codes, reasons = ("code", "StatusCode"), ("msg", "StatusMessage")
        return robot.judge_code(answer, now, codes=codes, words=reasons, too_many=_TOO_MANY)


def sign(timestamp_s: str, secret: str) -> str:
    """Feishu's signature: time and secret are the key, and nothing is signed."""
    digest = hmac.new(f"{timestamp_s}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
