"""Which sensors a question is about."""

from dataclasses import dataclass
from typing import Any

from services.core.lifeline import Lifeline


@dataclass(frozen=True, slots=True)
class SensorSelection:
    """The sensors that meet every condition given; without any, all of the city's.

    ``box`` is west, south, east, north in degrees (WGS 84), its edges included. ``after`` leaves out the sensors up
    to and including one, by identifier.
    """

    sensors: tuple[str, ...] | None = None
    lifeline: Lifeline | None = None
    zone: str | None = None
    gateway: str | None = None
    box: tuple[float, float, float, float] | None = None
    after: str | None = None

    def condition(self) -> str:
        """What stands behind ``where``, over table ``sensor``.

        Only what is asked for is part of it, so that the plan of one question never serves another.
        """
        conditions = {
            "sensor.id = any(%(sensors)s)": self.sensors,
            "sensor.lifeline = %(lifeline)s": self.lifeline,
            "sensor.zone = %(zone)s": self.zone,
            "sensor.gateway = %(gateway)s": self.gateway,
            "point(sensor.longitude, sensor.latitude)"
            " <@ box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))": self.box,
            "sensor.id > %(after)s": self.after,
        }
        return " and ".join(part for part, wanted in conditions.items() if wanted is not None) or "true"

    def parameters(self) -> dict[str, Any]:
        """The values of the condition's parameters."""
        corners = ("west", "south", "east", "north")
        return {
            "sensors": None if self.sensors is None else list(self.sensors),
            "lifeline": self.lifeline,
            "zone": self.zone,
            "gateway": self.gateway,
            "after": self.after,
            **dict(zip(corners, self.box or (None,) * len(corners), strict=True)),
        }
