"""What kinds of alert a lifeline knows."""

from dataclasses import dataclass
from datetime import timedelta

from services.core.lifeline import Lifeline
from services.core.severity import Scheme, Severity, label
from services.core.text import Text


@dataclass(frozen=True, slots=True)
class AlertKind:
    """One kind of trouble: its words, its grading scheme, and when a rule may publish a warning by itself.

    ``publishes_from`` is ``None`` where only a person may publish. ``sensor_fault`` says that the kind speaks about
    the measuring device, not about the city. A kind with ``report_every`` raises no alert: while it lasts, the device
    is asked to report that often, so that what comes next is seen in time.
    """

    lifeline: Lifeline
    kind: str
    label: Text
    instruction: Text
    scheme: Scheme
    sensor_fault: bool
    publishes_from: Severity | None
    report_every: timedelta | None = None

    def headline(self, severity: Severity, name: Text) -> Text:
        """What a warning of this kind is called: grade, kind, place."""
        grade = label(severity, self.scheme)
        return Text(f"{grade.en}: {self.label.en} at {name.en}", f"{grade.zh}：{name.zh}{self.label.zh}")
