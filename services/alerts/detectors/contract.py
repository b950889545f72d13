"""What every detector offers, so that rules, backtests and the contract tests treat all of them alike."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

State = Mapping[str, Any]
"""What a detector remembers, in values that JSON can carry without loss."""


class Score(NamedTuple):
    """What a detector says about one value or one row.

    ``value`` is the number that is graded; NaN means "cannot say". ``expected`` is what the detector had expected
    in the sensor's unit, ``seen`` the numbers behind the score for a person to read, ``column`` the sensor that
    shows it most, when a row was scored, and ``since_s`` when what is scored began, if that was before now.
    """

    value: float
    expected: float | None = None
    seen: Mapping[str, Any] | None = None
    column: str | None = None
    since_s: float | None = None


UNKNOWN = Score(float("nan"))
"""The answer before the warm-up, and to a value that is not a number."""


class _Remembering(ABC):
    """Identity, configuration and memory, which single-sensor and row detectors share."""

    name: ClassVar[str]
    version: ClassVar[str]

    __slots__ = ()

    @abstractmethod
    def configuration(self) -> dict[str, Any]:
        """The constructor's arguments, so that an equal detector can be built from them."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is remembered, as JSON; its size is bounded."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Go on exactly where the detector that returned ``state`` stood."""


class Detector(_Remembering):
    """Scores the values of one sensor in event time.

    ``score`` is called once for each value, in order, and may remember the recent values it needs (a window, a
    running sum). ``learn`` follows only while the rule is quiet and the value good, and alone moves the notion of
    what is normal: a detector therefore never learns the trouble it reports. ``time_s`` is seconds since 1970 UTC.
    """

    __slots__ = ()

    @abstractmethod
    def score(self, time_s: float, value: float) -> Score:
        """The score of a value; NaN in, ``UNKNOWN`` out."""

    def learn(self, time_s: float, value: float) -> None:
        """Take a normal value into the notion of normal; nothing to do for detectors without one."""


class RowDetector(_Remembering):
    """Scores the aligned values of several sensors on a fixed event-time grid.

    A row has one value for each of ``columns``, NaN where the sensor said nothing in the cell.
    """

    columns: tuple[str, ...]

    __slots__ = ()

    @abstractmethod
    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The score of a row at the end of its cell."""

    def learn(self, time_s: float, row: Sequence[float]) -> None:
        """Take a normal row into the notion of normal."""
