"""Text messages and spoken calls through any service that takes an HTTP request: the receiver describes it.

``{{name}}`` stands for a field of the message or for a secret, written as the place asks for: within a JSON text, in
a form, or in an address.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, quote_plus

from services.alerts.notify.channels import words
from services.alerts.notify.channels.contract import Answer, HttpRequest, Judgement, Message, own_headers
from services.alerts.notify.channels.http_answer import judge_status
from services.core.channel import PLACEHOLDER, Channel, Language
from services.core.organisation import Receiver

_LONGEST_TEXT_BYTES = 600
"""About 200 Chinese characters: three linked text messages."""
_JSON = "application/json"
_USUAL_BODY = '{"to": "{{phone}}", "text": "{{text}}", "id": "{{id}}"}'


class TemplateChannel:
    """A request made of the receiver's own template."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """The template with the message's fields and the receiver's secrets.

        Raises:
            NotSendableError: the body is none of ours.
        """
        settings = receiver.settings
        kind = settings.get("content_type", _JSON)
        fields = fields_of(message, receiver)
        secrets = dict(receiver.secrets)
        method = settings.get("method", "POST")
        escape = _in_json if kind == _JSON else quote_plus
        body = "" if method == "GET" else _filled(settings.get("body", _USUAL_BODY), fields | secrets, escape)
        headers = own_headers(receiver) | ({} if method == "GET" else {"content-type": f"{kind}; charset=utf-8"})
        return HttpRequest(
            method=method,
            url=_filled(receiver.url, fields | secrets, _in_address),
            shown_url=_filled(receiver.url, fields, _in_address),
            content=body.encode(),
            headers=headers,
        )

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:
        """Delivered is what the receiver's description says: a status, and what a field of the answer equals."""
        wanted = receiver.settings.get("delivered", {})
        by_status = judge_status(answer, now)
        statuses = wanted.get("status")
        if answer.status not in statuses if statuses else not by_status.delivered:
            return Judgement(
                delivered=False,
                error=f"the receiver answered {answer.status}",
                wait=by_status.wait,
                final=by_status.final,
            )
        if "field" not in wanted:
            return Judgement(delivered=True)
        found = _field(answer.text, wanted["field"])
        if found in {str(value) for value in wanted["equals"]}:
            return Judgement(delivered=True)
        return Judgement(delivered=False, error=f"the answer's field {wanted['field']} is {found!r}"[:300])


def fields_of(message: Message, receiver: Receiver) -> dict[str, str]:
    """The fields that a template may name.

    Raises:
        NotSendableError: the body is none of ours.
    """
    content = message.content()
    language = words.language_of(receiver.settings, Language.ZH)

    def said(text: Any) -> str:
        return " ".join(words.in_language(text, language))

    headline = said(words.headline_of(message.type, content))
    about = content.get("alert") or {}
    instruction = said(words.text_of(content, "instruction"))
    link = str(content.get("url") or "")
    # Nobody wants to hear an address read out.
    parts = [headline, instruction, link if receiver.channel is Channel.SMS else ""]
    return {
        "id": str(message.id),
        "type": message.type,
        "time": message.now.isoformat(timespec="seconds"),
        "phone": str(receiver.settings.get("phone", "")),
        "text": words.cut_to_bytes(" ".join(part for part in parts if part), _LONGEST_TEXT_BYTES),
        "headline": headline,
        "label": said(words.text_of(content, "label")),
        "instruction": instruction,
        "explanation": said(words.text_of(about, "explanation")),
        "url": link,
        **{name: str(content.get(name, "")) for name in ("severity", "lifeline", "zone", "asset", "state")},
    }


def _filled(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda found: escape(values[found[1]]) if found[1] in values else found[0], template)


def _in_json(text: str) -> str:
    """As it stands between the quotation marks of a JSON text."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _in_address(text: str) -> str:
    return quote(text, safe="")


def _field(text: str, path: str) -> str | None:
    """What stands at a dotted path in a JSON answer, as text; nothing there is ``None``."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        return None
    for name in path.split("."):
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    if isinstance(found, bool):
        return str(found).lower()
    return None if found is None else str(found)
