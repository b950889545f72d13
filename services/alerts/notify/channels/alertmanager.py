"""Webhooks as Prometheus Alertmanager sends them (version 4), for programs that read those already."""

import hashlib
import json
from datetime import datetime
from typing import Any

from services.alerts.notify.channels import words
from services.alerts.notify.channels.contract import (
    Answer,
    HttpRequest,
    Judgement,
    Message,
    filled_address,
    own_headers,
)
from services.alerts.notify.channels.http_answer import judge_status
from services.core.organisation import Receiver
from services.core.severity import Severity

_NEVER = "0001-01-01T00:00:00Z"
"""The time at which an alert ends that is still firing."""
_SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.MAJOR: "critical",
    Severity.MODERATE: "warning",
    Severity.MINOR: "info",
    Severity.NORMAL: "none",
}


class AlertmanagerChannel:
    """One alert in a group of its own."""

    pace = None

    def request(self, message: Message, receiver: Receiver) -> HttpRequest:
        """A warning in force fires, a lifted one is resolved. The labels stay the same through a warning's life.

        Raises:
            NotSendableError: the body is none of ours.
        """
        content = message.content()
        about = content.get("alert") or {}
        labels = {
            "alertname": str(about.get("kind", message.type)),
            "lifeline": str(content.get("lifeline", "")),
            "zone": str(content.get("zone", "")),
            "asset": str(content.get("asset", "")),
            "warning": str(content.get("id", message.id)),
        }
        is_over = content.get("lifted_at") is not None
        alert = {
            "status": "resolved" if is_over else "firing",
            "labels": labels,
            "annotations": _annotations(message, content),
            "startsAt": content.get("published_at") or content.get("sent_at") or message.now.isoformat(),
            "endsAt": content.get("lifted_at") or _NEVER,
            "generatorURL": content.get("url") or "",
            "fingerprint": hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16],
        }
        payload = {
            "version": "4",
            "groupKey": f'{{}}:{{warning="{labels["warning"]}"}}',
            "truncatedAlerts": 0,
            "status": alert["status"],
            "receiver": receiver.id,
            "groupLabels": {"warning": labels["warning"]},
            "commonLabels": labels,
            "commonAnnotations": alert["annotations"],
            "externalURL": content.get("url") or "",
            "alerts": [alert],
        }
        return HttpRequest(
            url=filled_address(receiver),
            shown_url=receiver.url,
            content=json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(),
            headers=own_headers(receiver) | {"content-type": "application/json"},
        )

    def judge(self, answer: Answer, receiver: Receiver, now: datetime) -> Judgement:  # noqa: ARG002  # the contract's
        """By the status alone."""
        return judge_status(answer, now)


def _annotations(message: Message, content: Any) -> dict[str, str]:
    """What may change while the warning lasts: the severity is told here, so that the labels need not change."""
    headline, alert = words.headline_of(message.type, content), content.get("alert") or {}
    explanation, instruction = words.text_of(alert, "explanation"), words.text_of(content, "instruction")
    severity = Severity(int(content.get("severity", 0)))
    return {
        "summary": headline.en,
        "summary_zh": headline.zh,
        "description": explanation.en,
        "description_zh": explanation.zh,
        "instruction": instruction.en,
        "instruction_zh": instruction.zh,
        "severity": _SEVERITIES[severity],
        "level": words.text_of(content, "label").en,
        "level_zh": words.text_of(content, "label").zh,
        "message_id": str(message.id),
    }
