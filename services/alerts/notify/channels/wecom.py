"""WeCom group robots (企业微信群机器人): the key is in the address, a failure is an ``errcode``."""

from datetime import datetime

from services.alerts.notify.channels import robot, words
from services.alerts.notify.channels.contract import Answer, HttpRequest, Judgement, Message
from services.core.organisation import Receiver

_TOO_MANY = frozenset({45009})
_LONGEST_BYTES = 4096
"""What a Markdown message may hold."""


class WeComChannel:
    """A Markdown message."""

    pace = robot.PACE

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """Everything in one Markdown text, the headline first.

        Raises:
            NotSendableError: the body is none of ours.
        """
        content = message.content()
        language = words.language_of(receiver.settings)
        lines = [f"**{line}**" for line in words.in_language(words.headline_of(message.type, content), language)]
        for paragraph in words.paragraphs_of(content):
            lines += [f"> {line}" for line in words.in_language(paragraph, language)]
        link = f"\n[{content['url']}]({content['url']})" if content.get("url") else ""
        # The address of the page is worth more than the end of a long text.
        text = words.cut_to_bytes("\n".join(lines), _LONGEST_BYTES - len(link.encode())) + link
        payload = {"msgtype": "markdown", "markdown": {"content": text}}
        return robot.json_request(payload, receiver)

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """``errcode`` 0 is delivered."""
        return robot.judge_code(answer, now, codes=("errcode",), words=("errmsg",), too_many=_TOO_MANY)
