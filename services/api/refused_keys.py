"""Which refusals of keys go into the trail: each sender's first at once, then one a minute that counts the rest."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_EVERY_S = 60.0
_MOST_SENDERS = 1000
_MOST_LINES = 60
"""In a minute, of all senders together: whoever tries keys from many addresses must not fill the trail."""


@dataclass(slots=True)
class _Sender:
    told_s: float
    since: int = 0


class RefusedKeys:
    """Counts refusals by sender and reason, in bounded memory; ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._senders: OrderedDict[tuple[str | None, str], _Sender] = OrderedDict()
        self._minute_s = clock()
        self._lines = 0
        self._untold = 0

    def note(self, address: str | None, reason: str) -> dict[str, int] | None:
        """How many refusals a line of the trail has to tell of now; ``None`` when the next line will.

        ``times`` are those of this sender since its last line, ``of_others`` those that no line told of because there
        were too many senders.
        """
        now_s = self._clock()
        if now_s - self._minute_s >= _EVERY_S:
            self._minute_s, self._lines = now_s, 0
        sender = self._senders.get((address, reason))
        if sender is not None and now_s - sender.told_s < _EVERY_S:
            sender.since += 1
            return None
        if self._lines >= _MOST_LINES:
            self._untold += 1
            return None
        times = 1 + (0 if sender is None else sender.since)
        self._senders[address, reason] = _Sender(now_s)
        self._senders.move_to_end((address, reason))
        others, self._untold = self._untold, 0
        while len(self._senders) > _MOST_SENDERS:
            _, forgotten = self._senders.popitem(last=False)
            self._untold += forgotten.since
        self._lines += 1
        return {"times": times, "of_others": others}
