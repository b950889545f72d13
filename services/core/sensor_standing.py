"""What the sensors of an alert say about whether it is over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SensorStanding:
    """The alert behind an order and the newest readings of its sensors.

    ``cleared_at`` is when the alert was over, in the sensors' time. ``newest`` is the time of each sensor's newest
    reading, for those that ever reported. ``silent`` are the sensors that have not reported for long. ``is_judged``:
    a person has judged that the alert is false, so that its sensors say nothing about the city.
    """

    description: str
    cleared_at: datetime | None
    sensors: tuple[str, ...] = ()
    newest: Mapping[str, datetime] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    is_judged: bool = False

    @classmethod
    def unknown(cls) -> "SensorStanding":
        """Nothing is known of any sensor."""
        return cls("gone", None)

    @classmethod
    def of_exercise(cls, now: datetime) -> "SensorStanding":
        """Sensors know nothing of an exercise."""
        return cls("an exercise", now)

    @property
    def is_risen(self) -> bool:
        """Whether the alert stands, so that the values are not normal."""
        return self.cleared_at is None and bool(self.sensors)

    @property
    def could_tell(self) -> bool:
        """Whether the sensors can say it: there are some, each reports, and nobody has judged that they are wrong."""
        return bool(self.sensors) and not self.silent and not self.is_judged

    def doubt(self, hold: timedelta) -> str | None:
        """Why they do not say that it is over; ``None`` if they do.

        Silence is not normality: the hold time is counted up to the reading of the sensor that is furthest behind.
        """
        if self.cleared_at is None:
            return f"the alert is {self.description}; verify when they have been normal for their hold time"
        if not self.sensors:
            return "no sensor watches this place"
        mute = [sensor for sensor in self.sensors if sensor not in self.newest]
        if mute:
            return f"{', '.join(mute)} never reported"
        seen = min(self.newest[sensor] for sensor in self.sensors)
        held = seen - self.cleared_at
        if held < hold:
            minutes, wanted = max(0.0, held.total_seconds() / 60), hold.total_seconds() / 60
            return f"normal for {minutes:.0f} of {wanted:.0f} min, by readings up to {seen.isoformat()}"
        return None

    def confirmation(self) -> str:
        """What they say, for the record."""
        since = "" if self.cleared_at is None else self.cleared_at.isoformat()
        seen = min(self.newest.values()).isoformat() if self.newest else ""
        return f"sensors {', '.join(self.sensors)} normal since {since}, by readings up to {seen}"
