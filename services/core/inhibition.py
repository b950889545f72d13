"""One alert explains another: rules as data, with the words that say so. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from services.core.alert import Alert
from services.core.lifeline import Lifeline
from services.core.severity import Severity
from services.core.text import Text


class Reach(StrEnum):
    """What the explaining and the explained alert must have in common."""

    SENSOR = "sensor"
    ASSET = "asset"
    ZONE = "zone"
    LIFELINE = "lifeline"
    """The whole network of the lifeline: what one burst does to pressures everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert of ``causes`` stands, alerts of ``effects`` within its ``reach`` are explained by it.

    Kinds are those of ``lifeline``; ``*`` among the effects means every kind but the causes and faults of devices.
    Effects worse than ``mutes_to`` are told all the same: an explanation must not hide a danger. ``reason`` may use
    ``{kind}`` and ``{asset}`` of the explaining alert.
    """

    id: str
    lifeline: Lifeline
    causes: frozenset[str]
    effects: frozenset[str]
    reach: Reach
    mutes_to: Severity
    reason: Text

    def explains(self, cause: Alert, effect: Alert) -> bool:
        """Whether one alert explains the other."""
        return (
            cause.id != effect.id
            and cause.lifeline is self.lifeline
            and cause.kind in self.causes
            and self.concerns(effect)
            and self._reaches(cause, effect)
        )

    def concerns(self, alert: Alert) -> bool:
        """Whether there may be an alert by which the rule explains this one."""
        return alert.lifeline is self.lifeline and self._is_effect(alert) and alert.severity <= self.mutes_to

    def _is_effect(self, alert: Alert) -> bool:
        if alert.kind in self.causes:
            return False
        return alert.kind in self.effects or ("*" in self.effects and not alert.sensor_fault)

    def _reaches(self, cause: Alert, effect: Alert) -> bool:
        if self.reach is Reach.SENSOR:
            # A trouble that several sensors tell is not explained by one of them being faulty.
            return bool(effect.sensors) and set(effect.sensors) <= set(cause.sensors)
        if self.reach is Reach.ASSET:
            return cause.asset == effect.asset
        return self.reach is Reach.LIFELINE or cause.zone == effect.zone
