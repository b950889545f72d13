"""The water at one low point: the flooding that runs now, and those that have ended."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

_MARKS_MIN = (5, 10, 20, 30, 45, 60, 90)
_RECENT = 256
"""Readings of the open flooding that are kept: four hours at one a minute."""
_REMEMBERED = 60
_SILENT_S = 3 * 3600.0
"""A flooding of which nothing was heard for so long is over, and what comes next is another one."""
_PAUSE_S = 900.0
"""A dry reading after a longer silence is the first of a sensor that only reports floodings."""
SMALL_CM = 2.0
"""Added to depths before their logarithm: ripples of less than this say nothing about how a flooding goes on."""


def log_depth(depth_cm: float) -> float:
    """The logarithm of a depth, in which a puddle and a river are equally far from their doubles."""
    return log(max(depth_cm, 0.0) + SMALL_CM)


def depth_of(value: float) -> float:
    """The depth in cm whose ``log_depth`` is ``value``."""
    return max(exp(value) - SMALL_CM, 0.0)


@dataclass(frozen=True, slots=True)
class PastFlooding:
    """A flooding that has ended: when it began, its peak and when, and the depth so many minutes after its begin."""

    start_s: float
    peak_s: float
    peak_cm: float
    marks_cm: Mapping[int, float]


class DepthTrack:
    """Follows the depth at one point, reading by reading, and parts it into floodings.

    A flooding begins with the last dry reading (``dry_cm`` or less) before water stands, or with the first reading at
    all, and ends with the next dry one or three hours without any. Readings that are not newer than the last are left
    out. Remembers the last 256 readings of the open flooding and the last 60 floodings.
    """

    __slots__ = (
        "_depths_cm",
        "_dry_cm",
        "_marks_cm",
        "_times_s",
        "area_cm_s",
        "begins_after_silence",
        "is_open",
        "max_cm",
        "max_s",
        "past",
    )

    def __init__(self, *, dry_cm: float = 0.0) -> None:
        self._dry_cm = dry_cm
        self._times_s: list[float] = []
        self._depths_cm: list[float] = []
        self._marks_cm: dict[int, float] = {}
        self.past: list[PastFlooding] = []
        self.is_open = False
        self.max_cm = 0.0
        self.max_s = 0.0
        self.area_cm_s = 0.0
        self.begins_after_silence = False

    @property
    def last_s(self) -> float | None:
        """When the last reading was taken; ``None`` before the first."""
        return self._times_s[-1] if self._times_s else None

    @property
    def depth_cm(self) -> float:
        """The last reading; 0 before the first."""
        return self._depths_cm[-1] if self._depths_cm else 0.0

    @property
    def start_s(self) -> float:
        """When the open flooding began, or the last dry reading.

        Raises:
            IndexError: nothing was read yet.
        """
        return self._start_s()

    @property
    def readings(self) -> tuple[list[float], list[float]]:
        """Times and depths of the open flooding, oldest first."""
        return self._times_s, self._depths_cm

    def observe(self, time_s: float, depth_cm: float) -> PastFlooding | None:
        """Take a reading; returns the flooding that ended with it, if one did."""
        last_s = self.last_s
        if last_s is not None and time_s <= last_s:
            return None
        ended = None
        is_dry = depth_cm <= self._dry_cm
        is_late = last_s is not None and time_s - last_s > _SILENT_S
        if self.is_open and (is_dry or is_late):
            ended = self._close()
        if not self.is_open and (is_dry or is_late or ended is not None):
            self._begin()
        if not self.is_open:
            self.begins_after_silence = is_late or (ended is None and (last_s is None or time_s - last_s > _PAUSE_S))
        self.is_open = self.is_open or not is_dry
        self._add(time_s, depth_cm)
        return ended

    def at(self, time_s: float) -> float:
        """The depth at a moment of the open flooding, straight between two readings; 0 before it began."""
        if not self._times_s or time_s <= self._times_s[0]:
            return 0.0
        after = bisect_right(self._times_s, time_s)
        if after == len(self._times_s):
            return self._depths_cm[-1]
        before_s, before_cm = self._times_s[after - 1], self._depths_cm[after - 1]
        share = (time_s - before_s) / (self._times_s[after] - before_s)
        return before_cm + share * (self._depths_cm[after] - before_cm)

    def rise_cm(self, time_s: float, minutes: float) -> float:
        """How much higher the water stands than ``minutes`` ago."""
        return self.depth_cm - self.at(time_s - 60.0 * minutes)

    def _start_s(self) -> float:
        # The begin stays known when its reading has left the ring.
        return self._marks_cm.get(0, self._times_s[0])

    def _begin(self) -> None:
        self._times_s.clear()
        self._depths_cm.clear()
        self._marks_cm.clear()
        self.max_cm = self.max_s = self.area_cm_s = 0.0

    def _add(self, time_s: float, depth_cm: float) -> None:
        if self._times_s:
            self.area_cm_s += (time_s - self._times_s[-1]) * (depth_cm + self._depths_cm[-1]) / 2
        else:
            self._marks_cm[0] = time_s
        age_min = (time_s - self._start_s()) / 60 if self._times_s else 0.0
        for mark in _MARKS_MIN:
            if mark < age_min and mark not in self._marks_cm:
                self._marks_cm[mark] = self.depth_cm
        self._times_s.append(time_s)
        self._depths_cm.append(depth_cm)
        if depth_cm > self.max_cm or len(self._times_s) == 1:
            self.max_cm, self.max_s = depth_cm, time_s
        if len(self._times_s) > _RECENT:
            del self._times_s[0], self._depths_cm[0]

    def _close(self) -> PastFlooding:
        marks = {mark: depth for mark, depth in self._marks_cm.items() if mark}
        ended = PastFlooding(self._start_s(), self.max_s, self.max_cm, marks)
        self.past.append(ended)
        del self.past[:-_REMEMBERED]
        self.is_open = False
        return ended

    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON."""
        return {
            "times_s": list(self._times_s),
            "depths_cm": list(self._depths_cm),
            "marks_cm": [[mark, depth] for mark, depth in self._marks_cm.items()],
            "is_open": self.is_open,
            "begins_after_silence": self.begins_after_silence,
            "max": [self.max_cm, self.max_s],
            "area_cm_s": self.area_cm_s,
            "past": [
                [each.start_s, each.peak_s, each.peak_cm, [[mark, depth] for mark, depth in each.marks_cm.items()]]
                for each in self.past
            ],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where the track that returned ``state`` stood."""
        self._times_s = list(state["times_s"])
        self._depths_cm = list(state["depths_cm"])
        self._marks_cm = {int(mark): depth for mark, depth in state["marks_cm"]}
        self.is_open, self.begins_after_silence = state["is_open"], state["begins_after_silence"]
        self.max_cm, self.max_s = state["max"]
        self.area_cm_s = state["area_cm_s"]
        self.past = [
            PastFlooding(start_s, peak_s, peak_cm, {int(mark): depth for mark, depth in marks})
            for start_s, peak_s, peak_cm, marks in state["past"]
        ]
