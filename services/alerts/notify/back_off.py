"""How long is waited before a message is tried again, and when it is not."""

import random
from datetime import datetime, timedelta

import psycopg
import structlog
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

_LONGEST_WAIT_S = 300.0

log = structlog.get_logger()


class NotDeliveredError(Exception):
    """An attempt failed; the delivery log has the reason."""

    def __init__(self, reason: str | None, *, attempt: int, final: bool, wait: timedelta | None = None) -> None:
        """Say which of the recorded attempts it was, whether it was the last, and what wait the receiver asked for."""
        super().__init__(reason)
        self.attempt, self.final, self.wait = attempt, final, wait


class PutOffError(Exception):
    """It is not the message's turn: nothing was sent, and it costs no attempt."""

    def __init__(self, until: datetime) -> None:
        """Say when it may be."""
        super().__init__(f"not before {until.isoformat()}")
        self.until = until


_EXPECTED = (NotDeliveredError, psycopg.OperationalError, OSError)
"""The delivery log has the first; who uses the database says once for all that it is away."""


class BackOff(BaseRetryStrategy):
    """Doubling waits with jitter, so that receivers coming back are not hit by everything at once."""

    def __init__(self, randomness: random.Random) -> None:
        """Draw the jitter from ``randomness``."""
        self._random = randomness

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Wait 1, 2, 4 … seconds, at most five minutes, shortened by up to a half; give up after the last attempt.

        A receiver that asks for more gets it. Anything but a failed delivery is trouble of our own (the database is
        away, the process stops) and is repeated without end. Only recorded attempts count: the job's own number also
        rises when it is put back or put off.
        """
        if isinstance(exception, PutOffError):
            # A little apart, so that those that wait for the same moment do not all come at it.
            return RetryDecision(retry_at=exception.until + timedelta(seconds=self._random.uniform(0.0, 1.0)))
        if isinstance(exception, NotDeliveredError) and exception.final:
            return None
        if isinstance(exception, Exception) and not isinstance(exception, _EXPECTED):
            log.error("a job failed and is repeated", task=job.task_name, attempts=job.attempts, exc_info=exception)
        before = exception.attempt - 1 if isinstance(exception, NotDeliveredError) else job.attempts
        wait_s = min(2.0 ** min(before, 12), _LONGEST_WAIT_S) * self._random.uniform(0.5, 1.0)
        if isinstance(exception, NotDeliveredError) and exception.wait is not None:
            wait_s = max(wait_s, exception.wait.total_seconds())
        return RetryDecision(retry_in={"milliseconds": int(wait_s * 1000)})
