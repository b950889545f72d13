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
    NEARBY = "nearby"
    """Within so many metres of each other: the one reach that crosses from one lifeline into another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert of ``causes`` stands, alerts of ``effects`` within its ``reach`` are explained by it.

    Causes are kinds of ``lifeline``, effects kinds of it or, where they are given, of ``effect_lifelines``; ``*`` among
    the effects means every kind but the causes and faults of devices. ``within_m`` goes with the reach ``NEARBY``.
    Effects worse than ``mutes_to`` are told all the same: an explanation must not hide a danger. ``reason`` may use
    ``{asset}`` of the explaining alert.
    """

    id: str
    lifeline: Lifeline
    causes: frozenset[str]
    effects: frozenset[str]
    reach: Reach
    mutes_to: Severity
    reason: Text
    effect_lifelines: frozenset[Lifeline] = frozenset()
    within_m: float | None = None

    def __post_init__(self) -> None:
        """Refuse what could never be judged.

        Raises:
            ValueError: a distance is missing or not asked for, or zones and assets of two lifelines are compared.
        """
        if (self.reach is Reach.NEARBY) != (self.within_m is not None):
            raise ValueError(f"inhibition {self.id}: a distance goes with the reach nearby, and with no other")
        if self.effect_lifelines and self.reach is not Reach.NEARBY:
            raise ValueError(f"inhibition {self.id}: two lifelines have nothing in common but the ground")

    def explains(self, cause: Alert, effect: Alert, apart_m: float | None = None) -> bool:
        """Whether one alert explains the other; ``apart_m`` is how far apart they are, where both have a place."""
        return (
            cause.id != effect.id
            and cause.lifeline is self.lifeline
            and cause.kind in self.causes
            and self.concerns(effect)
            and self._reaches(cause, effect, apart_m)
        )

    def concerns(self, alert: Alert) -> bool:
        """Whether there may be an alert by which the rule explains this one."""
        return self._is_effect(alert) and alert.severity <= self.mutes_to

    def _is_effect(self, alert: Alert) -> bool:
        if alert.lifeline not in (self.effect_lifelines or {self.lifeline}):
            return False
        if alert.lifeline is self.lifeline and alert.kind in self.causes:
            return False
        return alert.kind in self.effects or ("*" in self.effects and not alert.sensor_fault)

    def _reaches(self, cause: Alert, effect: Alert, apart_m: float | None) -> bool:
        if self.within_m is not None:
            return apart_m is not None and apart_m <= self.within_m
        if self.reach is Reach.SENSOR:
            # A trouble that several sensors tell is not explained by one of them being faulty.
            return bool(effect.sensors) and set(effect.sensors) <= set(cause.sensors)
        if self.reach is Reach.ASSET:
            return cause.asset == effect.asset
        return self.reach is Reach.LIFELINE or cause.zone == effect.zone
