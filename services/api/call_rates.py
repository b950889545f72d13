"""How many requests a caller may send: a bucket of tokens for each, in the memory of this process."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_s: float


class CallRates:
    """Lets each caller go on at ``per_s`` requests a second after ``burst`` of them at once; ``clock`` gives seconds.

    Several API processes each count by themselves.
    """

    def __init__(self, per_s: float, burst: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = burst
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str) -> float:
        """Count a request: 0 when it may go on, else how many seconds until one may."""
        now_s = self._clock()
        bucket = self._buckets.pop(caller, None) or _Bucket(self._burst, now_s)
        bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        self._buckets[caller] = bucket
        while len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        if bucket.tokens < 1:
            return (1 - bucket.tokens) / self._per_s
        bucket.tokens -= 1
        return 0.0
