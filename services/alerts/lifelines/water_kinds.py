"""Kinds of trouble in water supply that more than one file of rules notices."""

from services.core.alert_kind import AlertKind
from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity
from services.core.text import Text


def water_kind(kind: str, label: Text, instruction: Text, publishes_from: Severity | None = None) -> AlertKind:
    """A danger of water supply, graded as emergencies are."""
    return AlertKind(
        lifeline=Lifeline.WATER,
        kind=kind,
        label=label,
        instruction=instruction,
        scheme=Scheme.EMERGENCY,
        sensor_fault=False,
        publishes_from=publishes_from,
    )


LEAK = water_kind(
    "leak-suspected",
    Text("Leak suspected", "疑似漏损"),
    Text(
        "Listen along the listed pipes, then isolate and repair.",
        "对所列管段进行听漏排查，确认后关阀抢修。",
    ),
    Severity.MAJOR,
)
NIGHT_FLOW_HIGH = water_kind(
    "night-flow-high",
    Text("Night flow high", "夜间流量偏高"),
    Text("Plan listening in the district; nothing is urgent.", "安排该分区听漏检测，无需紧急处置。"),
)
