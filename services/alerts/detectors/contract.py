"""What every detector offers, so that rules, backtests and the contract tests treat all of them alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Self

from services.core.finding import FindingState
from services.core.severity import Severity
from services.core.text import Text

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
    passing: ClassVar[frozenset[str]] = frozenset()
    """Arguments that may change while the memory goes on: what the register says today and not tomorrow."""

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

    def reads_state_of(self, version: str) -> bool:  # noqa: ARG002  # detectors that can read older states say so
        """Whether ``restore`` also takes what another version of this detector with the same configuration wrote."""
        return False

    def reset(self) -> None:
        """Accept what comes from now on as the new normal: forget what was learnt, keep the configuration."""
        self.restore(self._afresh().state())

    def _afresh(self) -> Self:
        """An equal detector that has seen nothing."""
        return type(self)(**self.configuration())


class Trainable(_Remembering):
    """Mixed in by detectors whose notion of normal can be learnt from history in one go and kept as a model.

    ``learnt`` names the parts of the state that are the notion of normal; all else is memory of recent values.
    """

    learnt: ClassVar[tuple[str, ...]]

    __slots__ = ("_model",)

    @property
    def model(self) -> str | None:
        """The name of the model that was adopted, if one was."""
        name: str | None = getattr(self, "_model", None)
        return name

    @abstractmethod
    def score(self, time_s: float, value: Any) -> Score:
        """The score of a value, or of a row."""

    @abstractmethod
    def learn(self, time_s: float, value: Any) -> None:
        """Take a normal value, or a row, into the notion of normal."""

    def train(self, history: Iterable[tuple[float, Any]]) -> dict[str, Any]:
        """What ``history``, normal values or rows with their times in order, teaches; this detector stays as it is."""
        pupil = self._afresh()
        for time_s, value in history:
            pupil.learn(time_s, value)
        state = pupil.state()
        return {part: state[part] for part in self.learnt}

    def adopt(self, parameters: State, model: str | None = None) -> None:
        """Take over what ``train`` returned, also of another detector with the same configuration.

        ``model`` is the name under which it is kept, for findings to tell.

        Raises:
            KeyError: a part of what is to be learnt is missing.
        """
        self.restore({**self.state(), **{part: parameters[part] for part in self.learnt}})
        self._model = model

    def reset(self) -> None:
        """Accept what comes from now on as the new normal; what a model taught is forgotten too."""
        super().reset()
        self._model = None


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


class Suspect(NamedTuple):
    """An asset from which the trouble may come, and its share of the suspicion; all shares add up to 1 at most."""

    asset: str
    probability: float


class Claim(NamedTuple):
    """What a search says about one trouble of several that it follows at the same time.

    ``outcome`` names one of its rule's outcomes (what sort of trouble), ``key`` the trouble: the same from ``RAISED``
    to ``CLEARED``, never used again. ``since_s`` is when it began as far as is known now. ``columns`` are the sensors
    that show it, clearest first, never empty; ``suspects`` the assets it may come from, likeliest first. ``score``,
    ``value`` (in the unit of the first column) and ``expected`` are what ``Score`` says; ``seen`` the numbers behind
    it; ``fields`` fill the outcome's sentence.
    """

    outcome: str
    key: str
    state: FindingState
    severity: Severity
    score: float
    since_s: float
    columns: tuple[str, ...]
    suspects: tuple[Suspect, ...] = ()
    value: float | None = None
    expected: float | None = None
    seen: Mapping[str, Any] | None = None
    fields: Mapping[str, str | Text] | None = None


def claim_over(outcome: str, key: str, since_s: float, columns: tuple[str, ...], place: str) -> Claim:
    """The last word about a trouble that one asset was told for: it is over there."""
    suspects = (Suspect(place, 1.0),)
    return Claim(
        outcome, key, FindingState.CLEARED, Severity.NORMAL, 0.0, since_s, columns, suspects, fields={"place": place}
    )


class SearchDetector(_Remembering):
    """Scores aligned rows as a ``RowDetector`` does, and itself follows every trouble it finds from begin to end.

    For methods that have to take what they found already into account before they can look for the next: a leak that
    still runs is subtracted from the balance in which the next one shows. ``score`` scores first and learns then, if
    it may learn; ``claims`` are what there is to tell after the row that was scored last, usually nothing.
    """

    columns: tuple[str, ...]

    __slots__ = ()

    @abstractmethod
    def score(self, time_s: float, row: Sequence[float]) -> Score:
        """The score of a row at the end of its cell: how unusual it is beside what has been found already."""

    @abstractmethod
    def claims(self) -> Sequence[Claim]:
        """What changed with the row scored last; asked once after each ``score``."""


class ForecastPoint(NamedTuple):
    """What is expected of a column at ``target_s`` (seconds since 1970), in its unit.

    Eight times of ten the value shall lie between ``low`` and ``high``, which enclose ``value``.
    """

    column: str
    target_s: float
    value: float
    low: float
    high: float


class ForecastDetector(SearchDetector):
    """A search for what is coming: beside its claims it says what values it expects."""

    __slots__ = ()

    @abstractmethod
    def forecasts(self) -> Sequence[ForecastPoint]:
        """What is expected after the row scored last; asked once after each ``score``. Nothing where nothing stirs."""
