"""Judges that fail are set aside for a while, so that one faulty method stops nobody else."""

from collections import Counter
from math import inf, isinf
from typing import Any

import structlog

from services.alerts.episode import moment

PAUSE_S = 3600.0
"""Event time that a judge rests after its first failure; every further one doubles it."""
MOST_FAILURES = 5
"""A judge that has failed so often rests until its detector's version or configuration changes."""
FORGIVEN_AFTER_S = 7 * 86400.0
"""A judge that has done its work for so long after a rest begins to count anew."""

log = structlog.get_logger()


class Rest:
    """How often a judge has failed, and until when (event time, seconds since 1970) it is not asked."""

    __slots__ = ("failures", "until_s")

    def __init__(self) -> None:
        self.failures = 0
        self.until_s = -inf

    def begin(self, time_s: float) -> None:
        """The judge has failed at ``time_s``."""
        if time_s - self.until_s > FORGIVEN_AFTER_S:
            self.failures = 0
        self.failures += 1
        self.until_s = inf if self.failures >= MOST_FAILURES else time_s + PAUSE_S * 2 ** (self.failures - 1)

    def state(self) -> list[float | None]:
        """Failures and end of the rest, as JSON; empty where nothing ever failed."""
        return [self.failures, None if isinf(self.until_s) else self.until_s] if self.failures else []

    def restore(self, state: list[Any]) -> None:
        """Take up what ``state`` returned."""
        self.failures, until_s = state or (0, -inf)
        self.until_s = inf if until_s is None else until_s


class Failures:
    """What went wrong in the judges of one zone: counted by rule, and each sort told once in full.

    ``by_rule`` grows; whoever reads it remembers what was there before.
    """

    def __init__(self, zone: str) -> None:
        self.by_rule: Counter[str] = Counter()
        self._zone = zone
        self._told: set[tuple[str, str]] = set()

    def note(self, rule: str, target: str, time_s: float, rest: Rest, error: Exception) -> None:
        """A judge failed at ``time_s`` and rests."""
        self.by_rule[rule] += 1
        sort = (rule, type(error).__name__)
        if sort in self._told:
            return
        self._told.add(sort)
        log.error(
            "a detector failed; it is set aside and begins afresh later, everything else goes on",
            zone=self._zone,
            rule=rule,
            target=target,
            event_time=moment(time_s).isoformat(),
            rests_until="a new version" if isinf(rest.until_s) else moment(rest.until_s).isoformat(),
            exc_info=error,
        )

    def unbuilt(self, rule: str, target: str, error: Exception) -> None:
        """A rule could not make its detector for a target, which is therefore not judged by it."""
        self.by_rule[rule] += 1
        log.error("a rule cannot judge here", zone=self._zone, rule=rule, target=target, exc_info=error)

    def unfit(self, rule: str, target: str, reason: str) -> None:
        """A remembered state is not the present detector's, which therefore begins afresh."""
        log.warning(
            "detector state is of another version or configuration; beginning afresh",
            zone=self._zone,
            rule=rule,
            target=target,
            reason=reason,
        )
