"""DingTalk group robots (钉钉自定义机器人): the signature goes into the query, a failure is an ``errcode``."""

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote_plus

from services.alerts.notify.channels import robot, words
from services.alerts.notify.channels.contract import Answer, HttpRequest, Judgement, Message
from services.core.organisation import Receiver

_TOO_MANY = frozenset({130101, 130102, 410100})
_LONGEST_TEXT_BYTES = 15_000
_LONGEST_TITLE_BYTES = 200


class DingTalkChannel:
    """A Markdown message."""

    pace = robot.PACE

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """With a secret the request is signed: HMAC-SHA256 of the time and the secret, under the secret.

        Raises:
            NotSendableError: the body is none of ours.
        """
        content = message.content()
        language = words.language_of(receiver.settings)
        headline = words.headline_of(message.type, content)
        lines = [f"### {line}" for line in words.in_language(headline, language)]
        for paragraph in words.paragraphs_of(content):
            lines += words.in_language(paragraph, language)
        link = f"\n\n[{content['url']}]({content['url']})" if content.get("url") else ""
        text = words.cut_to_bytes("\n\n".join(lines), _LONGEST_TEXT_BYTES) + link
        title = words.cut_to_bytes(words.in_language(headline, language)[0], _LONGEST_TITLE_BYTES)
        payload = {"msgtype": "markdown", "markdown": {"title": title, "text": text}}
        if not receiver.secret:
            return robot.json_request(payload, receiver)
        stamp = str(int(message.now.timestamp() * 1000))
        signed = quote_plus(sign(stamp, receiver.secret))
        return robot.json_request(payload, receiver, query=f"timestamp={stamp}&sign={signed}", hidden=(signed,))

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """``errcode`` 0 is delivered."""
        return robot.judge_code(answer, now, codes=("errcode",), words=("errmsg",), too_many=_TOO_MANY)


def sign(timestamp_ms: str, secret: str) -> str:
    """DingTalk's signature: the secret is the key, time and secret are what is signed."""
    digest = hmac.new(secret.encode(), f"{timestamp_ms}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
