"""Hours of the day in which a receiver is not woken for what can wait until morning. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.core.severity import Severity

SETTING = "quiet_hours"
"""What a receiver's settings call them."""
_FIELDS = frozenset({"from", "until", "time_zone", "overridden_from"})
_OVERRIDDEN_FROM = Severity.MAJOR
"""Orange and red wake people. A default; no published rule for lifelines was found."""


class QuietHoursError(ValueError):
    """Quiet hours cannot be as they were asked for; the message names the field and the reason."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day until another, over midnight where the second is the earlier, in a place's own time.

    What is of ``overridden_from`` or worse is told all the same.
    """

    begins: time
    ends: time
    time_zone: ZoneInfo
    overridden_from: Severity

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self | None:
        """The quiet hours of a receiver's settings; ``None`` where it has none.

        Raises:
            QuietHoursError: they cannot be as they stand there.
        """
        given = settings.get(SETTING)
        if given is None:
            return None
        if not isinstance(given, Mapping) or not set(given) <= _FIELDS:
            raise QuietHoursError(f"{SETTING}: has the fields {', '.join(sorted(_FIELDS))} and no others")
        begins, ends = _time_of_day(given, "from"), _time_of_day(given, "until")
        if begins == ends:
            raise QuietHoursError(f"{SETTING}.until: must differ from the beginning; a whole day is not quiet")
        severity = given.get("overridden_from", int(_OVERRIDDEN_FROM))
        if isinstance(severity, bool) or severity not in set(map(int, Severity)) - {int(Severity.NORMAL)}:
            raise QuietHoursError(f"{SETTING}.overridden_from: must be from 1 to 4: the worst is always told")
        return cls(begins, ends, _time_zone(given), Severity(severity))

    def end_for(self, moment: datetime, severity: Severity) -> datetime | None:
        """Until when something of this severity waits at a moment; ``None`` where it is told at once."""
        if severity >= self.overridden_from:
            return None
        local = moment.astimezone(self.time_zone)
        over_midnight = self.begins > self.ends
        clock = local.time()
        is_quiet = clock >= self.begins or clock < self.ends if over_midnight else self.begins <= clock < self.ends
        if not is_quiet:
            return None
        day = local.date() + timedelta(days=1 if over_midnight and clock >= self.begins else 0)
        return datetime.combine(day, self.ends, self.time_zone).astimezone(UTC)


def _time_of_day(given: Mapping[str, Any], field: str) -> time:
    written = given.get(field)
    try:
        found = time.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise QuietHoursError(f"{SETTING}.{field}: must be a time of the day such as 22:00")
    return found


def _time_zone(given: Mapping[str, Any]) -> ZoneInfo:
    name = given.get("time_zone")
    try:
        if isinstance(name, str):
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise QuietHoursError(f"{SETTING}.time_zone: must be the name of a time zone such as Asia/Shanghai")
